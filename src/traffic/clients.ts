/**
 * Client classes: all the workloads of a mesh, grouped so that no object of either set tells the members of a class apart.
 * One member stands for its class, so the number of traces grows with what objects distinguish and not with Pods.
 */
import { contains } from '../model/addresses';
import { canonical } from '../model/canonical';
import { labelsMatch, optionalRecord, strings } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { DATAPLANE_MODE } from '../model/injection';
import { REVISION_LABEL } from '../model/revisions';
import { selects } from '../model/selectors';
import { isNeverInjected, type Workload } from '../model/workloads';
import type { TraceRequest } from '../trace/types';
import { distinctions, type Distinctions, type Selection } from './distinctions';
import { admittedElsewhere } from './admitted';
import { callsOthers, isOfControlPlane, mayHoldAnyone } from './who-calls';

export interface Member {
  readonly namespace: string;
  /** A workload, `app=x` for Pods that only labels tell of, `sa=x`; null for the rest of the namespace. */
  readonly name: string | null;
}

export interface ClientClass {
  readonly index: number;
  /** Empty for a client outside. */
  readonly namespace: string;
  readonly request: Pick<TraceRequest, 'from' | 'labels' | 'serviceAccount' | 'at'>;
  readonly members: readonly Member[];
  /** Every namespace with a member. */
  readonly namespaces: ReadonlySet<string>;
  /** `NAMESPACE/GATEWAY` of a client outside. */
  readonly at: string | undefined;
  /** Other names of that Gateway before a change. */
  readonly before?: readonly string[];
  /** Behaves as namespaces that no manifest names, but for hosts that objects of its own namespace are about. */
  readonly likeElsewhere: boolean;
  /** Stands for namespaces that no manifest names. */
  readonly isElsewhere: boolean;
  /** Its namespace is one that no manifest names: the name stands for all of those. */
  readonly isUnnamed?: boolean;
  /** Stands for workloads without a proxy, which speak plain text and have no identity. */
  readonly isBare?: boolean;
}

type Labels = Readonly<Record<string, string>>;

/** Labels by which a namespace has the Pods in it become part of the mesh. */
const ENROLS = ['istio-injection', 'istio.io/rev', DATAPLANE_MODE];
const CAPTURE =
  /^ambient\.istio\.io\/(bypass-inbound|dns)-capture$|^(traffic\.)?sidecar\.istio\.io\/|^proxy\.istio\.io\/|^istio\.io\/|^inject\.istio\.io\//;

interface Draft {
  readonly key: string;
  readonly member: Member;
  readonly request: ClientClass['request'];
  /** Nothing but its namespace sets it apart. */
  readonly isPlain: boolean;
}

/** @param withBare whether to have workloads without a proxy, who are told apart by what servers demand of their callers */
export function clientClasses(was: Mesh, is: Mesh, withBare = false): readonly ClientClass[] {
  const meshes = [was, is];
  const told = distinctions(meshes);
  const drafts = new Map<string, Draft[]>();
  const add = (draft: Draft): void => {
    const group = drafts.get(draft.key);
    if (group === undefined) drafts.set(draft.key, [draft]);
    else if (
      !group.some((one) => one.member.namespace === draft.member.namespace && one.member.name === draft.member.name)
    )
      group.push(draft);
  };
  const inhabited = clientNamespaces(meshes, told);
  for (const namespace of inhabited) for (const draft of draftsOf(namespace, meshes, told)) add(draft);
  for (const { namespace, name, request } of admittedElsewhere(meshes, told, new Set(inhabited)))
    add({ key: `admitted ${namespace} ${name}`, member: { namespace, name }, request, isPlain: false });
  const classes: ClientClass[] = [];
  for (const group of [...drafts.values()].flatMap((group) => represented(group, meshes))) {
    const [first] = group;
    if (first === undefined) continue;
    classes.push({
      index: classes.length,
      namespace: first.member.namespace,
      request: first.request,
      members: group.map((draft) => draft.member),
      namespaces: new Set(group.map((draft) => draft.member.namespace)),
      at: undefined,
      likeElsewhere: group.every(
        (draft) =>
          draft.isPlain && told.owners.has(draft.member.namespace) && !told.namespaces.has(draft.member.namespace),
      ),
      isElsewhere: false,
    });
  }
  const elsewhere = unusedName(meshes);
  const unshown = elsewhereDrafts(elsewhere, told);
  for (const { name, request } of isAmbientAlone(meshes) ? unshown.map(enrolled) : unshown)
    classes.push({
      index: classes.length,
      namespace: elsewhere,
      request,
      members: [{ namespace: elsewhere, name }],
      namespaces: new Set([elsewhere]),
      at: undefined,
      likeElsewhere: false,
      isElsewhere: name === null,
      isUnnamed: true,
    });
  if (withBare)
    classes.push({
      index: classes.length,
      namespace: elsewhere,
      request: { from: elsewhere, labels: { 'sidecar.istio.io/inject': 'false' } },
      members: [{ namespace: elsewhere, name: null }],
      namespaces: new Set([elsewhere]),
      at: undefined,
      likeElsewhere: false,
      isElsewhere: false,
      isBare: true,
    });
  for (const at of entrances(meshes)) {
    classes.push({
      index: classes.length,
      namespace: '',
      request: { from: 'outside', at },
      members: [{ namespace: '', name: at }],
      namespaces: new Set(['']),
      at,
      likeElsewhere: false,
      isElsewhere: false,
    });
  }
  return classes;
}

