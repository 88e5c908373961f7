/** Names are not followed to addresses here: that NetworkPolicies are in the way of asking for one is said beside. */
import { records, text, type Json } from '../model/fields';
import { proxySettings } from '../model/proxy-config';
import { isolating, portMatches } from './network-policy';
import { assumption } from './notes';
import type { ProxyRef } from './types';
import { ownerOf, type Peer, type Walk } from './walk';

/** The ports that DNS has in its Pods, of one kind of cluster or another. */
const DNS_PORTS = [53, 5353, 8053];
/** Where DNS runs, and its own namespace is as good as any. */
const HOME = 'kube-system';

/** Says of a request by name that its client may ask no DNS, wherever in the cluster that is. A sidecar may answer in its place. */
export function noteDns(walk: Walk, from: Peer, host: string, address: string | null): void {
  const policies = address === null && !isAnsweredByProxy(walk, from) ? keptFromDns(walk, from) : [];
  if (policies.length > 0) walk.note(assumption({ kind: 'client-has-address', host, policies }));
}

/**
 * Says of a proxy that it resolves a name by itself, and may ask no DNS. Its own questions are captured by nothing. Of a client's sidecar the
 * note on the client has told it, if there is one.
 */
export function noteOwnDns(walk: Walk, { proxy, from, host, dialled }: Resolving): void {
  if (proxy.kind === 'sidecar' && dialled.host === host && dialled.address === null && !isAnsweredByProxy(walk, from)) return; // prettier-ignore
  const policies = keptFromDns(walk, from);
  if (policies.length > 0) walk.note(assumption({ kind: 'proxy-has-address', proxy, host, policies }));
}

interface Resolving {
  readonly proxy: ProxyRef;
  readonly from: Peer;
  readonly host: string;
  /** What reached it. */
  readonly dialled: { readonly host: string; readonly address: string | null };
}

const isAnsweredByProxy = ({ mesh }: Walk, from: Peer): boolean => proxySettings(mesh, ownerOf(from)).answersDns;

/** The NetworkPolicies that let a Pod ask no DNS. */
function keptFromDns({ mesh }: Walk, from: Peer): readonly string[] {
  if (from.namespace === HOME || from.workload?.onNode === true) return [];
  const policies = isolating(mesh, 'Egress', from);
  if (policies.flatMap(({ spec }) => records(spec.egress)).some(mayLeadToDns)) return [];
  return policies.map((policy) => `${policy.namespace}/${policy.name}`);
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
