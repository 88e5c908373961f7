/** What a kustomization says of all its objects: namespace, prefixes, labels, annotations, replicas and images (kustomize/api filters). */
import { record, text } from './fields';
import {
  ANNOTATIONS,
  METADATA_LABELS,
  SELECTOR_LABELS,
  TEMPLATE_LABELS,
  atPath,
  isOfSpec,
  type FieldSpec,
} from './kustomize-fields';
import { NotBuilt, type Resource, currentId, idOf, isClusterScoped, metadataOf, remember } from './kustomize-resource';
import { isRecord } from './recognize';
import { mayHold } from './unread';

export function relocate(all: readonly Resource[], namespace: string, file: string): void {
  for (const one of all) {
    remember(one);
    const { kind, group } = idOf(one.body);
    if (!isClusterScoped({ kind, group })) metadataOf(one.body).namespace = namespace;
    else if (kind === 'Namespace' && group === '') metadataOf(one.body).name = namespace;
    if (kind === 'APIService')
      atPath(one.body, ['spec', 'service', 'namespace'], true, (parent, key) => (parent[key] = namespace));
    if (kind === 'CustomResourceDefinition' && mayHold(one.body, 'conversion')) atPath(one.body, ['spec', 'conversion', 'webhook', 'clientConfig', 'service', 'namespace'], false, (parent, key) => { if (parent[key] !== undefined) parent[key] = namespace; }); // prettier-ignore
    if (/^(Cluster)?RoleBinding$/.test(kind)) {
      const { subjects } = one.body;
      for (const subject of Array.isArray(subjects) ? subjects.filter(isRecord) : [])
        if (subject.name === 'default') subject.namespace = namespace;
    }
  }
  const ids = new Set<string>();
  for (const one of all) {
    const id = currentId(one);
    if (ids.has(id)) throw new NotBuilt(`namespace ${namespace} in ${file} makes two of ${id}`);
    ids.add(id);
  }
}

/** kustomize/api internal/builtins/PrefixTransformer.go: these keep their names. */
const KEEPS_NAME = new Set(['CustomResourceDefinition', 'APIService', 'Namespace']);

export function prefix(all: readonly Resource[], before: string, after: string): void {
  if (before === '' && after === '') return;
  for (const one of all) {
    if (KEEPS_NAME.has(one.original.kind)) continue;
    const metadata = metadataOf(one.body);
    if (before !== '') remember(one);
    metadata.name = `${before}${text(metadata.name)}`;
    if (after !== '') remember(one);
    metadata.name = `${text(metadata.name)}${after}`;
    if (before !== '') one.prefixes.push(before);
    if (after !== '') one.suffixes.push(after);
  }
}

export function label(
  all: readonly Resource[],
  pairs: Readonly<Record<string, string>>,
  {
    includeSelectors,
    includeTemplates,
    fields,
  }: { includeSelectors?: unknown; includeTemplates?: unknown; fields?: unknown },
): void {
  const own = (Array.isArray(fields) ? fields.filter(isRecord) : []).map((one): FieldSpec => ({
    ...(text(one.kind) === '' ? {} : { kinds: [text(one.kind)] }),
    path: text(one.path),
    create: one.create === true,
  }));
  const specs =
    includeSelectors === true
      ? SELECTOR_LABELS
      : [METADATA_LABELS, ...(includeTemplates === true ? TEMPLATE_LABELS : [])];
  set(all, pairs, [...own, ...specs]);
}

/** Fields that are to hold the namespace too. */
export function fillIn(all: readonly Resource[], value: string, specs: readonly FieldSpec[]): void {
  for (const one of all)
    for (const spec of specs.filter((field) => isOfSpec(field, idOf(one.body).kind)))
      atPath(one.body, spec.path.split('/'), spec.create ?? false, (parent, key) => {
        if (parent[key] !== undefined || spec.create === true) parent[key] = value;
      });
}

export function annotate(all: readonly Resource[], pairs: Readonly<Record<string, string>>): void {
  set(all, pairs, ANNOTATIONS);
}

function set(all: readonly Resource[], pairs: Readonly<Record<string, string>>, specs: readonly FieldSpec[]): void {
  if (Object.keys(pairs).length === 0) return;
  for (const one of all) {
    const { kind } = idOf(one.body);
    for (const spec of specs) {
      if (!isOfSpec(spec, kind)) continue;
      atPath(one.body, spec.path.split('/'), spec.create ?? false, (parent, key) => {
        if (parent[key] === undefined && spec.create !== true) return;
        parent[key] = { ...record(parent[key]), ...pairs };
      });
    }
  }
}

const SCALED = new Set(['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet']);

export function scale(
  all: readonly Resource[],
  replicas: readonly Record<string, unknown>[],
  file: string,
  isWhole: boolean,
): void {
  for (const { name, count } of replicas) {
    const chosen = all.filter(
      (one) => SCALED.has(one.original.kind) && [...one.previous, idOf(one.body)].some((id) => id.name === name),
    );
    if (chosen.length === 0 && isWhole)
      throw new NotBuilt(`replicas of ${file} name ${String(name)}, which is not there`);
    for (const one of chosen) atPath(one.body, ['spec', 'replicas'], true, (parent, key) => (parent[key] = count));
  }
}

export function retag(
  all: readonly Resource[],
  images: readonly Record<string, unknown>[],
  fields: readonly FieldSpec[] = [],
): void {
  if (images.length === 0) return;
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isRecord(value)) return;
    for (const key of ['containers', 'initContainers']) {
      const list = value[key];
      for (const container of Array.isArray(list) ? list.filter(isRecord) : [])
        if (typeof container.image === 'string')
          for (const image of images) container.image = withImage(text(container.image), image);
    }
    Object.values(value).forEach(visit);
  };
  for (const one of all) {
    if (one.original.kind === 'CustomResourceDefinition') continue;
    visit(one.body.spec ?? one.body.template);
    for (const spec of fields.filter((field) => isOfSpec(field, one.original.kind)))
      atPath(one.body, spec.path.split('/'), false, (parent, key) => {
        const image = parent[key];
        if (typeof image === 'string') parent[key] = images.reduce((known, own) => withImage(known, own), image);
      });
  }
}

/** filters/imagetag: the name is a regular expression, and of several orders the first of these counts. */
function withImage(image: string, { name, newName, newTag, digest, tagSuffix }: Record<string, unknown>): string {
  let found;
  try {
    found = new RegExp(`^(${text(name)})(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$`).exec(image);
  } catch {
    throw new NotBuilt(`the image name ${text(name)} is no regular expression that is read here`);
  }
  if (found === null) return image;
  const [, own = '', tag = '', sum = ''] = [
    found[0],
    /^((?:[^/@]*\/)*[^:@/]*)/.exec(image)?.[1],
    found.at(-2),
    found.at(-1),
  ];
  const rest =
    text(newTag) !== ''
      ? `:${text(newTag)}${text(digest) === '' ? '' : `@${text(digest)}`}`
      : text(digest) !== ''
        ? `@${text(digest)}`
        : text(tagSuffix) !== ''
          ? `${tag || ':'}${text(tagSuffix)}`
          : `${tag}${sum}`;
  return `${text(newName) || own}${rest}`;
}
