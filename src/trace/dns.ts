/** Names are not followed to addresses here: that NetworkPolicies are in the way of asking for one is said beside. */
import { records, text, type Json } from '../model/fields';
import { proxySettings } from '../model/proxy-config';
import { isolating, portMatches } from './network-policy';
import { assumption } from './notes';
import { ownerOf, type Peer, type Walk } from './walk';

/** The ports that DNS has in its Pods, of one kind of cluster or another. */
const DNS_PORTS = [53, 5353, 8053];
/** Where DNS runs, and its own namespace is as good as any. */
const HOME = 'kube-system';

/** Says of a request by name that its client may ask no DNS, wherever in the cluster that is. A sidecar may answer in its place. */
export function noteDns(walk: Walk, from: Peer, host: string, address: string | null): void {
  const { mesh } = walk;
  if (address !== null || from.namespace === HOME || from.workload?.onNode === true) return;
  const policies = isolating(mesh, 'Egress', from);
  if (policies.length === 0 || policies.flatMap(({ spec }) => records(spec.egress)).some(mayLeadToDns)) return;
  if (proxySettings(mesh, ownerOf(from)).answersDns) return;
  const names = policies.map((policy) => `${policy.namespace}/${policy.name}`);
  walk.note(assumption({ kind: 'client-has-address', host, policies: names }));
}

function mayLeadToDns(rule: Json): boolean {
  const [ports, peers] = [records(rule.ports), records(rule.to)];
  const isByUdp = ports.some((entry) => text(entry.protocol) === 'UDP' && DNS_PORTS.some((port) => isFor(entry, port)));
  const isBeyond = peers.some((peer) => peer.ipBlock !== undefined || peer.namespaceSelector !== undefined);
  return (ports.length === 0 || isByUdp) && (peers.length === 0 || isBeyond);
}

/** A name of a port may be that of DNS. */
function isFor(entry: Json, port: number): boolean {
  return portMatches({ ...entry, protocol: 'TCP' }, port, new Map([[text(entry.port), port]]));
}
