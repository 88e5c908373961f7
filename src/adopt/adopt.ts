/**
 * Hand-written manifests as TypeScript that synthesizes the same traffic. What a construct says in full is said by it; the rest stays
 * as it is, object by object. A construct is used only where a diff of what it renders finds no change of traffic.
 */
import { diff } from '../diff/diff';
import { record, text, texts, type Json } from '../model/fields';
import { loadObjects } from '../model/load';
import type { Manifest } from '../model/manifest';
import type { MeshOptions } from '../model/mesh-options';
import { HELM_VALUES } from '../model/recognize';
import { Names } from './code';
import { liftEntry, readEntry, type Entry } from './entry';
import { liftGateways } from './gateway';
import { leftOver, serversLeft } from './left-over';
import type { Lifted } from './lifted';
import { projectFiles, type ProjectFile } from './project';

export interface Adopted {
  readonly files: readonly ProjectFile[];
  /** Objects that constructs say. */
  readonly lifted: number;
  /** Objects that are kept as they are. */
  readonly raw: number;
  readonly notes: readonly string[];
}

interface Plan {
  readonly lifted: readonly Lifted[];
  readonly raw: readonly Manifest[];
}

const RESERVED_IDS = ['Raw'];

export function adopt(manifests: readonly Manifest[], options: MeshOptions = {}): Adopted {
  const secrets = manifests.filter((one) => one.kind === 'Secret' && one.group === '');
  const kept = manifests.filter((one) => !secrets.includes(one));
  const reasons = new Map<Manifest, string>();
  const plan = [planAll, planEntries].map((make) => make(kept, reasons)).find((one) => isSame(kept, one, options)) ?? {
    lifted: [],
    raw: kept,
  };
  const converted = new Set(plan.lifted.flatMap((one) => one.replaces));
  return {
    files: projectFiles(
      plan.lifted,
      plan.raw.filter((one) => one.kind !== HELM_VALUES),
      plan.raw.filter((one) => one.kind === HELM_VALUES),
    ),
    lifted: plan.lifted.reduce((sum, one) => sum + one.replaces.length, 0),
    raw: plan.raw.length,
    notes: [
      ...secrets.map(
        ({ namespace, name }) =>
          `Secret ${namespace}/${name} is left out: what it holds does not belong in source code; create it from your secret store`,
      ),
      ...[...reasons]
        .filter(([one]) => !converted.has(one))
        .map(([one, why]) => `${nameOf(one)} is kept as it is: ${why}`),
    ],
  };
}

function isSame(manifests: readonly Manifest[], { lifted, raw }: Plan, options: MeshOptions): boolean {
  const rendered: Json[] = [...lifted.flatMap((one) => [...one.renders]), ...raw.map((one) => record(one.body))];
  return diff(manifests, loadObjects(rendered).manifests, { mesh: options }).changes.length === 0;
}

function nameOf({ kind, namespace, name }: Manifest): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
}

/** Why a group of objects stays as it is: a field of one of them that would be lost. */
function lossOf(lifted: Lifted): string | undefined {
  const gateways = lifted.replaces.filter(({ kind }) => kind === 'Gateway');
  const servers = serversLeft(
    gateways,
    lifted.renders.filter(({ kind }) => kind === 'Gateway'),
  );
  for (const [gateway, why] of servers) return `of ${nameOf(gateway)}, ${why}`;
  for (const one of lifted.replaces) {
    const left = leftOver(one, counterpart(one, lifted.renders));
    const fields = one.kind === 'Gateway' ? left.filter(({ field }) => field.startsWith('metadata.')) : left;
    if (fields.length > 0)
      return `no construct says ${[...new Set(fields.map(({ field }) => field))].join(', ')} of ${nameOf(one)}`;
  }
  return undefined;
}

/** What is rendered in the place of an object: that of its name, else the one that it was merged into. */
function counterpart(manifest: Manifest, renders: readonly Json[]): Json {
  const ofKind = renders.filter(({ kind }) => kind === manifest.kind);
  const hostOf = (body: unknown): string => text(record(record(body).spec).host);
  return (
    ofKind.find(({ metadata }) => {
      const { name, namespace } = record(metadata);
      return name === manifest.name && namespace === manifest.namespace;
    }) ??
    ofKind.find((one) => manifest.kind === 'DestinationRule' && hostOf(one) === hostOf(manifest.body)) ??
    {}
  );
}

function planAll(manifests: readonly Manifest[], reasons: Map<Manifest, string>): Plan {
  const entries = readEntries(manifests);
  const names = { ids: new Names(RESERVED_IDS), variables: new Names() };
  // A group of gateways that changes traffic is left as it is; the others are still lifted.
  const gateways = liftGateways(manifests, entries, names).filter((one) => {
    const why =
      lossOf(one) ??
      (isSame(manifests, { lifted: [one], raw: without(manifests, [one]) }, {})
        ? undefined
        : 'what a forward renders would change traffic');
    if (why !== undefined)
      for (const manifest of one.replaces) if (manifest.kind !== 'ServiceEntry') reasons.set(manifest, why);
    return why === undefined;
  });
  return withEntries(manifests, entries, gateways, names.ids);
}

function planEntries(manifests: readonly Manifest[]): Plan {
  return withEntries(manifests, readEntries(manifests), [], new Names(RESERVED_IDS));
}

function withEntries(
  manifests: readonly Manifest[],
  entries: readonly Entry[],
  gateways: readonly Lifted[],
  ids: Names,
): Plan {
  const taken = new Set(gateways.flatMap((one) => one.replaces));
  const rest = entries
    .filter((entry) => !taken.has(entry.manifest))
    .map((entry) => liftEntry(entry, ids.free(entry.manifest.name), undefined));
  const lifted = [...gateways, ...rest];
  return { lifted, raw: without(manifests, lifted) };
}

function without(manifests: readonly Manifest[], lifted: readonly Lifted[]): readonly Manifest[] {
  const taken = new Set(lifted.flatMap((one) => one.replaces));
  return manifests.filter((one) => !taken.has(one));
}

function readEntries(manifests: readonly Manifest[]): readonly Entry[] {
  const uses = new Map<string, number>();
  const own = manifests.filter((one) => one.kind === 'ServiceEntry' && one.group === 'networking.istio.io');
  for (const entry of own)
    for (const host of texts(record(entry.body.spec).hosts)) uses.set(host, (uses.get(host) ?? 0) + 1);
  return own.map((entry) => readEntry(entry, uses)).filter((entry) => entry !== undefined);
}
