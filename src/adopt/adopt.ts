/**
 * Hand-written manifests as TypeScript that synthesizes the same traffic. What a construct says in full is said by it; the rest stays
 * as it is, object by object. The code that is written has been run, and a diff of what it renders finds no change of traffic.
 */
import { diff } from '../diff/diff';
import { canonical } from '../model/canonical';
import { record, text, texts, type Json } from '../model/fields';
import { loadObjects } from '../model/load';
import type { Manifest, Source } from '../model/manifest';
import type { MeshOptions } from '../model/mesh-options';
import { isPlaceholder } from '../model/placeholders';
import { HELM_VALUES } from '../model/recognize';
import { INHERITED_IDS, Names } from './code';
import type { Comments } from './comments';
import { liftEntry, readEntry, type Entry } from './entry';
import { judgeExact } from './exact';
import { liftGateways } from './gateway';
import { liftIngress } from './ingress/lift';
import { leftOver, serversLeft } from './left-over';
import type { Carried, Lifted } from './lifted';
import { partsOf, type Content, type Part, type Split } from './parts';
import type { Patch } from './patches';
import { projectFiles, type ProjectFile } from './project';
import { run, unsayable, type Constructs } from './run';

export interface Adopted {
  readonly files: readonly ProjectFile[];
  /** Objects that constructs say. */
  readonly lifted: number;
  /** The same, each with the fields (JSON pointers) that are patched onto what its construct renders. */
  readonly converted: readonly { readonly manifest: Manifest; readonly patched: readonly string[] }[];
  /** Objects of the mesh and of gateways that stay as they are, each with the reason. */
  readonly kept: readonly { readonly manifest: Manifest; readonly why: string }[];
  /** Objects of the mesh and of gateways that are kept as they are, in TypeScript. */
  readonly raw: number;
  /** Objects of other kinds, and those that code cannot hold: they stay in the YAML where they are. */
  readonly left: readonly Manifest[];
  /** What of the comparison before and after could not be decided. */
  readonly undecided: readonly string[];
  readonly notes: readonly string[];
}

/** One object is said in two ways: two environments, most likely. */
export class TwiceError extends Error {}

/** Why objects are not said by a construct: together with others (a gateway and what passes it), and each alone. */
interface Reasons {
  readonly together: Map<Manifest, string>;
  readonly alone: Map<Manifest, string>;
}

interface Plan {
  readonly lifted: readonly Lifted[];
  readonly raw: readonly Manifest[];
  readonly renders: ReadonlyMap<Lifted, readonly Json[]>;
}

const RESERVED_IDS = ['Raw', ...INHERITED_IDS];
const EDGE_GROUPS =
  /^((networking|security|telemetry|extensions)\.istio\.io|gateway\.networking\.(x-)?k8s\.io|gateway\.envoyproxy\.io)$/;
/** Configuration of a program, which no API server takes. */
const isObject = ({ group, kind }: Manifest): boolean =>
  !(group === 'gateway.envoyproxy.io' && kind === 'EnvoyGateway');

/** Objects that become code. */
const isOurs = (one: Manifest): boolean => (EDGE_GROUPS.test(one.group) && isObject(one)) || one.kind === HELM_VALUES;

/** How the code is laid out. */
export interface Layout {
  /** What charts are made by; one for all if it is not set. */
  readonly split?: Split;
  /** What people wrote beside the objects. */
  readonly comments?: Comments;
  /** Whether it is one of several environments, each in a folder of its own. */
  readonly isEnvironment?: boolean;
}

