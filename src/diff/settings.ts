/**
 * What differs in objects and shows in no way that a request takes: timeouts, limits, keys, versions of TLS, services opened to the outside.
 * Each field is found where it differs, and told by what it bears on (`field-bearings.ts`).
 */
import { canonical } from '../model/canonical';
import { number, optionalRecord, record, records, type Json } from '../model/fields';
import { installationOf, isOfInstallation } from '../model/installation';
import type { Manifest } from '../model/manifest';
import { bearingOf, DOUBTFUL, INSTALLATION, MESH_CONFIG, WORDS, type Bearing } from './field-bearings';
import type { ObjectChange } from './objects';
import type { ChangedObject, Setting } from './types';

interface Field {
  /** As people write it: `http[].timeout`. */
  readonly path: string;
  readonly bearing: Bearing;
  /** Of items that only one side has: what has moved to another object has not changed. */
  readonly items: readonly string[] | undefined;
}

const INTO_REQUESTS = /headers\.request\.|requestHeaderModifier\.|earlyRequestHeaders\.|outputClaimToHeaders|outputPayloadToHeader|claimToHeaders|forwardOriginalToken|forwardPayloadHeader/; // prettier-ignore

/** Told of each change, by what the fields bear on; `told` are the objects of which some request shows what they do. */
export function settingsOf(changes: readonly ObjectChange[], told: ReadonlySet<ChangedObject>): readonly Setting[] {
  const found = changes.map((change) => ({ change, fields: fieldsOf(change) }));
  // What left one object and came to another: each value once for every time that it came or went.
  const moved = new Map<string, number>();
  for (const { change, fields } of found)
    for (const { path, items } of fields)
      for (const item of items ?? []) {
        const key = `${change.ref.kind} ${path} ${item.slice(1)}`;
        moved.set(key, (moved.get(key) ?? 0) + (item.startsWith('+') ? 1 : -1));
      }
  return found.flatMap(({ change: { ref }, fields }) => {
    const kept = fields.filter(
      ({ path, items }) =>
        // What is written into requests may be what some of them fare otherwise by.
        !(told.has(ref) && INTO_REQUESTS.test(path)) &&
        (items === undefined ||
          (!told.has(ref) && items.some((item) => moved.get(`${ref.kind} ${path} ${item.slice(1)}`) !== 0))),
    );
    const bearings = [...new Set(kept.map(({ bearing }) => bearing))];
    return bearings.flatMap((bearing): Setting[] => {
      const about = DOUBTFUL[bearing] ?? WORDS[bearing];
      if (about === undefined) return [];
      const own = kept.filter((one) => one.bearing === bearing).map(({ path }) => path);
      return [{ ...ref, about, decided: DOUBTFUL[bearing] === undefined, fields: [...new Set(own)].sort() }];
    });
  });
}

function fieldsOf({ was, is }: ObjectChange): readonly Field[] {
  const found: Field[] = [];
  for (const part of partsOf(was ?? is)) {
    const at = (manifest: Manifest | undefined): unknown => (manifest === undefined ? undefined : part.read(manifest));
    for (const { path, items } of differing(at(was), at(is), [], was === undefined || is === undefined)) {
      const plain = path.filter((one) => one !== LIST).join('.');
      const bearing = part.bearing(plain);
      if (bearing === undefined || bearing === 'followed' || bearing === 'nothing') continue;
      found.push({ path: `${part.name}${written(path)}`, bearing, items });
    }
  }
  return found;
}

/** Whether nothing differs in an object that shows in what requests do. */
export function isSettingsAlone({ was, is }: ObjectChange): boolean {
  const found = partsOf(was ?? is).flatMap((part) => {
    const at = (manifest: Manifest | undefined): unknown => (manifest === undefined ? undefined : part.read(manifest));
    return differing(at(was), at(is), [], was === undefined || is === undefined).map(({ path }) => part.bearing(path.filter((one) => one !== LIST).join('.'))); // prettier-ignore
  });
  return found.length > 0 && !found.includes('followed');
}

interface Part {
  readonly name: string;
  readonly read: (manifest: Manifest) => unknown;
  readonly bearing: (field: string) => Bearing | undefined;
}

/** Annotations by which cloud controllers open a Service. */
const OF_CLOUDS = /^(service\.(beta\.)?kubernetes\.io|cloud\.google\.com|networking\.gke\.io|metallb\.(io|universe\.tf)|lb\.cilium\.io|external-dns\.alpha\.kubernetes\.io)\//; // prettier-ignore
/** Annotations of Pods by which proxies are built otherwise than istiod would. */
const OF_PROXIES = /^(sidecar\.istio\.io\/(bootstrapOverride|userVolume\w*|proxyImage)|proxy\.istio\.io\/overrides)$/;