/**
 * One member stands for its class, and what calls itself fares otherwise than who calls others. So it is one that no Service leads
 * to; where there is none, two stand for the class.
 */
function represented(group: readonly Draft[], meshes: readonly Mesh[]): readonly (readonly Draft[])[] {
  const serves = ({ member: { namespace, name } }: Draft): boolean =>
    meshes.some((mesh) => {
      const labels = name === null ? undefined : mesh.workloads.called(namespace, name)?.labels;
      return labels !== undefined && mesh.services.inNamespace(namespace).some(({ selector }) => Object.keys(selector).length > 0 && labelsMatch(selector, labels)); // prettier-ignore
    });
  const at = group.findIndex((draft) => !serves(draft));
  const [first, ...others] = group;
  if (at === 0 || first === undefined || others.length === 0) return [group];
  const plain = group[at];
  return plain === undefined ? [[first], others] : [[plain, ...group.filter((draft) => draft !== plain)]];
}

/** Whether manifests show ambient namespaces and no sidecar: those that they do not show are ambient too, then. */
export function isAmbientAlone(meshes: readonly Mesh[]): boolean {
  return meshes.every((mesh) => {
    const shown = [...mesh.namespaces.keys()].map((namespace) => mesh.membershipIn(namespace));
    return shown.includes('ztunnel') && !shown.includes('sidecar') && !mesh.workloads.all.some(({ membership }) => membership === 'sidecar'); // prettier-ignore
  });
}

function enrolled<Client extends { readonly request: ClientClass['request'] }>(client: Client): Client {
  const { request } = client;
  return { ...client, request: { ...request, labels: { ...request.labels, [DATAPLANE_MODE]: 'ambient' } } };
}

function unusedName(meshes: readonly Mesh[]): string {
  let name = 'other-namespace';
  while (meshes.some((mesh) => mesh.shows(name) || mesh.manifests.some((manifest) => manifest.namespace === name)))
    name = `${name}-x`;
  return name;
}

/** Where clients may be: namespaces with workloads, injected ones, and those that objects name; not those of gateways alone. */
function clientNamespaces(meshes: readonly Mesh[], told: Distinctions): readonly string[] {
  const names = new Set<string>();
  for (const mesh of meshes) {
    for (const namespace of mesh.workloads.namespaces()) names.add(namespace);
    for (const [name, info] of mesh.namespaces)
      if (ENROLS.some((label) => info.labels[label] !== undefined && info.labels[label] !== 'disabled'))
        names.add(name);
  }
  for (const name of [...told.namespaces, ...told.owners]) names.add(name);
  // Namespaces that manifests show are named by something else, or not: of those that fit a pattern, others fare by it alone.
  for (const name of familyNames([...told.namespacePatterns])) names.add(name);
  return [...names]
    .filter((name) => {
      if (isNeverInjected(name)) return false;
      return (
        meshes.some((mesh) => mesh.workloads.inNamespace(name).some(callsOthers)) ||
        mayHoldAnyone(meshes, name) ||
        (!isOfControlPlane(meshes, name) && isEnrolledAnew(name, meshes))
      );
    })
    .sort();
}

/** Whether what Pods without labels of their own become there has changed. */
function isEnrolledAnew(namespace: string, meshes: readonly Mesh[]): boolean {
  return new Set(meshes.map((mesh) => mesh.membershipIn(namespace))).size > 1;
}

