/** Applications of Argo CD: what each takes from the repository, and those that an ApplicationSet makes where that can be read. */
import { record, records, text, texts } from './fields';
import { matcher } from './glob';
import type { Manifest } from './manifest';
import { toManifest } from './object';
import { isRecord } from './recognize';
import { readYamlDocument } from './yaml-values';

const ARGO = 'argoproj.io';

export const isApplication = ({ group, kind }: Manifest): boolean => group === ARGO && kind === 'Application';
export const isApplicationSet = ({ group, kind }: Manifest): boolean => group === ARGO && kind === 'ApplicationSet';

/** The cluster that Argo CD itself runs in: what it puts there is beside the Application. */
export function clusterOf({ body }: Manifest): string | undefined {
  const { server, name } = record(record(record(body).spec).destination);
  const cluster = text(server) || text(name);
  return cluster === '' || cluster === 'in-cluster' || cluster === 'https://kubernetes.default.svc'
    ? undefined
    : cluster;
}

export function sourcesOf({ body }: Manifest): readonly Record<string, unknown>[] {
  const { source, sources } = record(record(body).spec);
  return [...(isRecord(source) ? [source] : []), ...records(sources)];
}

/** The kustomization that Argo CD edits into the one at the path (util/kustomize/kustomize.go Build). */
export function argoOverlay(source: Record<string, unknown>): Record<string, unknown> {
  const kustomize = record(source.kustomize);
  const kept = ['namePrefix', 'nameSuffix', 'namespace', 'commonAnnotations', 'replicas', 'patches', 'components'];
  const labels = isRecord(kustomize.commonLabels)
    ? kustomize.labelWithoutSelector === true
      ? { labels: [{ pairs: kustomize.commonLabels }] }
      : { commonLabels: kustomize.commonLabels }
    : {};
  return {
    ...Object.fromEntries(kept.filter((key) => kustomize[key] !== undefined).map((key) => [key, kustomize[key]])),
    ...labels,
  };
}

/** The files of a `directory` source: those of the folder itself, unless `recurse` is set, by `include` and `exclude`. */
export function isIncluded(source: Record<string, unknown>, file: string): boolean {
  const { recurse, include, exclude } = record(source.directory);
  if (recurse !== true && file.includes('/')) return false;
  return (
    (text(include) === '' || matcher(text(include))(file)) && (text(exclude) === '' || !matcher(text(exclude))(file))
  );
}

/** Argo CD gives an object without a namespace that of the destination, as `kubectl apply --namespace` does. */
export function placed(manifest: Manifest, namespace: string): Manifest {
  const body = record(manifest.body);
  const metadata = record(body.metadata);
  if (namespace === '' || manifest.namespace === '' || text(metadata.namespace) !== '') return manifest;
  const moved = { ...body, metadata: { ...metadata, namespace } };
  return toManifest(moved, manifest.index, manifest.source, manifest.lineOf);
}

/** What generators read of the repository. */
export interface Repository {
  /** Folders below its top, as `apps/web`. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
  readonly read: (file: string) => string | undefined;
}

export interface Generated {
  readonly applications: readonly Manifest[];
  /** What of it is only known in the cluster. */
  readonly unknown: readonly string[];
}

type Parameters = Readonly<Record<string, unknown>>;

export function applicationsOf(set: Manifest, repository: Repository): Generated {
  const spec = record(record(set.body).spec);
  const isGo = spec.goTemplate === true;
  const applications: Manifest[] = [];
  const unknown: string[] = [];
  const name = `ApplicationSet ${set.namespace}/${set.name}`;
  if (spec.templatePatch !== undefined) unknown.push(`${name} (templatePatch)`);
  for (const generator of records(spec.generators)) {
    const found = parametersOf(generator, repository, isGo);
    if (typeof found === 'string') {
      unknown.push(`${name} (${found} generator)`);
      continue;
    }
    for (const parameters of found) {
      const template = rendered(spec.template, parameters, isGo);
      if (JSON.stringify(template).includes('{{')) unknown.push(`${name} (a template with functions)`);
      const body = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', ...record(template) };
      const metadata = { namespace: set.namespace, ...record(record(template).metadata) };
      applications.push(toManifest({ ...body, metadata }, set.index, set.source, set.lineOf));
    }
  }
  return { applications, unknown: [...new Set(unknown)] };
}

