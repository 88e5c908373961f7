/** Patches as kustomize applies them: strategic merge (kyaml yaml/merge2) and JSON 6902. What cannot be applied throws, with the reason. */
import { isRecord } from './recognize';

/** Lists of Kubernetes' own kinds that are merged element by element, by these keys; every other list is replaced. */
const MERGE_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'], initContainers: ['name'], ephemeralContainers: ['name'], env: ['name'], volumes: ['name'], imagePullSecrets: ['name'], volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'], webhooks: ['name'], matchConditions: ['name'], resourceClaims: ['name'], schedulingGates: ['name'], conditions: ['type'], hostAliases: ['ip'], topologySpreadConstraints: ['topologyKey'], ownerReferences: ['uid'], secrets: ['name'], ports: ['containerPort', 'port'],
}; // prettier-ignore

/** Groups whose lists are merged: those with a dot are custom resources, of which kustomize has no schema. */
const BUILT_IN = /^(|apps|batch|autoscaling|policy|[a-z.]+\.k8s\.io)$/;

/** Whether kinds of a group are Kubernetes' own. */
export function isBuiltIn(group: string): boolean {
  return BUILT_IN.test(group) && group !== 'gateway.networking.k8s.io';
}

/** The field that tells items of a list apart which are merged; undefined for a list that is replaced. */
export function mergeKeyOf(field: string, items: readonly unknown[]): string | undefined {
  const keys = Object.hasOwn(MERGE_KEYS, field) ? MERGE_KEYS[field] : undefined;
  return keys?.find((one) => items.some((item) => isRecord(item) && one in item));
}

/** What an item is called among those that are merged. */
export function itemName(item: unknown, key: string): string | undefined {
  return isRecord(item) ? `${String(item[key])}/${key === 'name' ? '' : String(item.protocol ?? 'TCP')}` : undefined;
}

export function strategicMerge(target: unknown, patch: unknown, group: string): unknown {
  return merge(target, patch, isBuiltIn(group), '');
}

function merge(target: unknown, patch: unknown, byKeys: boolean, field: string): unknown {
  if (isRecord(patch)) {
    if (patch.$patch === 'delete') return undefined;
    if (patch.$patch === 'replace') return withoutDirectives(patch);
    const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
    for (const [key, value] of Object.entries(patch)) {
      if (key.startsWith('$')) continue;
      if (value === null) {
        delete result[key];
        continue;
      }
      const merged = merge(result[key], value, byKeys, key);
      if (merged === undefined) delete result[key];
      else result[key] = merged;
    }
    return result;
  }
  if (Array.isArray(patch)) return mergeLists(target, patch, byKeys, field);
  return patch;
}

function mergeLists(target: unknown, patch: readonly unknown[], byKeys: boolean, field: string): unknown {
  const replaces = patch.some((item) => isRecord(item) && item.$patch === 'replace' && Object.keys(item).length === 1);
  const key = byKeys ? mergeKeyOf(field, patch) : undefined;
  if (replaces || key === undefined || !Array.isArray(target)) {
    const kept = patch.filter((item) => !isRecord(item) || item.$patch === undefined).map(withoutDirectives);
    return kept;
  }
  const identity = (item: unknown): string | undefined => itemName(item, key);
  // kyaml yaml/walk/associative_sequence.go: the elements of the patch in its order, then the others.
  const first: unknown[] = [];
  let rest: readonly unknown[] = target;
  for (const item of patch) {
    const own = identity(item);
    const known = rest.find((one) => identity(one) === own);
    if (known === undefined) {
      if (!isRecord(item) || item.$patch !== 'delete') first.push(withoutDirectives(item));
      continue;
    }
    rest = rest.filter((one) => one !== known);
    const merged = merge(known, item, byKeys, '');
    if (merged !== undefined) first.push(merged);
  }
  return [...first, ...rest];
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => !key.startsWith('$') && item !== null)
      .map(([key, item]) => [key, withoutDirectives(item)]),
  );
}

export interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
  readonly from?: string;
}

export function isOperation(value: unknown): value is Operation {
  return isRecord(value) && typeof value.op === 'string' && typeof value.path === 'string';
}

/** @throws Error if an operation does not fit the object, as kustomize's own library does (evanphx/json-patch). */
export function jsonPatch(target: unknown, operations: readonly Operation[]): unknown {
  const root = { '': structuredClone(target) };
  for (const { op, path, value, from } of operations) {
    switch (op) {
      case 'add':
        put(root, path, structuredClone(value), true);
        break;
      case 'replace': {
        // json-patch v4 (patch.go, partialDoc.get) misses no key of a mapping, and so adds it.
        const { parent } = parentOf(root, path);
        if (Array.isArray(parent)) get(root, path);
        put(root, path, structuredClone(value), false);
        break;
      }
      case 'remove':
        remove(root, path);
        break;
      case 'copy':
        put(root, path, structuredClone(get(root, from ?? '')), true);
        break;
      case 'move': {
        const moved = get(root, from ?? '');
        remove(root, from ?? '');
        put(root, path, moved, true);
        break;
      }
      case 'test':
        if (JSON.stringify(get(root, path)) !== JSON.stringify(value)) throw new Error(`its test of ${path} fails`);
        break;
      default:
        throw new Error(`its operation ${JSON.stringify(op)} is none of JSON 6902`);
    }
  }
  return root[''];
}

type Parent = Record<string, unknown> | unknown[];

function parentOf(root: Record<string, unknown>, path: string): { readonly parent: Parent; readonly key: string } {
  if (path !== '' && !path.startsWith('/')) throw new Error(`its path ${path} does not begin with /`);
  const keys = path.split('/').map((key) => key.replace(/~1/g, '/').replace(/~0/g, '~'));
  let parent: unknown = root;
  for (const key of keys.slice(0, -1)) {
    parent = Array.isArray(parent)
      ? parent[indexIn(parent, key)]
      : isRecord(parent) && Object.hasOwn(parent, key)
        ? parent[key]
        : undefined;
    if (parent === undefined || parent === null) break;
  }
  if (!isRecord(parent) && !Array.isArray(parent)) throw new Error(`there is nothing at ${path}`);
  return { parent, key: keys.at(-1) ?? '' };
}

function indexIn(list: readonly unknown[], key: string): number {
  const index = Number(key);
  return index < 0 ? list.length + index : index;
}

function get(root: Record<string, unknown>, path: string): unknown {
  const { parent, key } = parentOf(root, path);
  const value = Array.isArray(parent) ? parent[indexIn(parent, key)] : parent[key];
  if (value === undefined) throw new Error(`there is nothing at ${path}`);
  return value;
}

function put(root: Record<string, unknown>, path: string, value: unknown, inserts: boolean): void {
  const { parent, key } = parentOf(root, path);
  if (!Array.isArray(parent)) {
    Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
    return;
  }
  const index = key === '-' ? parent.length : indexIn(parent, key);
  if (!Number.isInteger(index) || index > parent.length) throw new Error(`there is no place ${path}`);
  parent.splice(index, inserts ? 0 : 1, value);
}

function remove(root: Record<string, unknown>, path: string): void {
  get(root, path);
  const { parent, key } = parentOf(root, path);
  if (Array.isArray(parent)) parent.splice(indexIn(parent, key), 1);
  else delete parent[key];
}