/** @throws TwiceError where one object is there twice, and not the same */
export function adopt(
  manifests: readonly Manifest[],
  options: MeshOptions,
  constructs: Constructs,
  { split, comments = new Map(), isEnvironment }: Layout = {},
): Adopted {
  const secrets = manifests.filter((one) => one.kind === 'Secret' && one.group === '');
  const kept = once(manifests.filter((one) => !secrets.includes(one)));
  const left = kept.filter((one) => !isOurs(one));
  const reasons: Reasons = { together: new Map(), alone: new Map() };
  const draw = (): Plan => planOf(kept, isOurs, reasons, constructs);
  const { plan, undecided } = sameTraffic(kept, draw(), options, { reasons, plan: draw });
  const objects = plan.raw.filter((one) => isOurs(one) && one.kind !== HELM_VALUES);
  const beyond = unsayable(objects, constructs);
  const raw = objects.filter((one) => !beyond.has(one));
  const values = plan.raw.filter((one) => one.kind === HELM_VALUES);
  const { parts, whole } = inCharts({ lifted: plan.lifted, raw, values }, split, plan, constructs);
  return {
    files: projectFiles(parts, { reasons: reasons.alone, comments }, isEnvironment),
    lifted: plan.lifted.reduce((sum, one) => sum + one.replaces.length, 0),
    converted: plan.lifted.flatMap((one) =>
      one.replaces.map((manifest) => ({ manifest, patched: patchedOf(one, manifest) })),
    ),
    kept: raw.map((manifest) => ({ manifest, why: reasons.alone.get(manifest) ?? '' })),
    raw: plan.raw.length - left.length - beyond.size,
    left: [...left, ...beyond.keys()],
    undecided: undecided.map(({ to, what, why }) => `${to}: ${what}: ${why}`),
    notes: [
      ...(whole === undefined ? [] : [`all is in one chart: ${whole}`]),
      ...secrets.map(
        ({ namespace, name }) =>
          `Secret ${namespace}/${name} is left out: what it holds does not belong in source code; create it from your secret store`,
      ),
      ...[...beyond].map(([one, why]) => `${nameOf(one)} stays in YAML: ${why}`),
      ...plan.raw.flatMap((one) => {
        const why = beyond.has(one) ? undefined : reasons.alone.get(one);
        return why === undefined ? [] : [`${nameOf(one)} is kept as it is: ${why}`];
      }),
      ...plan.lifted.flatMap(({ replaces: [one] }) => {
        const why = one && reasons.together.get(one);
        return one === undefined || why === undefined
          ? []
          : [`${nameOf(one)} is converted by itself, and not with what belongs to it: ${why}`];
      }),
    ],
  };
}

/** The charts, run as they are laid out; one, with the reason, where several would not render the same. */
function inCharts(
  content: Content,
  split: Split | undefined,
  { renders }: Plan,
  constructs: Constructs,
): { readonly parts: readonly Part[]; readonly whole?: string } {
  const parts = partsOf(content, split);
  if (parts.length === 1) return { parts };
  // What is made elsewhere is named in each chart that needs it.
  const copies = new Map(parts.flatMap(({ name, lifted }) => lifted.map((one) => [{ ...one }, { one, name }])));
  const outcome = run([...copies.keys()], constructs, (copy) => copies.get(copy)?.name ?? '');
  const [refusal] = outcome.refused.values();
  const differs = [...copies].find(([copy, { one }]) => canonical(outcome.renders.get(copy)) !== canonical(renders.get(one))); // prettier-ignore
  if (refusal === undefined && differs === undefined) return { parts };
  const [odd] = differs?.[1].one.replaces ?? [];
  const why =
    refusal ?? `by itself, what stands for ${odd === undefined ? 'an object' : nameOf(odd)} renders otherwise`;
  return { parts: partsOf(content, undefined), whole: why };
}

function patchedOf({ patches = [], carried }: Lifted, { kind, namespace, name }: Manifest): readonly string[] {
  const own = carried.filter((one) => one.kind === kind && one.namespace === namespace && one.name === name);
  return [...patches.map(({ path }) => path), ...own.map(({ pointer }) => pointer)];
}

/** What decides about requests, of kinds that stay in YAML. */
const isFollowed = ({ group, kind }: Manifest): boolean =>
  group === 'apps' || group === 'networking.k8s.io' || (group === '' && /^(Service|Namespace|Pod)$/.test(kind));

/** Whether a name is known: `${APP}` stands for several. */
const isNamed = ({ namespace, name }: Manifest): boolean => !isPlaceholder(name) && !isPlaceholder(namespace);