const isNoWaypoint = ({ membership }: Workload): boolean => membership !== 'waypoint';

/** Whether some mesh has no other use for the workload than as a client, and none has it and does not run it. */
function isClientIn(meshes: readonly Mesh[], { namespace, name }: Workload): boolean {
  const sides = meshes.map((mesh) => mesh.workloads.allNamed(namespace, name)).filter(({ length }) => length > 0);
  return sides.some((side) => side.every(callsOthers)) && sides.flat().every(({ runs }) => runs);
}

/** A live Pod goes by its controller, which outlives it, unless it is in the mesh otherwise than what that name stands for. */
function clientName(mesh: Mesh, { namespace, name, kind, controller, membership, serviceAccount }: Workload): string {
  if (kind !== 'Pod' || controller === undefined) return name;
  const known = mesh.workloads.called(namespace, controller);
  return known?.membership === membership && known.serviceAccount === serviceAccount ? controller : name;
}

function draftsOf(namespace: string, meshes: readonly Mesh[], told: Distinctions): readonly Draft[] {
  const place = placeKey(namespace, meshes, told);
  const workloads = new Map<string, Workload>();
  for (const mesh of meshes)
    for (const workload of mesh.workloads.inNamespace(namespace))
      if (workload.manifest !== undefined && isClientIn(meshes, workload))
        workloads.set(clientName(mesh, workload), workload);
  const drafts: Draft[] = [];
  for (const [name, workload] of workloads) {
    const versions = meshes.map((mesh) => mesh.workloads.called(namespace, name));
    const isAnother =
      new Set(versions.map((version) => version?.serviceAccount).filter((one) => one !== undefined)).size > 1;
    const facts = versions.map((version) => (version === undefined ? null : factsOf(version, told, isAnother)));
    const missing = versions.includes(undefined);
    drafts.push({
      key: `${place} ${canonical(facts[0] === null ? [facts[1], facts[1]] : facts[1] === null ? [facts[0], facts[0]] : facts)}`,
      member: { namespace, name },
      request: missing
        ? { from: `${namespace}/${name}`, labels: workload.labels, serviceAccount: workload.serviceAccount }
        : { from: `${namespace}/${name}` },
      isPlain: facts.every((one) => one === null || isPlain(one)),
    });
  }
  const isGatewaySelector = (labels: Labels): boolean =>
    meshes.some((mesh) =>
      mesh.workloads.inNamespace(namespace).some((one) => !callsOthers(one) && labelsMatch(labels, one.labels)),
    );
  // Pods that manifests show are what they show; labels that none of them has are of Pods that live elsewhere.
  const isAbout = ({ namespaces }: Pick<Selection, 'namespaces'>): boolean =>
    namespaces === 'all' || namespaces.has(namespace);
  const unshown = told.lacking
    .filter(isAbout)
    .filter(({ selector }) => ![...workloads.values()].some((workload) => selects(selector, workload.labels)))
    .map(({ labels }) => labels);
  const named = labelSets([
    ...told.selections
      .filter(isAbout)
      .map(({ labels }) => labels)
      .filter((labels) => ![...workloads.values()].some((workload) => labelsMatch(labels, workload.labels)))
      .filter((labels) => !isGatewaySelector(labels)),
    ...unshown.filter((labels) => Object.keys(labels).length > 0),
  ]);
  for (const labels of named) {
    drafts.push({
      key: `${place} ${canonical({ labels })}`,
      member: { namespace, name: labelText(labels) },
      request: { from: namespace, labels },
      isPlain: false,
    });
  }
  // Pods of a waypoint call nobody by themselves, and istiod makes their account for them.
  const waypoints = meshes.flatMap((mesh) => mesh.workloads.inNamespace(namespace)).filter((one) => !isNoWaypoint(one));
  const shown = [...workloads.values(), ...waypoints].map((workload) => workload.serviceAccount);
  const patterns = told.accounts.map(({ name }) => name).filter(isPattern);
  for (const account of told.accounts) {
    if (account.namespace !== '*' && account.namespace !== namespace) continue;
    const serviceAccount = standIn(account.name, patterns);
    if (!isPattern(account.name) && shown.includes(account.name)) continue;
    drafts.push({
      key: `${place} sa ${account.name}`,
      member: { namespace, name: `serviceaccount=${account.name}` },
      request: { from: namespace, serviceAccount },
      isPlain: false,
    });
    for (const labels of named) {
      drafts.push({
        key: `${place} sa ${account.name} ${canonical(labels)}`,
        member: { namespace, name: `${labelText(labels)},serviceaccount=${account.name}` },
        request: { from: namespace, serviceAccount, labels },
        isPlain: false,
      });
    }
  }
  const hasGateways = meshes.some((mesh) => mesh.workloads.inNamespace(namespace).filter(isNoWaypoint).some((one) => !callsOthers(one))); // prettier-ignore
  const isRestSelected = unshown.some((labels) => Object.keys(labels).length === 0);
  if (
    isRestSelected ||
    isRestApart(namespace, [...workloads.values()], told) ||
    (workloads.size === 0 && (!hasGateways || isEnrolledAnew(namespace, meshes)))
  ) {
    drafts.push({
      key: `${place} rest`,
      member: { namespace, name: null },
      request: { from: namespace },
      isPlain: meshes.every((mesh) => mesh.membershipIn(namespace) === 'sidecar'),
    });
  }
  return drafts;
}

