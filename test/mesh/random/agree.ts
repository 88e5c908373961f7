/** What was seen of a request against what `trace` says it does. */
import { type Hop, type Trace } from '../../../src/trace/types';
import { type Observation } from './observe';

const TCP_ONLY = new Set(['TCP', 'TLS']);

/** Envoy's flags, and its details, for what a refusal calls by one word. */
function fits(code: string, line: Readonly<Record<string, string | number | null>>): boolean {
  const flags = String(line.response_flags ?? '-').split(',');
  const details = String(line.response_code_details ?? '');
  if (flags.includes(code)) return true;
  switch (code) {
    case 'RBAC':
      return details.startsWith('rbac_access_denied') || /rbac/.test(String(line.connection_termination_details));
    case 'jwt_authn':
      return details.startsWith('jwt_authn_access_denied');
    case 'BlackHoleCluster':
      return line.upstream_cluster === 'BlackHoleCluster' || details === 'direct_response';
    case 'redirect':
    case 'direct_response':
      return details === 'direct_response';
    case 'UF':
      return (
        flags.some((flag) => ['UF', 'UC', 'UPE', 'URX', 'UH'].includes(flag)) || details.startsWith('upstream_reset')
      );
    case 'UPE':
      // TLS inside TLS reaches the site, which does not understand it; Envoy sees nothing wrong.
      return (
        flags.some((flag) => ['UPE', 'UC', 'UF', 'URX'].includes(flag)) || [0, 400].includes(Number(line.response_code))
      );
    default:
      return false;
  }
}

function sees(hop: Hop): boolean {
  return hop.proxy.kind !== 'none';
}

function name(hop: Hop): string {
  return `${hop.proxy.namespace}/${hop.proxy.workload ?? ''}`;
}

/** A connection of TCP that is denied once data comes has been opened on the other side, and closes there empty. */
function isEmptyEnd(trace: Trace, hops: readonly Hop[], { hops: all }: Observation, index: number): boolean {
  const isBeyond = index >= hops.length && trace.refusal?.code === 'RBAC';
  return isBeyond && hops.at(-1)?.receives.protocol !== 'HTTP' && Number(all[index]?.line.bytes_received ?? 0) === 0;
}

/** One difference in a sentence; undefined where they agree; `alternative` where the way was one of a weighted route that trace names too. */
export function disagreement(trace: Trace, observed: Observation): string | undefined {
  const hops = trace.hops.filter(sees);
  const seen = { ...observed, hops: observed.hops.filter((_hop, index) => !isEmptyEnd(trace, hops, observed, index)) };
  for (const [index, { proxy, line }] of seen.hops.entries()) {
    const own = hops[index];
    const where = `hop ${index} at ${proxy}`;
    const cluster = line.upstream_cluster === null ? null : String(line.upstream_cluster);
    // A loop is followed once round, where Envoys go on and on.
    if (own === undefined && trace.refusal?.code === 'loop' && hops.some((hop) => name(hop) === proxy))
      return undefined;
    if (own === undefined && trace.outcome === 'unknown') return undefined;
    if (own === undefined)
      return `${where}: seen (${cluster ?? line.response_code_details ?? ''}), but trace ends before: ${trace.outcome} ${trace.refusal?.code ?? ''} ${trace.refusal?.what ?? ''}`;
    if (name(own) !== proxy) return `${where}: trace goes to ${name(own)}`;
    const expected = own.cluster;
    if (cluster !== expected) {
      // Another one of a weighted route, which may be one that does not exist.
      const isOther = own.alternatives.some((other) => other.cluster === cluster);
      if (isOther || (own.alternatives.length > 0 && line.response_flags === 'NC')) return undefined;
      // Envoy logs no cluster where there is none of that name.
      const isMissing =
        cluster === null && /^(NC|RBAC|FI|jwt_authn)$/.test(trace.refusal?.code ?? '') && index === hops.length - 1;
      if (!isMissing)
        return `${where}: cluster ${cluster ?? '-'} (${line.response_flags ?? ''} ${line.response_code_details ?? ''}), trace says ${expected ?? '-'}`;
    }
    const sni = line.requested_server_name ?? null;
    // A listener without an inspector of TLS does not know.
    if (sni !== null && own.receives.sni !== sni)
      return `${where}: SNI ${sni ?? '-'}, trace says ${own.receives.sni ?? '-'}`;
    const readsHttp = line.method !== null;
    if (readsHttp !== (own.receives.protocol === 'HTTP') && !TCP_ONLY.has(own.receives.protocol) !== readsHttp)
      return `${where}: ${readsHttp ? 'read as HTTP' : 'not read as HTTP'}, trace says ${own.receives.protocol}`;
  }
  if (trace.outcome === 'unknown') return undefined;
  const last = seen.hops[seen.hops.length - 1];
  if (trace.outcome === 'delivered') {
    const flags = last?.line.response_flags ?? null;
    // A fault that delays is no refusal.
    if (flags !== '-' && flags !== null && flags !== 'DI')
      return `trace says delivered; ${last?.proxy ?? ''} logs ${flags} ${last?.line.upstream_transport_failure_reason ?? ''} status ${seen.status}`;
    if (last === undefined) return `trace says delivered; no proxy saw it (status ${seen.status}, curl ${seen.exit})`;
    // A TCP connection is logged when it ends, and the pool of the proxy before keeps it open.
    const isOpen = hops.slice(seen.hops.length).every((hop) => hop.receives.protocol !== 'HTTP');
    if (hops.length !== seen.hops.length && !isOpen)
      return `trace goes on to ${hops.slice(seen.hops.length).map(name).join(', ')}; nothing was seen there (status ${seen.status})`;
    return siteDisagreement(trace, seen);
  }
  const refusal = trace.refusal ?? trace.answer ?? null;
  if (refusal === null) return 'refused without a refusal';
  if (seen.status !== (refusal.status ?? 0) && !(refusal.status === null && seen.status === 0))
    return `status ${seen.status}, trace says ${refusal.status ?? 'none'} (${refusal.code} ${refusal.what}); ${last?.proxy ?? ''} logs ${String(last?.line.response_flags)} ${String(last?.line.response_code_details)}`;
  // A handshake that fails leaves no flag in the log of the proxy that is dialled.
  const isHandshake = refusal.code === 'UF' && hops[seen.hops.length - 1]?.sends === null;
  if (last !== undefined && !isHandshake && !fits(refusal.code, last.line) && !(seen.hops.length < hops.length))
    return `${last.proxy} logs ${String(last.line.response_flags)} ${String(last.line.response_code_details)}, trace says ${refusal.code} (${refusal.what})`;
  return undefined;
}

function siteDisagreement(trace: Trace, seen: Observation): string | undefined {
  const { destination } = trace;
  const { site } = seen;
  if (destination === null || site === undefined) return undefined;
  if (site.scheme === 'tcp') return undefined;
  const isTls = destination.tls !== 'NONE';
  if ((site.scheme === 'https') !== isTls && site.status !== '400')
    return `the site saw ${site.scheme}, trace says ${destination.tls}`;
  if (isTls && destination.sni !== null && site.sni !== destination.sni)
    return `the site saw SNI ${site.sni || '-'}, trace says ${destination.sni}`;
  return undefined;
}