/** Each object once, as an API server has it. */
function once(manifests: readonly Manifest[]): readonly Manifest[] {
  const seen = new Map<string, Manifest>();
  const twice: string[] = [];
  const others: Manifest[] = [];
  for (const one of manifests) {
    const key =
      one.kind === HELM_VALUES ? `values ${seen.size}` : [one.group, one.kind, one.namespace, one.name].join('\n');
    const other = seen.get(key);
    if (other === undefined) seen.set(key, one);
    else if (canonical(other.body) === canonical(one.body)) continue;
    else if (!isOurs(one) && !(isFollowed(one) && isNamed(one))) others.push(one);
    else twice.push(`${nameOf(one)} is in ${placeOf(other.source)} and otherwise in ${placeOf(one.source)}`);
  }
  if (twice.length > 0)
    throw new TwiceError(
      `${twice.join('\n')}\nan app has each object once: name the folder of each environment, and say --environments`,
    );
  return [...seen.values(), ...others];
}

const placeOf = ({ file, line }: Source): string => `${file ?? 'the input'}${line === undefined ? '' : `:${line}`}`;

/** All that constructs take. What they refuse at synth, and what would lose a field, stays as it is, with the reason. */
function planOf(
  kept: readonly Manifest[],
  isOurs: (one: Manifest) => boolean,
  reasons: Reasons,
  constructs: Constructs,
): Plan {
  const carried = new Map<string, readonly Carried[]>();
  const patches = new Map<string, readonly Patch[]>();
  for (;;) {
    const known = carried.size + patches.size;
    const plan = draft(kept, reasons, { carried, patches });
    const { refused, renders, skipped } = run(plan.lifted, constructs);
    const kicked = new Map(refused);
    for (const one of plan.lifted) {
      if (kicked.has(one) || skipped.has(one)) continue;
      if (one.isExact === true) {
        const judged = judgeExact(one, renders.get(one) ?? []);
        if (judged.loss !== undefined) kicked.set(one, judged.loss);
        else if (judged.patches.length > 0) patches.set(keyOf(one), judged.patches);
        continue;
      }
      const { loss, more } = lossOf(one, renders.get(one) ?? []);
      if (loss !== undefined) kicked.set(one, loss);
      else if (more.length > 0) carried.set(keyOf(one), [...(carried.get(keyOf(one)) ?? []), ...more]);
    }
    if (kicked.size === 0 && carried.size + patches.size === known) {
      for (const one of plan.raw)
        if (isOurs(one) && !reasons.alone.has(one))
          reasons.alone.set(one, reasons.together.get(one) ?? noConstruct(one));
      return { ...plan, renders };
    }
    keepAsTheyAre(kicked, plan.lifted, reasons);
    // What a gateway renders hangs on the routes that are attached to it: its patches are those of another plan now.
    if (kicked.size > 0) patches.clear();
  }
}

/** The entries of a gateway whose routes stay can still be said by themselves; what names a gateway that cannot be named stays. */
function keepAsTheyAre(kicked: ReadonlyMap<Lifted, string>, all: readonly Lifted[], reasons: Reasons): void {
  for (const [{ replaces: own, provides = '', isExact = false }, why] of kicked) {
    const replaces = own.length > 0 ? own : all.filter(({ uses = [] }) => uses.includes(provides)).flatMap((one) => one.replaces); // prettier-ignore
    const kept = isExact || own.length === 0 ? reasons.alone : reasons.together;
    for (const one of replaces) if (isExact || one.kind !== 'ServiceEntry' || replaces.length === 1) kept.set(one, why);
  }
}

function noConstruct({ kind }: Manifest): string {
  return `no construct is for ${kind}`;
}

/** What is added to what constructs render, by the objects that they stand for. */
interface Additions {
  readonly carried: ReadonlyMap<string, readonly Carried[]>;
  readonly patches: ReadonlyMap<string, readonly Patch[]>;
}

/** What constructs are to say, but for the objects that have a reason to stay as they are. */
function draft(kept: readonly Manifest[], reasons: Reasons, { carried, patches }: Additions): Omit<Plan, 'renders'> {
  const entries = readEntries(kept).filter(({ manifest }) => !reasons.together.has(manifest));
  const names = { ids: new Names(RESERVED_IDS), variables: new Names() };
  const all = liftGateways(kept, entries, names);
  const gateways = all.filter(({ replaces }) => replaces.every((one) => !reasons.together.has(one)));
  const taken = new Set(gateways.flatMap((one) => one.replaces));
  const byThemselves = entries
    .filter((entry) => !taken.has(entry.manifest))
    .map((entry) => liftEntry(entry, names.ids.free(entry.manifest.name), undefined, names.variables));
  for (const one of byThemselves) for (const manifest of one.replaces) taken.add(manifest);
  const ingress = liftIngress(kept, taken, reasons.alone, names);
  const lifted = [...gateways, ...byThemselves, ...ingress].map((one) => ({
    ...one,
    carried: carried.get(keyOf(one)) ?? [],
    patches: patches.get(keyOf(one)),
  }));
  return { lifted, raw: without(kept, lifted) };
}

