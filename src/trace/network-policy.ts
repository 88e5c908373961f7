import { contains, hasAddressesOfPods, hasThePublicInternet, isAddress, isLoopback } from '../model/addresses';
import { list, number, optionalRecord, record, records, strings, text, texts, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { config, push, type Config } from '../model/objects';
import { selects } from '../model/selectors';
import type { Workload } from '../model/workloads';
import type { Supposed } from './ask';
import { gap, type Gap } from './notes';
import type { Reason } from './reasons';
import type { Decision } from './types';
import { addressOwner, type Flight } from './walk';

export type NetworkVerdict =
  | { readonly is: 'allowed' }
  | { readonly is: 'denied'; readonly reason: Reason; readonly by: Decision | null }
  | { readonly is: 'unknown'; readonly why: Gap };

type Truth = boolean | 'unknown';

/** The other end of a connection as a NetworkPolicy may describe it: in the network of its node it is no Pod to any. */
interface Party {
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly address: string | null;
  readonly isPod: boolean;
  readonly onNode: boolean;
  readonly name: string;
  /** Whose address it is, where it is one that may be supposed: what a name outside resolves to is explored by itself. */
  readonly owner?: string;
}

const NAME = 'kubernetes.io/metadata.name';

/** Of a namespace that no manifest shows the name is known, and no other label. */
function selectsNamespace(mesh: Mesh, selector: Json, namespace: string, supposed: Supposed | undefined): Truth {
  const shown = mesh.namespaces.get(namespace)?.labels;
  if (shown !== undefined) return selects(selector, { [NAME]: namespace, ...shown });
  const known: Json = {
    matchLabels: Object.fromEntries(Object.entries(strings(selector.matchLabels)).filter(([key]) => key === NAME)),
    matchExpressions: records(selector.matchExpressions).filter(({ key }) => key === NAME),
  };
  if (!selects(known, { [NAME]: namespace })) return false;
  const keys = [
    ...Object.keys(strings(selector.matchLabels)),
    ...records(selector.matchExpressions).map(({ key }) => key),
  ];
  if (keys.every((key) => key === NAME)) return true;
  return supposed === undefined ? 'unknown' : supposedToSelect(selector, namespace, supposed);
}

/** The same where it is supposed which labels the namespace has. */
function supposedToSelect(selector: Json, namespace: string, supposed: Supposed): boolean {
  const has = (key: string): boolean => supposed.isSo(`namespace ${namespace} has a label ${key}`);
  const is = (key: string, value: string): boolean =>
    supposed.isSo(`namespace ${namespace} has the label ${key}=${value}`);
  const isMet = ({ key, operator, values }: Json): boolean => {
    const name = text(key);
    if (operator === 'In') return texts(values).some((value) => is(name, value));
    if (operator === 'NotIn') return !texts(values).some((value) => is(name, value));
    return (operator === 'Exists') === has(name);
  };
  const wanted = Object.entries(strings(selector.matchLabels)).filter(([key]) => key !== NAME);
  return (
    wanted.every(([key, value]) => is(key, value)) &&
    records(selector.matchExpressions)
      .filter(({ key }) => key !== NAME)
      .every(isMet)
  );
}

/** Both hold; a part that is not known leaves open what the other does not settle. */
function both(one: Truth, other: () => boolean): Truth {
  return one === false || !other() ? false : one;
}

function blockMatches(block: Json, party: Party, supposed: Supposed | undefined): Truth {
  const cidr = text(block.cidr);
  const except = texts(block.except);
  if (party.address === null || !isAddress(party.address)) {
    // Nothing shows the address: that of a Pod is private, and that of a host outside is public, unless --address says another.
    const isInside = party.isPod || party.onNode;
    const known = isInside ? hasAddressesOfPods(cidr, except) : hasThePublicInternet(cidr, except) || undefined;
    if (known !== undefined || supposed === undefined || party.owner === undefined) return known ?? 'unknown';
    return supposed.isWithin(party.owner, cidr, except);
  }
  return contains(cidr, party.address) && !except.some((range) => contains(range, party.address ?? ''));
}

function blockText({ cidr, except }: Json): string {
  const left = texts(except);
  return `${text(cidr)}${left.length === 0 ? '' : ` except ${[...left].sort().join(', ')}`}`;
}

function peerMatches(
  mesh: Mesh,
  policyNamespace: string,
  peer: Json,
  party: Party,
  supposed: Supposed | undefined,
): Truth {
  const block = optionalRecord(peer.ipBlock);
  if (block !== undefined) return blockMatches(block, party, supposed);
  if (!party.isPod || party.namespace === undefined) return false;
  const namespaces = optionalRecord(peer.namespaceSelector);
  const pods = optionalRecord(peer.podSelector);
  const inNamespace =
    namespaces === undefined
      ? party.namespace === policyNamespace
      : selectsNamespace(mesh, namespaces, party.namespace, supposed);
  return both(inNamespace, () => pods === undefined || selects(pods, party.labels));
}

export function portMatches(entry: Json, port: number, named: ReadonlyMap<string, number>): boolean {
  if ((text(entry.protocol) || 'TCP') !== 'TCP') return false;
  if (entry.port === undefined || entry.port === null) return true;
  if (typeof entry.port === 'string' && !/^\d+$/.test(entry.port)) return named.get(entry.port) === port;
  const first = number(entry.port);
  return entry.endPort === undefined ? first === port : port >= first && port <= number(entry.endPort);
}

function policiesOf(mesh: Mesh, namespace: string): readonly Config[] {
  const index = mesh.remember(mesh, 'network policies', () => {
    const byNamespace = new Map<string, Config[]>();
    for (const policy of mesh.of('networking.k8s.io', 'NetworkPolicy').map(config))
      push(byNamespace, policy.namespace, policy);
    return byNamespace;
  });
  return index.get(namespace) ?? [];
}

function isolates(policy: Config, direction: 'Ingress' | 'Egress'): boolean {
  const types = texts(policy.spec.policyTypes);
  if (types.length > 0) return types.includes(direction);
  // As the API server fills it in: an empty list of egress rules is as good as none.
  return direction === 'Ingress' || list(policy.spec.egress).length > 0;
}

interface Side {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly name: string;
}

/** The policies that are for the traffic of a Pod in one direction: without any, all of it passes. */
export function isolating(mesh: Mesh, direction: 'Ingress' | 'Egress', own: Omit<Side, 'name'>): readonly Config[] {
  return policiesOf(mesh, own.namespace).filter(
    (policy) => isolates(policy, direction) && selects(record(policy.spec.podSelector), own.labels),
  );
}

function judge(
  mesh: Mesh,
  direction: 'Ingress' | 'Egress',
  own: Side,
  party: Party,
  port: number,
  named: ReadonlyMap<string, number>,
  supposed: Supposed | undefined,
): NetworkVerdict {
  const policies = isolating(mesh, direction, own);
  if (policies.length === 0) return { is: 'allowed' };
  let result: Truth = false;
  let isByLabels = false;
  const blocks = new Set<string>();
  for (const policy of policies) {
    for (const rule of records(direction === 'Ingress' ? policy.spec.ingress : policy.spec.egress)) {
      const ports = records(rule.ports);
      if (ports.length > 0 && !ports.some((entry) => portMatches(entry, port, named))) continue;
      const peers = list(direction === 'Ingress' ? rule.from : rule.to).map(record);
      const matches =
        peers.length === 0 ? [true] : peers.map((peer) => peerMatches(mesh, policy.namespace, peer, party, supposed));
      if (matches.includes(true)) return { is: 'allowed' };
      if (matches.includes('unknown')) result = 'unknown';
      for (const [at, match] of matches.entries()) {
        const block = optionalRecord(peers[at]?.ipBlock);
        if (match === 'unknown' && block !== undefined) blocks.add(blockText(block));
      }
      isByLabels ||= matches.some((match, at) => match === 'unknown' && peers[at]?.ipBlock === undefined);
    }
  }
  const first = policies[0] as Config;
  const all = policies.map((policy) => `${policy.namespace}/${policy.name}`);
  const peer = party.isPod
    ? `Pods of namespace ${party.namespace ?? '?'}`
    : (party.address ?? 'addresses outside the cluster');
  if (party.onNode)
    return {
      is: 'unknown',
      why: gap({
        kind: 'network-policy-by-node',
        policies: all,
        peer: { namespace: party.namespace ?? '', workload: party.name },
      }),
    };
  if (result === 'unknown' && isByLabels)
    return {
      is: 'unknown',
      why: gap({ kind: 'network-policy-by-namespace', policies: all, namespace: party.namespace ?? '' }),
    };
  if (result === 'unknown')
    return {
      is: 'unknown',
      why: gap({ kind: 'network-policy-by-address', policies: all, blocks: [...blocks].sort() }),
    };
  return {
    is: 'denied',
    reason: {
      kind: 'network-policy-denies',
      policies: all,
      direction,
      ...(direction === 'Egress'
        ? { from: `${own.namespace}/${own.name}`, to: peer }
        : { from: peer, to: `${own.namespace}/${own.name}` }),
      port,
    },
    by: { kind: first.kind, namespace: first.namespace, name: first.name, field: `spec.${direction.toLowerCase()}` },
  };
}

/**
 * Whether packets of a connection pass: out of the sender's Pod, and into the receiver's, on the port of the Pod. `looked` is what
 * the name of a host outside is known to resolve to.
 */
export function networkVerdict(
  mesh: Mesh,
  flight: Pick<Flight, 'from' | 'port' | 'address'>,
  workload: Workload | undefined,
  looked: string | null = null,
  supposed?: Supposed,
): NetworkVerdict {
  if (mesh.of('networking.k8s.io', 'NetworkPolicy').length === 0) return { is: 'allowed' };
  // A Pod cannot block access to itself (Kubernetes' documentation of NetworkPolicies), and loopback never leaves it.
  if (isLoopback(flight.address ?? '')) return { is: 'allowed' };
  if (workload?.kind === 'Pod' && workload === flight.from.workload) return { is: 'allowed' };
  const named = workload?.namedPorts ?? new Map<string, number>();
  const isKnown = flight.address !== null && isAddress(flight.address);
  const address = workload?.addresses[0] ?? (workload === undefined ? (isKnown ? flight.address : looked) : null);
  const receiver: Party = {
    namespace: workload?.namespace,
    labels: workload?.labels ?? {},
    address,
    isPod: workload !== undefined && workload.onNode !== true,
    onNode: workload?.onNode === true,
    name: workload?.name ?? '',
    ...(workload === undefined ? {} : { owner: `${workload.namespace}/${workload.name}` }),
  };
  const { from } = flight;
  if (from.namespace !== '' && from.workload?.onNode !== true) {
    const out = judge(
      mesh,
      'Egress',
      { namespace: from.namespace, labels: from.labels, name: from.workload?.name ?? '*' },
      receiver,
      flight.port,
      named,
      supposed,
    );
    if (out.is !== 'allowed') return out;
  }
  if (workload === undefined || workload.onNode === true) return { is: 'allowed' };
  const sender: Party = {
    namespace: from.namespace === '' ? undefined : from.namespace,
    labels: from.labels,
    address: from.address,
    isPod: from.namespace !== '' && from.workload?.onNode !== true,
    onNode: from.workload?.onNode === true,
    name: from.workload?.name ?? '',
    owner: addressOwner(from),
  };
  return judge(
    mesh,
    'Ingress',
    { namespace: workload.namespace, labels: workload.labels, name: workload.name },
    sender,
    flight.port,
    named,
    supposed,
  );
}