/** The parts of an object that are gone through field by field. */
function partsOf(manifest: Manifest | undefined): readonly Part[] {
  if (manifest === undefined) return [];
  const { group, kind } = manifest;
  const key = `${group}/${kind}`;
  const parts: Part[] = isOfInstallation(manifest) ? [...OF_INSTALLATION] : [];
  if (bearingOf(key, 'x') !== undefined)
    parts.push({ name: '', read: specOf, bearing: (field) => bearingOf(key, field) });
  if (key === '/Service')
    parts.push({ name: 'metadata.annotations.', read: only(OF_CLOUDS, ({ annotations }) => annotations), bearing: () => 'door' }); // prettier-ignore
  if (group === 'apps' || group === 'batch' || key === '/Pod')
    parts.push({ name: 'annotations.', read: only(OF_PROXIES, annotationsOfPods), bearing: () => 'unread' });
  return parts;
}

function only(wanted: RegExp, of: (manifest: Manifest) => Json): Part['read'] {
  return (manifest) => Object.fromEntries(Object.entries(of(manifest)).filter(([name]) => wanted.test(name)));
}

function specOf({ kind, body }: Manifest): Json {
  const spec = record(record(body).spec);
  if (kind === 'VirtualService' && Array.isArray(spec.http))
    return { ...spec, http: records(spec.http).map(withoutPlainAborts) };
  return kind === 'Service' && spec.type === 'ClusterIP' ? { ...spec, type: undefined } : spec;
}

/** Of aborts, those of some requests: each request shows one of all, and one of none does nothing. */
function withoutPlainAborts(rule: Json): Json {
  const fault = optionalRecord(rule.fault);
  if (fault?.abort === undefined) return rule;
  const share = number(record(record(fault.abort).percentage).value);
  return share > 0 && share < 100 ? rule : { ...rule, fault: { ...fault, abort: undefined } };
}

function annotationsOfPods(manifest: Manifest): Json {
  const { template, jobTemplate } = specOf(manifest);
  const inner = record(template ?? record(record(jobTemplate).spec).template);
  return manifest.kind === 'Pod' ? manifest.annotations : record(record(inner.metadata).annotations);
}

/** What an installation says, wherever it is written. */
const OF_INSTALLATION: readonly Part[] = [
  {
    name: 'meshConfig.',
    read: (manifest) => installationOf(manifest)?.meshConfig ?? {},
    bearing: (field) => bearingOf(MESH_CONFIG, field),
  },
  { name: 'meshNetworks.', read: (manifest) => installationOf(manifest)?.meshNetworks ?? {}, bearing: () => 'unread' },
  {
    name: '',
    read: (manifest) => {
      const { global = {}, env = {} } = installationOf(manifest) ?? {};
      return { global: { ...global, meshNetworks: undefined }, env };
    },
    bearing: (field) => bearingOf(INSTALLATION, field),
  },
];

const LIST = '[]';
type Path = readonly string[];

interface Differing {
  readonly path: Path;
  readonly items: readonly string[] | undefined;
}

const isTree = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Fields of two values that differ. `isOfItem`: one of the two is not there at all, of an object or of an item of a list. */
function differing(was: unknown, is: unknown, path: Path, isOfItem: boolean): readonly Differing[] {
  if (canonical(was) === canonical(is)) return [];
  if (Array.isArray(was) || Array.isArray(is)) {
    const [left, right] = apart(Array.isArray(was) ? was : [], Array.isArray(is) ? is : []);
    const length = Math.max(left.length, right.length);
    return Array.from({ length }, (_one, at) => at).flatMap((at) =>
      differing(left[at], right[at], [...path, LIST], isOfItem || at >= Math.min(left.length, right.length)),
    );
  }
  if (isTree(was) || isTree(is)) {
    const [left, right] = [isTree(was) ? was : {}, isTree(is) ? is : {}];
    const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
    return names.flatMap((name) => differing(left[name], right[name], [...path, name], isOfItem));
  }
  if (!isOfItem) return [{ path, items: undefined }];
  return [{ path, items: [...(was === undefined ? [] : [`-${canonical(was)}`]), ...(is === undefined ? [] : [`+${canonical(is)}`])] }]; // prettier-ignore
}

/** Items of two lists without those that both have, wherever they stand. */
function apart(was: readonly unknown[], is: readonly unknown[]): readonly [readonly unknown[], readonly unknown[]] {
  const count = (list: readonly unknown[]): Map<string, number> => {
    const found = new Map<string, number>();
    for (const one of list.map(canonical)) found.set(one, (found.get(one) ?? 0) + 1);
    return found;
  };
  const without = (list: readonly unknown[], others: Map<string, number>): readonly unknown[] =>
    list.filter((one) => {
      const left = others.get(canonical(one)) ?? 0;
      others.set(canonical(one), left - 1);
      return left <= 0;
    });
  return [without(was, count(is)), without(is, count(was))];
}

function written(path: Path): string {
  return path.reduce((text, part) => (part === LIST ? `${text}[]` : text === '' ? part : `${text}.${part}`), '');
}

/** What is not decided for the sake of settings. */
export function doubtOf({ about, fields, ...ref }: Setting): { readonly what: string; readonly why: string } {
  return { what: `${nameOf(ref)} is ${ref.change} in ${fields.join(', ')}`, why: about };
}

/** A note on settings that alter no way of a request. */
export function noteOf({ about, fields, ...ref }: Setting): string {
  return `${nameOf(ref)} is ${ref.change} in ${fields.join(', ')}: ${about}, which alters no way that a request takes; read it`;
}

function nameOf({ kind, namespace, name }: ChangedObject): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}