/**
 * Objects whose constructs change traffic stay as they are: first each that does alone, then all. What is rendered field by field as it was written is the
 * same object.
 */
function sameTraffic(kept: readonly Manifest[], first: Plan, options: MeshOptions, again: Again): Same {
  const { reasons } = again;
  for (let plan = first; ; plan = again.plan()) {
    const loose = plan.lifted.filter((one) => one.isExact !== true);
    const { changes, undecided } = compare(kept, plan, options);
    if (loose.length === 0 || changes.length === 0) return { plan, undecided };
    const bad = guilty(loose, (some) => isSame(kept, { ...plan, lifted: some, raw: without(kept, some) }, options));
    for (const manifest of (bad.length > 0 ? bad : loose).flatMap((one) => one.replaces))
      reasons.together.set(manifest, 'what the construct renders would change traffic');
  }
}

/** Those that change traffic without the others, found half by half: most change nothing, however many there are. */
function guilty(some: readonly Lifted[], changesNothing: (some: readonly Lifted[]) => boolean): readonly Lifted[] {
  const middle = Math.ceil(some.length / 2);
  const halves = [some.slice(0, middle), some.slice(middle)].filter((half) => half.length > 0);
  if (halves.length === 1) return some.length === 1 && !changesNothing(some) ? some : [];
  return halves.filter((half) => !changesNothing(half)).flatMap((half) => (half.length === 1 ? half : guilty(half, changesNothing))); // prettier-ignore
}

/** A plan that changes no traffic, and what could not be decided of that. */
interface Same {
  readonly plan: Plan;
  readonly undecided: ReturnType<typeof diff>['undecided'];
}

interface Again {
  readonly reasons: Reasons;
  /** A plan without what has a reason by now. */
  readonly plan: () => Plan;
}

function compare(
  kept: readonly Manifest[],
  { lifted, raw, renders }: Plan,
  options: MeshOptions,
): ReturnType<typeof diff> {
  const rendered = [...lifted.flatMap((one) => renders.get(one) ?? []), ...raw.map((one) => record(one.body))];
  return diff(kept, loadObjects(rendered).manifests, { mesh: options });
}

function isSame(kept: readonly Manifest[], plan: Plan, options: MeshOptions): boolean {
  return compare(kept, plan, options).changes.length === 0;
}

function nameOf({ kind, namespace, name }: Manifest): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
}

const keyOf = ({ replaces }: Lifted): string => replaces.map(nameOf).join('\n');

/** Fields that would be lost: those that can be added to what is rendered, or why the group stays as it is. */
function lossOf(
  { replaces, carried }: Lifted,
  renders: readonly Json[],
): { readonly loss?: string; readonly more: readonly Carried[] } {
  const gateways = replaces.filter(({ kind }) => kind === 'Gateway');
  const servers = serversLeft(
    gateways,
    renders.filter(({ kind }) => kind === 'Gateway'),
  );
  for (const [gateway, why] of servers) return { loss: `of ${nameOf(gateway)}, ${why}`, more: [] };
  const more: Carried[] = [];
  for (const one of replaces) {
    const rendered = counterpart(one, renders);
    const left = leftOver(one, rendered);
    const fields = one.kind === 'Gateway' ? left.filter(({ field }) => field.startsWith('metadata.')) : left;
    const { name, namespace } = record(rendered.metadata);
    // What was merged with another object, or stays missing when it is added, is no field of what is rendered.
    const isSelf = name === one.name && text(namespace) === one.namespace && carried.length === 0;
    const lost = fields.filter(({ pointer }) => pointer === undefined || !isSelf);
    if (lost.length > 0)
      return {
        loss: `no construct says ${[...new Set(lost.map(({ field }) => field))].join(', ')} of ${nameOf(one)}`,
        more: [],
      };
    for (const { pointer = '', value } of fields)
      more.push({ kind: one.kind, namespace: one.namespace, name: one.name, pointer, value });
  }
  return { more };
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
