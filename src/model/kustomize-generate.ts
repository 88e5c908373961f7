/**
 * ConfigMaps and Secrets that a kustomization generates (kustomize/api kv/kv.go, internal/generators). Their names get no hash here, and Secrets
 * are made by name only: what they hold is of no concern to the mesh.
 */
import { basename } from 'node:path';
import { record, records, text, texts } from './fields';
import { NotBuilt, type Resource, idOf, newResource } from './kustomize-resource';

/** The text of a file that a generator names; undefined for one that is no text. */
export type ReadText = (entry: string) => string | undefined;

/** Objects that are generated; data that is merged into others, or takes the place of theirs, is put there. */
export function generated(
  resources: readonly Resource[],
  kustomization: Record<string, unknown>,
  file: string,
  read: ReadText,
  isWhole: boolean,
): readonly Resource[] {
  const options = record(kustomization.generatorOptions);
  const made: Resource[] = [];
  for (const key of ['configMapGenerator', 'secretGenerator'] as const)
    for (const entry of records(kustomization[key])) {
      const kind = key === 'secretGenerator' ? 'Secret' : 'ConfigMap';
      if (text(entry.name) === '') throw new NotBuilt(`${file} generates a ${kind} without a name`);
      const bad = texts(entry.literals).find((one) => one.indexOf('=') < 1);
      if (bad !== undefined)
        throw new NotBuilt(
          `${file} generates ${kind} ${text(entry.name)} of ${JSON.stringify(bad)}, which is no NAME=value`,
        );
      const data = kind === 'ConfigMap' ? dataOf(entry, read) : new Map<string, string>();
      if (entry.behavior === 'merge' || entry.behavior === 'replace') {
        const known = [...resources, ...made].find(
          (one) => idOf(one.body).kind === kind && namesOf(one).includes(text(entry.name)),
        );
        if (known === undefined && isWhole)
          throw new NotBuilt(
            `${file} generates ${kind} ${text(entry.name)} by ${String(entry.behavior)}, and there is none`,
          );
        const earlier = entry.behavior === 'merge' ? Object.entries(record(known?.body.data)) : [];
        if (known !== undefined && data.size > 0) known.body.data = Object.fromEntries([...earlier, ...data]);
        continue;
      }
      const namespace = text(entry.namespace);
      const own = record(entry.options);
      const marks = Object.fromEntries(
        (['labels', 'annotations'] as const)
          .map((mark) => [mark, { ...record(options[mark]), ...record(own[mark]) }] as const)
          .filter(([, values]) => Object.keys(values).length > 0),
      );
      const body = {
        apiVersion: 'v1',
        kind,
        metadata: { name: text(entry.name), ...(namespace === '' ? {} : { namespace }), ...marks },
        ...(data.size === 0 ? {} : { data: Object.fromEntries(data) }),
      };
      made.push(newResource({ body, source: { file }, lineOf: () => undefined }));
    }
  return made;
}

function namesOf({ body, original, previous }: Resource): readonly string[] {
  return [idOf(body), original, ...previous].map(({ name }) => name);
}

function dataOf(entry: Record<string, unknown>, read: ReadText): ReadonlyMap<string, string> {
  const data = new Map<string, string>();
  const put = (name: string, value: string): void => {
    if (data.has(name)) throw new NotBuilt(`${text(entry.name)} is generated with ${name} twice`);
    data.set(name, value);
  };
  for (const one of [...texts(entry.envs), ...(text(entry.env) === '' ? [] : [text(entry.env)])])
    for (const [name, value] of variablesIn(read(one) ?? '')) put(name, value);
  for (const one of texts(entry.literals)) {
    const [name, value] = cut(one);
    // Quotes around a value are the shell's.
    put(name, (value ?? '').replace(/^["']+|["']+$/g, ''));
  }
  for (const one of texts(entry.files)) {
    const [name, path] = one.includes('=') ? cut(one) : [basename(one), one];
    const content = read(path ?? '');
    if (content !== undefined) put(name, content);
  }
  return data;
}

/** Lines `NAME=value`; one without a value takes that of the environment of who builds: none, as far as anybody knows. */
function variablesIn(content: string): readonly (readonly [string, string])[] {
  return content.split(/\r?\n/).flatMap((line) => {
    const [name, value] = cut(line.trimStart());
    return name === '' || name.startsWith('#') ? [] : [[name, value ?? ''] as const];
  });
}

function cut(pair: string): readonly [string, string | undefined] {
  const at = pair.indexOf('=');
  return at === -1 ? [pair, undefined] : [pair.slice(0, at), pair.slice(at + 1)];
}