/**
 * Whether Pods of a namespace that no manifest shows may fare as none does that is shown: no selector chooses them, and nobody names their
 * account.
 */
function isRestApart(namespace: string, shown: readonly Workload[], told: Distinctions): boolean {
  const selectors = [namespace, '*'].flatMap((one) => told.selectors.get(one) ?? []);
  const chosen = (labels: Labels): string => selectors.map((selector) => Number(selects(selector, labels))).join('');
  const rest = chosen({});
  return (
    shown.length > 0 &&
    shown.every((workload) => factsOf(workload, told, false).account !== '' || chosen(workload.labels) !== rest)
  );
}

/** What policies and routes ask of workloads anywhere, in a namespace that nothing names. */
function elsewhereDrafts(
  namespace: string,
  told: Distinctions,
): readonly { readonly name: string | null; readonly request: ClientClass['request'] }[] {
  const patterns = told.accounts.map(({ name }) => name).filter(isPattern);
  const everywhere = told.selections.filter(({ namespaces }) => namespaces === 'all').map(({ labels }) => labels);
  return [
    { name: null, request: { from: namespace } },
    ...labelSets(everywhere).map((labels) => ({ name: labelText(labels), request: { from: namespace, labels } })),
    ...told.accounts
      .filter((account) => account.namespace === '*')
      .map(({ name }) => ({
        name: `serviceaccount=${name}`,
        request: { from: namespace, serviceAccount: standIn(name, patterns) },
      })),
  ];
}

/** One Pod may have the labels of several selectors: their unions are told apart too, up to a number that only odd meshes reach. */
const MAX_UNIONS = 48;

