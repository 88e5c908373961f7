/** Which objects a patch of a kustomization is for, and what becomes of them (kustomize/api internal/builtins/PatchTransformer.go). */
import { record, text } from './fields';
import { isOperation, jsonPatch, strategicMerge } from './kustomize-patch';
import { NotBuilt, type Resource, effectiveNamespace, idOf, idText, metadataOf, remember } from './kustomize-resource';
import { isRecord } from './recognize';
import { changedLater, isUnread } from './unread';
import { readYaml } from './yaml-values';

export interface Patch {
  /** The kustomization that says so. */
  readonly file: string;
  readonly text: string;
  readonly target?: Record<string, unknown>;
  readonly allowNameChange?: boolean;
  readonly allowKindChange?: boolean;
}

/** @param isWhole whether nothing remote is missing, among which the target of a patch may be */
export function applyPatch(all: readonly Resource[], patch: Patch, isWhole: boolean): Resource[] {
  let documents: unknown[];
  try {
    documents = readYaml(patch.text, 'kustomize').filter((one) => one !== null);
    // Operations are made JSON by sigs.k8s.io/yaml, as kubectl reads (api/internal/builtins/PatchTransformer.go, jsonPatchFromBytes).
    if (Array.isArray(documents[0])) documents = [...readYaml(patch.text, 'kubectl')];
  } catch {
    throw new NotBuilt(`a patch of ${patch.file} cannot be read`);
  }
  const operations = documents.length === 1 && Array.isArray(documents[0]) ? documents[0] : undefined;
  if (operations?.every(isOperation)) {
    if (patch.target === undefined) throw new NotBuilt(`a JSON patch of ${patch.file} has no target`);
    const chosen = select(all, patch.target);
    for (const one of chosen) {
      remember(one);
      one.body = patched(one, patch, () => withAnnotations(one.body, (body) => jsonPatch(body, operations)));
    }
    return [...all];
  }
  if (documents.length > 1 && patch.target !== undefined) throw new NotBuilt(`a patch of ${patch.file} is several, and has a target`); // prettier-ignore
  if (documents.length === 0) throw new NotBuilt(`a patch of ${patch.file} is empty`);
  if (/["\s]?\$(setElementOrder|retainKeys|deleteFromPrimitiveList)\b/.test(patch.text)) throw new NotBuilt(`a patch of ${patch.file} has directives of kubectl, which kustomize leaves in the object`); // prettier-ignore
  let result = [...all];
  for (const document of documents) {
    if (!isRecord(document))
      throw new NotBuilt(`a patch of ${patch.file} is neither an object nor operations of JSON 6902`);
    const chosen = patch.target === undefined ? named(result, document) : select(result, patch.target);
    if (chosen.length === 0 && patch.target === undefined) {
      if (!isWhole) continue;
      throw new NotBuilt(`a patch of ${patch.file} is for ${idText(idOf(document))}, which is not there`);
    }
    result = result.filter((one) => !chosen.includes(one) || merged(one, document, patch));
  }
  return result;
}

/** False if the patch takes the object away. */
function merged(one: Resource, document: Record<string, unknown>, patch: Patch): boolean {
  const { name, namespace } = metadataOf(one.body);
  const { kind } = one.body;
  if (patch.allowNameChange === true || patch.allowKindChange === true) remember(one);
  const { apiVersion: _apiVersion, ...rest } = document;
  const later = mergedLater(one.body, rest);
  const value = later ?? strategicMerge(one.body, rest, idOf(one.body).group);
  if (value === undefined) return false;
  if (!isRecord(value)) throw new NotBuilt(`a patch of ${patch.file} leaves no object`);
  one.body = later ?? structuredClone(value);
  const metadata = metadataOf(one.body);
  if (patch.allowKindChange !== true) one.body.kind = kind;
  if (patch.allowNameChange !== true) metadata.name = name;
  if (namespace === undefined) delete metadata.namespace;
  else metadata.namespace = namespace;
  return true;
}

/** What is merged into the `spec` of a definition that nobody has read is merged when somebody reads it. */
function mergedLater(
  body: Record<string, unknown>,
  { spec, ...own }: Record<string, unknown>,
): Record<string, unknown> | undefined {
  const said = JSON.stringify({ spec, ...own });
  if (!isUnread(body) || said.includes('"$') || spec === null) return undefined;
  const { group } = idOf(body);
  const rest = strategicMerge(structuredClone({ apiVersion: body.apiVersion, kind: body.kind, metadata: body.metadata }), own, group); // prettier-ignore
  if (!isRecord(rest)) return undefined;
  const merge = (whole: unknown): unknown =>
    spec === undefined ? whole : record(strategicMerge({ spec: whole }, { spec }, group)).spec;
  return changedLater(body, structuredClone(rest), said, merge);
}

/** While it is built, an object has annotations: kustomize keeps there what it was (resource.StorePreviousId), and takes them away in the end. */
function withAnnotations(body: Record<string, unknown>, change: (body: Record<string, unknown>) => unknown): unknown {
  const metadata = metadataOf(body);
  if (metadata.annotations !== undefined && metadata.annotations !== null) return change(body);
  const value = change({ ...body, metadata: { ...metadata, annotations: {} } });
  if (!isRecord(value)) return value;
  const { annotations } = metadataOf(value);
  if (isRecord(annotations) && Object.keys(annotations).length === 0) delete metadataOf(value).annotations;
  return value;
}

function patched(one: Resource, patch: Patch, apply: () => unknown): Record<string, unknown> {
  let value: unknown;
  try {
    value = apply();
  } catch (error) {
    throw new NotBuilt(
      `a patch of ${patch.file} does not fit ${idText(one.original)}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (!isRecord(value)) throw new NotBuilt(`a patch of ${patch.file} leaves no object`);
  return value;
}

function named(all: readonly Resource[], document: Record<string, unknown>): readonly Resource[] {
  const wanted = idText(idOf(structuredClone(document)));
  return all.filter((one) => [...one.previous, idOf(one.body)].some((id) => idText(id) === wanted));
}

/** resWrangler.Select: each field of the target is a regular expression for the whole of it. */
export function select(all: readonly Resource[], target: Record<string, unknown>): readonly Resource[] {
  const wants = (field: string): RegExp | undefined => {
    const pattern = text(target[field]);
    try {
      return pattern === '' ? undefined : new RegExp(`^(?:${pattern})$`);
    } catch {
      throw new NotBuilt(`target.${field} ${JSON.stringify(pattern)} is no regular expression that is read here`);
    }
  };
  const [group, version, kind, name, namespace] = ['group', 'version', 'kind', 'name', 'namespace'].map(wants);
  return all.filter((one) => {
    const now = idOf(one.body);
    const { labels, annotations } = metadataOf(one.body);
    return (
      (group?.test(now.group) ?? true) &&
      (version?.test(now.version) ?? true) &&
      (kind?.test(now.kind) ?? true) &&
      (name === undefined || name.test(one.original.name) || name.test(now.name)) &&
      (namespace === undefined ||
        namespace.test(effectiveNamespace(one.original)) ||
        namespace.test(effectiveNamespace(now))) &&
      matches(labels, text(target.labelSelector)) &&
      matches(annotations, text(target.annotationSelector))
    );
  });
}

/** A selector in words: `a=b,c!=d,e,!f,g in (h, i)`. */
export function matches(values: unknown, selector: string): boolean {
  const own = isRecord(values) ? values : {};
  return selector.split(/,(?![^(]*\))/).every((term) => {
    const one = term.trim();
    const [, key = '', not, list] = /^(\S+)\s+(not)?in\s*\(([^)]*)\)$/.exec(one) ?? [];
    if (list !== undefined)
      return list.split(',').some((value) => value.trim() === String(own[key] ?? '')) !== (not !== undefined);
    if (/\sin\s|\snotin\s/.test(one)) throw new NotBuilt(`the selector ${JSON.stringify(selector)} is none`);
    const [, left = '', sign, right = ''] = /^([^=!]*)\s*(!=|==?)\s*(.*)$/.exec(one) ?? [];
    if (sign !== undefined) return (String(own[left.trim()] ?? '') === right.trim()) === (sign !== '!=');
    return one === '' || (one.startsWith('!') ? !(one.slice(1) in own) : one in own);
  });
}
