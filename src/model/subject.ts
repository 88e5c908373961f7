/** What matchers and validations judge: a chart, an app, plain objects, or a path to files. */
import { load, loadObjects, loadText } from './load';
import type { Loaded, Source } from './manifest';

interface Node {
  readonly path: string;
  findAll(): unknown[];
}

/**
 * Constructs are known by their shape: the test and this module may have different copies of cdk8s.
 *
 * @throws TypeError if there is nothing to judge.
 */
export function loadSubject(subject: unknown, matcher: string): Loaded {
  if (typeof subject === 'string') return load([subject]);
  if (Array.isArray(subject)) return loadObjects(subject);
  const node = nodeOf(subject);
  if (node === undefined)
    throw new TypeError(
      `${matcher} judges a chart, an app, a list of objects, or a path; it got ${subject === null ? 'null' : typeof subject}`,
    );
  const objects: unknown[] = [];
  const paths: string[] = [];
  const texts: { readonly text: string; readonly path: string }[] = [];
  for (const child of node.findAll()) {
    if (isApiObject(child)) {
      objects.push(child.toJson());
      paths.push(nodeOf(child)?.path ?? '');
    } else if (isFile(child)) texts.push({ text: child.content, path: child.path });
  }
  const loaded = loadObjects(objects, (_, index): Source => ({ construct: paths[index] ?? '' }));
  const files = texts.map(({ text, path }) => loadText(text, path, { named: false, from: loaded.manifests.length }));
  const manifests = [...loaded.manifests, ...files.flatMap((file) => file.manifests)];
  if (manifests.length === 0)
    throw new TypeError(`${matcher}: ${node.path || 'the app'} renders no object, so there is nothing to judge`);
  return { manifests, problems: [...loaded.problems, ...files.flatMap((file) => file.problems)] };
}

function nodeOf(value: unknown): Node | undefined {
  const { node } = (value ?? {}) as { node?: Partial<Node> };
  return typeof node?.findAll === 'function' ? (node as Node) : undefined;
}

function isApiObject(value: unknown): value is { toJson(): unknown } {
  const { kind, apiVersion, toJson } = value as { kind?: unknown; apiVersion?: unknown; toJson?: unknown };
  return typeof kind === 'string' && typeof apiVersion === 'string' && typeof toJson === 'function';
}

/** A file that is written beside the manifests, such as install input. */
function isFile(value: unknown): value is { readonly path: string; readonly content: string } {
  const { path, content } = value as { path?: unknown; content?: unknown };
  return typeof path === 'string' && typeof content === 'string' && /\.(ya?ml|json)$/.test(path);
}