/** The parameters of each Application that a generator makes; its name if only the cluster or another service knows them. */
function parametersOf(
  generator: Record<string, unknown>,
  repository: Repository,
  isGo: boolean,
): readonly Parameters[] | string {
  const [kind = 'empty'] = Object.keys(generator).filter((key) => !['selector', 'template'].includes(key));
  const own = record(generator[kind]);
  if (generator.selector !== undefined) return `${kind} with a selector`;
  if (kind === 'list') return own.elementsYaml === undefined ? records(own.elements) : 'list';
  if (kind === 'git') {
    const values = isRecord(own.values) ? { values: own.values } : {};
    if (records(own.directories).length > 0)
      return directories(records(own.directories), repository).map((path) => ({
        ...pathParameters(path, isGo),
        ...values,
      }));
    return records(own.files)
      .flatMap((entry) => repository.files.filter(matcher(text(entry.path))))
      .flatMap((file): readonly Parameters[] => {
        const content = parsed(repository.read(file));
        return content.map((one) => ({ ...flattened(one, isGo), ...pathParameters(file.split('/').slice(0, -1).join('/'), isGo), ...values })); // prettier-ignore
      });
  }
  if (kind === 'matrix') {
    const children = records(own.generators).map((child) => parametersOf(child, repository, isGo));
    const strange = children.find((child) => typeof child === 'string');
    if (strange !== undefined) return `matrix with ${String(strange)}`;
    const [first = [], second = []] = children as readonly (readonly Parameters[])[];
    return first.flatMap((a) => second.map((b) => ({ ...a, ...b })));
  }
  return kind;
}

function directories(entries: readonly Record<string, unknown>[], { folders }: Repository): readonly string[] {
  const wanted = entries.filter(({ exclude }) => exclude !== true).map(({ path }) => matcher(text(path)));
  const unwanted = entries.filter(({ exclude }) => exclude === true).map(({ path }) => matcher(text(path)));
  return folders.filter((folder) => wanted.some((fits) => fits(folder)) && !unwanted.some((fits) => fits(folder)));
}

function pathParameters(path: string, isGo: boolean): Parameters {
  const segments = path.split('/');
  const basename = segments.at(-1) ?? '';
  const basenameNormalized = basename.replace(/[^a-zA-Z0-9-]/g, '-');
  if (isGo) return { path: { path, basename, basenameNormalized, segments } };
  return {
    path,
    'path.basename': basename,
    'path.basenameNormalized': basenameNormalized,
    ...Object.fromEntries(segments.map((one, at) => [`path[${at}]`, one])),
  };
}

function parsed(content: string | undefined): readonly unknown[] {
  if (content === undefined) return [];
  try {
    const value = readYamlDocument(content, 'kubectl');
    return Array.isArray(value) ? value : [value];
  } catch {
    return [];
  }
}

/** Without Go templates, fields are named by their path: `cluster.name`. */
function flattened(value: unknown, isGo: boolean, at = ''): Parameters {
  if (isGo && at === '') return record(value);
  return Object.fromEntries(
    Object.entries(record(value)).flatMap(([key, item]): [string, unknown][] =>
      isRecord(item) ? Object.entries(flattened(item, false, `${at}${key}.`)) : [[`${at}${key}`, item]],
    ),
  );
}

function rendered(value: unknown, parameters: Parameters, isGo: boolean): unknown {
  if (typeof value === 'string')
    return value.replace(/\{\{-?\s*([^{}]*?)\s*-?\}\}/g, (whole, expression: string) => {
      const found = isGo
        ? goValue(expression, parameters)
        : (parameters[expression] ?? fromNested(expression, parameters));
      return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean'
        ? String(found)
        : whole;
    });
  if (Array.isArray(value)) return value.map((item) => rendered(item, parameters, isGo));
  return isRecord(value)
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rendered(item, parameters, isGo)]))
    : value;
}

/** `.a.b` and `index .a.b 1`; anything else is left as it is. */
function goValue(expression: string, parameters: Parameters): unknown {
  const [, list, at] = /^index \.([\w.]+) (\d+)$/.exec(expression) ?? [];
  if (list !== undefined) {
    const found = fromNested(list, parameters);
    return Array.isArray(found) ? found[Number(at)] : undefined;
  }
  const [, path] = /^\.([\w.]+)$/.exec(expression) ?? [];
  return path === undefined ? undefined : fromNested(path, parameters);
}

function fromNested(path: string, parameters: Parameters): unknown {
  return path.split('.').reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), parameters);
}

/** What of a source is neither a folder of manifests, a kustomization nor a chart. */
export function pluginOf(source: Record<string, unknown>): string | undefined {
  if (isRecord(source.plugin)) return 'a plugin';
  return Object.keys(record(record(source.directory).jsonnet)).length > 0 || texts(source.jsonnet).length > 0
    ? 'Jsonnet'
    : undefined;
}