function labelSets(selectors: readonly Labels[]): readonly Labels[] {
  const sets = new Map(selectors.map((labels) => [canonical(labels), labels]));
  let open = [...sets.values()];
  while (open.length > 0 && sets.size < MAX_UNIONS) {
    const next: Labels[] = [];
    for (const a of open) {
      for (const b of selectors) {
        const union = { ...a, ...b };
        const key = canonical(union);
        if (!labelsMatch(a, union) || sets.has(key) || sets.size >= MAX_UNIONS) continue;
        sets.set(key, union);
        next.push(union);
      }
    }
    open = next;
  }
  return [...sets.values()];
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

const isPattern = (name: string): boolean => /^\*|\*$/.test(name);
/** What may stand for a `*`. */
const ANYTHING = ['any', 'other', 'else', 'x', '0'];

/** A name that `prefix*` or `*suffix` stands for, and as few of the other patterns as may be. */
function standIn(pattern: string, patterns: readonly string[]): string {
  const isSuffix = pattern.startsWith('*');
  const others = (name: string): number => patterns.filter((other) => fits(other, name)).length;
  const [first = pattern, ...rest] = ANYTHING.map((word) => pattern.replace('*', isSuffix ? `${word}-` : word));
  return rest.reduce((best, name) => (others(name) < others(best) ? name : best), first);
}

/** A name for each pattern, and for each prefix together with each suffix. */
function familyNames(patterns: readonly string[]): readonly string[] {
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*'));
  const suffixes = patterns.filter((pattern) => pattern.startsWith('*'));
  const both = prefixes.flatMap((prefix) => suffixes.map((suffix) => `${prefix.slice(0, -1)}any-${suffix.slice(1)}`));
  return [...patterns.map((pattern) => standIn(pattern, patterns)), ...both.slice(0, MAX_UNIONS)];
}

/** As policies compare names: `*`, `prefix*`, `*suffix`, or the whole. */
function fits(pattern: string, name: string): boolean {
  if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
  return pattern === name;
}

/** Namespaces that nothing names behave as one, if they are injected alike. */
function placeKey(namespace: string, meshes: readonly Mesh[], told: Distinctions): string {
  const isNamed =
    told.namespaces.has(namespace) || [...told.namespacePatterns].some((pattern) => fits(pattern, namespace));
  if (isNamed) return `named ${namespace}`;
  if (told.owners.has(namespace)) return `owner ${namespace}`;
  const labels = meshes.map((mesh) => {
    const own = mesh.namespaces.get(namespace)?.labels;
    if (own === undefined) return null;
    if (told.namespaceLabels) return own;
    return Object.fromEntries(Object.entries(own).filter(([key]) => /istio/.test(key)));
  });
  return `plain ${canonical(labels)}`;
}

interface Facts {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly account: string;
  readonly membership: Workload['membership'];
  /** Blocks of policies that its address is in. */
  readonly blocks: readonly string[];
  /** Whether its sidecar sees nothing of what it sends. */
  readonly runsAsProxy: boolean;
}

function isPlain({ labels, annotations, account, membership, blocks, runsAsProxy }: Facts): boolean {
  return (
    !runsAsProxy &&
    blocks.length === 0 &&
    Object.keys(labels).length === 0 &&
    Object.keys(annotations).length === 0 &&
    account === '' &&
    membership === 'sidecar'
  );
}

/** `isAnother`: its account is one in the one set of manifests and another in the other, which its peers see. */
function factsOf(workload: Workload, told: Distinctions, isAnother: boolean): Facts {
  const labels = Object.fromEntries(
    Object.entries(workload.labels).filter(([key, value]) => {
      const values = told.labels.get(key);
      return values === null || key === REVISION_LABEL || (values?.has(value) ?? false);
    }),
  );
  const annotations = Object.fromEntries(Object.entries(workload.annotations).filter(([key]) => CAPTURE.test(key)));
  const isNamed = told.accounts.some(
    ({ namespace, name }) =>
      (namespace === '*' || namespace === workload.namespace) && fits(name, workload.serviceAccount),
  );
  const account = isNamed || isAnother ? workload.serviceAccount : '';
  const blocks = [...told.blocks].filter((block) => workload.addresses.some((address) => contains(block, address)));
  const runsAsProxy = workload.runsAsProxy?.isAll === true;
  return { labels, annotations, account, membership: workload.membership, blocks, runsAsProxy };
}

/** Gateways at which clients from outside enter: all but those that the mesh's own routes send to. */
export function entrances(meshes: readonly Mesh[]): readonly string[] {
  const names = new Set<string>();
  for (const mesh of meshes) {
    const inner = innerHosts(mesh);
    const known = new Map<string, boolean>();
    const isInner = (selector: Readonly<Record<string, string>>): boolean =>
      mesh.workloads.all
        .filter((workload) => workload.membership === 'gateway' && labelsMatch(selector, workload.labels))
        .some((pod) =>
          mesh
            .serviceTargets({ type: 'gateway', namespace: pod.namespace, labels: pod.labels, addresses: [] })
            .some((target) => inner.has(target.serviceHost)),
        );
    for (const gateway of [...mesh.gateways, ...mesh.ingresses]) {
      const selector = strings(optionalRecord(gateway.spec.selector));
      if (Object.values(selector).some((value) => /egress/i.test(value))) continue;
      const key = canonical(selector);
      const own = known.get(key) ?? isInner(selector);
      known.set(key, own);
      if (!own) names.add(`${gateway.namespace}/${gateway.name}`);
    }
    for (const gateway of mesh.of('gateway.networking.k8s.io', 'Gateway')) {
      const className = String(
        (gateway.body as { spec?: { gatewayClassName?: unknown } }).spec?.gatewayClassName ?? '',
      );
      if (!/waypoint/.test(className)) names.add(`${gateway.namespace}/${gateway.name}`);
    }
  }
  return [...names].sort();
}

/** Hosts that rules for sidecars send to. */
function innerHosts(mesh: Mesh): ReadonlySet<string> {
  const hosts = new Set<string>();
  for (const route of mesh.virtualServices.all) {
    if (!route.gateways.includes('mesh')) continue;
    for (const rule of [...route.http, ...route.tls, ...route.tcp]) for (const one of rule.route) hosts.add(one.host);
  }
  return hosts;
}
