/** A trace as a reviewer sees it: what happens to the traffic, without the names of the objects that make it so. */
import { isCatchAll } from '../trace/catch-all';
import { record, text, texts, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { push } from '../model/objects';
import { shownName } from '../model/workloads';
import { type ReasonKind, whyUnknown } from '../trace/index';
import type { Answer, Decision, Hop, ProxyRef, TlsKind, Trace } from '../trace/types';
import type { Effect, TlsSettings, Way, WayHop } from './types';

const GATEWAYS = new Set(['egress-gateway', 'ingress-gateway', 'envoy-gateway', 'waypoint']);
const ENCRYPTED = new Set<TlsKind>(['SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL', 'APPLICATION']);

/** `host`: the one asked for, which the text does not repeat; `named`, `called`: clusters and proxies by other names than their own. */
export function wayOf(
  mesh: Mesh,
  trace: Trace,
  host: string,
  named?: (cluster: string) => string,
  called: (proxy: string) => string = (proxy) => proxy,
): Way {
  const shape = (cluster: string | null): string =>
    shapeOf(cluster === null || named === undefined ? cluster : named(cluster));
  const last = trace.hops[trace.hops.length - 1];
  const passthrough = trace.hops.some(({ cluster }) => isCatchAll(cluster));
  const refusal =
    trace.refusal === null
      ? null
      : {
          code: trace.refusal.code,
          status: trace.refusal.status,
          at: isClient(trace, trace.refusal.proxy) ? CLIENT : called(nameOf(trace.refusal.proxy)),
        };
  const way: Omit<Way, 'text'> = {
    outcome: trace.outcome,
    hops: trace.hops.map((hop, index) => hopOf(hop, index === 0 && isClient(trace, hop.proxy), called)),
    destination:
      trace.destination === null
        ? null
        : { ...trace.destination, endpoints: isInMesh(last?.cluster) ? [] : [...(last?.envoy.endpoints ?? [])].sort() },
    servers: serversOf(mesh, trace).map(called).sort(),
    tls: last === undefined ? null : tlsSettings(mesh, last),
    passthrough,
    split: splitOf(trace, shape),
    copies: copiesOf(trace, shape),
    asks: asksOf(trace),
    refusal,
    ...(trace.answer === undefined ? {} : { answer: answerOf(trace.answer, called) }),
    certificate: trace.hops[0]?.receives.tls === 'MUTUAL',
  };
  return { ...way, text: describe(way, trace, host) };
}

/** Ways of weighted routes. */
export function splitOf(trace: Trace, shape = shapeOf): readonly string[] {
  const split = trace.hops.flatMap((hop) => {
    if (hop.alternatives.length === 0) return [];
    const own = hop.weight ?? 0;
    const total = own + hop.alternatives.reduce((sum, other) => sum + other.weight, 0);
    const share = (weight: number): string => `${Math.round((1000 * weight) / Math.max(total, 1)) / 10} %`;
    return [{ cluster: hop.cluster, weight: own }, ...hop.alternatives].map(
      ({ cluster, weight }) => `${share(weight)} to ${shape(cluster)}`,
    );
  });
  return [...split, ...spreadOf(trace)];
}

/** Who gets copies: who refuses before it sends anything on sends none. */
export function copiesOf({ hops, outcome }: Trace, shape = shapeOf): readonly string[] {
  return hops.flatMap(({ copies = [], sends }) =>
    (outcome === 'refused' && sends === null ? [] : copies).map(
      ({ cluster, percent }) => `${shape(cluster)}${percent === 100 ? '' : ` (${percent} %)`}`,
    ),
  );
}

/** Whom the last proxy that chooses among several has to choose from: Pods go by what controls them. */
function serversOf(mesh: Mesh, { hops }: Trace): readonly string[] {
  const chosen = hops.filter(({ envoy }) => envoy.endpoints.length > 0).pop();
  if (chosen === undefined || !isInMesh(chosen.cluster)) return [];
  const names = chosen.envoy.endpoints.map((one) => {
    const workload = mesh.workloads.at(one.replace(/:\d+$/, ''));
    return workload === undefined ? one : `${workload.namespace}/${shownName(workload)}`;
  });
  return [...new Set(names)].sort();
}

/** The shares of backends that have one cluster between them, whose name tells of none. */
function spreadOf({ noted }: Trace): readonly string[] {
  return noted.flatMap((note) =>
    note.kind === 'backends-weighted'
      ? note.shares.map(({ host, percent }) => `${percent} % to ${host ?? 'nobody (500)'}`)
      : [],
  );
}

/** Equal for ways that are the same traffic. The text is made from the rest, so it is left out; of what is unknown on both sides it is decided elsewhere what that hangs on. */
export function fingerprint(way: Way): string {
  const { text: _text, ...rest } = way;
  // A request that is refused is the same traffic whatever way it took to where it is refused, but for its copies.
  const copies = way.copies.length === 0 ? [] : [way.copies];
  return way.outcome === 'refused'
    ? JSON.stringify([way.refusal, ...copies])
    : way.outcome === 'answered'
      ? JSON.stringify(['answered', way.answer, ...copies])
      : way.outcome === 'unknown'
        ? JSON.stringify(['unknown', ...copies])
        : JSON.stringify(rest);
}

function answerOf(
  { code, status, location, proxy }: Answer,
  called: (proxy: string) => string,
): NonNullable<Way['answer']> {
  return { code, status, location: location ?? null, at: called(nameOf(proxy)) };
}

/** Both ways, with what sets them apart where their texts would be the same. */
export function toldApart(was: Way, is: Way): readonly [Way, Way] {
  if (was.text !== is.text) return [was, is];
  const parts = [addresses, serversText, certificates, hopsText];
  const found = parts.find((part) => part(was) !== part(is));
  if (found === undefined) return [was, is];
  return [
    { ...was, text: `${was.text}; ${found(was)}` },
    { ...is, text: `${is.text}; ${found(is)}` },
  ];
}

function addresses({ destination, refusal, answer }: Way): string {
  if (answer !== undefined) return `answered at ${answer.at}`;
  if (destination === null) return `refused at ${refusal?.at ?? '?'}`;
  return destination.endpoints.length === 0
    ? 'at the address that the client dials'
    : `at ${destination.endpoints.map((one) => one.replace(/:\d+$/, '')).join(', ')}, as the proxy resolves it`;
}

function serversText({ servers }: Way): string {
  return `answered by ${servers.join(' or ') || 'whoever is there'}`;
}

function certificates({ tls }: Way): string {
  if (tls === null) return 'with no TLS of the proxy';
  const names = tls.subjectAltNames.join(' or ') || 'any name';
  return `showing ${tls.credential ?? 'no certificate'}, trusting ${tls.trust ?? 'public authorities'}, for ${names}`;
}

function hopsText({ hops }: Way): string {
  return hops
    .map(
      ({ proxy, port, tls, sni }) =>
        `${proxy} sends ${tls ?? 'nothing'} to port ${port ?? '?'}${sni === null ? '' : ` (SNI ${sni})`}`,
    )
    .join(', ');
}

/** Clients of one class differ in their names only. */
const CLIENT = 'client';

function isClient(trace: Trace, proxy: ProxyRef): boolean {
  if (proxy.kind === 'none') return trace.refusal?.code !== 'no-such-gateway';
  return (
    proxy.kind === 'sidecar' && (trace.hops.length === 0 || trace.hops[0]?.proxy === proxy || trace.hops.length === 1)
  );
}

function hopOf(hop: Hop, isClients: boolean, called: (proxy: string) => string): WayHop {
  return {
    proxy: isClients ? CLIENT : called(nameOf(hop.proxy)),
    kind: hop.proxy.kind,
    port: hop.sends?.port ?? null,
    tls: hop.sends?.tls ?? null,
    sni: sniOf(hop),
  };
}

/** The SNI between proxies is made by istiod from names of subsets, and no peer decides by it. */
function sniOf(hop: Hop): string | null {
  const sni = hop.sends?.sni ?? null;
  return sni?.startsWith('outbound_.') ? null : sni;
}

function nameOf(proxy: ProxyRef): string {
  return `${proxy.namespace}/${proxy.workload ?? '*'}`;
}

/** What is asked for in the end, if a proxy changed it. */
function asksOf({ hops }: Trace): string | null {
  const last = hops
    .map(({ asks }) => asks)
    .filter((asks) => asks !== undefined)
    .pop();
  return last === undefined ? null : `${last.authority}${last.path}`;
}

/** The same ways as proxies of the mesh see their client, where that sets them apart and nothing else does. */
export function byIdentity(
  ways: readonly [Way, Way],
  traces: readonly [Trace, Trace],
  renamed: (identity: string) => string = (identity) => identity,
): readonly [Way, Way] | undefined {
  if (ways.some(({ outcome }) => outcome !== 'delivered')) return undefined;
  const seen = traces.map(({ hops }) => hops.flatMap(({ identity }) => (identity === undefined ? [] : [identity])));
  const [was = [], is = []] = seen;
  const isSame = (one: string, index: number): boolean => one === is[index] || renamed(one) === is[index];
  if (was.length === is.length && was.every(isSame)) return undefined;
  const [before, after] = ways;
  return [told(before, was), told(after, is)];
}

function told(way: Way, identities: readonly string[]): Way {
  return { ...way, identities, text: `${way.text}; seen as ${identities.join(', then ') || 'nobody'}` };
}

/** A cluster's host, port and subset. */
function shapeOf(cluster: string | null): string {
  const [, port = '', subset = '', host = ''] = (cluster ?? '').split('|');
  return host === '' ? (cluster ?? '') : `${host}:${port}${subset === '' ? '' : ` (${subset})`}`;
}

function isInMesh(cluster: string | null | undefined): boolean {
  return cluster == null || cluster.startsWith('inbound|') || /\.svc\./.test(cluster);
}

/** What a DestinationRule says of the server's certificate and of the one shown to it. */
function tlsSettings(mesh: Mesh, hop: Hop): TlsSettings | null {
  if (hop.sends?.tls !== 'SIMPLE' && hop.sends?.tls !== 'MUTUAL') return null;
  const settings = hop.decidedBy.map((decision) => tlsAt(mesh, decision)).find((found) => found !== undefined);
  if (settings === undefined) return null;
  const own = texts(settings.subjectAltNames);
  const names = [...(own.length > 0 ? own : namesOfEntry(mesh, hop.cluster))].sort();
  // Where no SNI is written, istiod has the name verified that the request is for.
  const isVerifiedByHost = names.length === 0 && text(settings.sni) === '' && hop.sends.sni !== null;
  return {
    credential: text(settings.credentialName) || text(settings.clientCertificate) || null,
    trust: text(settings.caCertificates).replace(/^system$/, '') || null, // "system" is what Istio takes of itself
    subjectAltNames: isVerifiedByHost ? [hop.sends.sni] : names,
    insecureSkipVerify: settings.insecureSkipVerify === true,
  };
}

/** What ServiceEntries say of the certificates of a host; istiod takes it where the DestinationRule says nothing. */
function namesOfEntry(mesh: Mesh, cluster: string | null): readonly string[] {
  const byHost = mesh.remember(mesh, 'diff: names in certificates', () => {
    const found = new Map<string, string[]>();
    for (const { body } of mesh.of('networking.istio.io', 'ServiceEntry')) {
      const { hosts, subjectAltNames } = record(record(body).spec);
      for (const host of texts(hosts)) for (const name of texts(subjectAltNames)) push(found, host, name);
    }
    return found;
  });
  const host = (cluster ?? '').split('|')[3] ?? '';
  return [...new Set(byHost.get(host))];
}

function tlsAt(mesh: Mesh, decision: Decision): Json | undefined {
  if (decision.kind !== 'DestinationRule') return undefined;
  const path = decision.field.split(/[.[\]]+/).filter((part) => part !== '');
  const end = path.lastIndexOf('tls');
  if (end < 0) return undefined;
  const manifest = mesh.find('networking.istio.io', decision.kind, decision.namespace, decision.name);
  let value: unknown = manifest?.body;
  for (const part of path.slice(0, end + 1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return record(value);
}

function describe(way: Omit<Way, 'text'>, trace: Trace, host: string): string {
  if (way.outcome === 'unknown') return `cannot be told: ${whyUnknown(trace)}`;
  const copied = way.copies.length > 0 ? [`copied to ${way.copies.join(', ')}`] : [];
  if (trace.answer !== undefined) return [answerText(trace.answer), ...copied].join('; ');
  if (way.refusal !== null) return [refusalText(trace), ...copied].join('; ');
  const parts: string[] = [];
  const gateways = trace.hops.filter((hop) => GATEWAYS.has(hop.proxy.kind));
  const first = trace.hops[0];
  if (gateways.length > 0) {
    const isWaypoint = ({ proxy }: Hop): boolean => proxy.kind === 'waypoint';
    const isMixed = gateways.some(isWaypoint) && !gateways.every(isWaypoint);
    const wordOf = (hop: Hop): string => (isWaypoint(hop) ? 'waypoint ' : 'gateway ');
    const [entered = '', ...others] = gateways.map((hop, at) => `${at === 0 || isMixed ? wordOf(hop) : ''}${nameOf(hop.proxy)}`); // prettier-ignore
    const towards = first !== undefined && !GATEWAYS.has(first.proxy.kind) ? towardsGateway(first) : '';
    const shown = way.certificate ? ', which demands a client certificate' : '';
    // Of gateways alone one comes to the first as to the others; a waypoint is come to by the mesh's own.
    const names = isMixed ? [`${entered}${towards}`, ...others] : [entered, ...others];
    parts.push(`through ${names.join(', then ')}${isMixed ? '' : towards}${shown}`);
  } else if (first?.proxy.kind === 'none') parts.push('directly, with no proxy');
  else if (way.passthrough) parts.push('directly, as a host that the mesh does not know');
  else if (first?.proxy.kind === 'ztunnel') parts.push('by ztunnel');
  else parts.push('directly from its sidecar');
  const through = trace.destination?.through;
  if (through !== undefined) parts.push(`tunnelled by the CONNECT proxy ${through.host}:${through.port}`);
  const exit = way.destination;
  if (exit !== null) parts.push(exitText(way, { ...exit, tls: lastMile(trace) ?? exit.tls }, host));
  if (way.asks !== null) parts.push(`as a request for ${way.asks}`);
  if (way.split.length > 0) parts.push(`split: ${way.split.join(', ')}`);
  return [...parts, ...copied].join('; ');
}

/** TLS of the connection to a server's own sidecar or ztunnel, which takes it off before the server sees it. */
function lastMile(trace: Trace): TlsKind | undefined {
  const last = trace.hops.length - 1;
  const kind = trace.hops[last]?.proxy.kind;
  return last > 0 && (kind === 'sidecar' || kind === 'ztunnel') ? trace.hops[last - 1]?.sends?.tls : undefined;
}

function towardsGateway({ proxy, sends }: Hop): string {
  switch (sends?.tls) {
    case 'ISTIO_MUTUAL':
      if (proxy.kind === 'ztunnel') return " over HBONE with the client's identity";
      return " over mutual TLS with the client's identity";
    case 'APPLICATION':
      return " inside the application's own TLS";
    case 'SIMPLE':
    case 'MUTUAL':
      return ' over TLS';
    default:
      return ' in plain text';
  }
}

function exitText(way: Omit<Way, 'text'>, exit: NonNullable<Way['destination']>, host: string): string {
  const where = exit.host === host ? `reaches port ${exit.port}` : `reaches ${exit.host}:${exit.port}`;
  const addresses =
    exit.endpoints.length > 0 && exit.endpoints.some((endpoint) => !endpoint.startsWith(`${exit.host}:`))
      ? ` (${exit.endpoints.slice(0, 3).join(', ')}${exit.endpoints.length > 3 ? ', ...' : ''})`
      : '';
  return `${where}${addresses} ${tlsText(exit.tls, exit.sni, exit.host, way.tls)}`;
}

function tlsText(tls: TlsKind, sni: string | null, host: string, settings: TlsSettings | null): string {
  const name = sni === null || sni === host || sni.startsWith('outbound_.') ? '' : ` (SNI ${sni})`;
  const verified = settings === null ? '' : verifiedText(settings);
  switch (tls) {
    case 'NONE':
      return 'in plain text';
    case 'SIMPLE':
      return `with TLS made by the proxy${name}${verified}`;
    case 'MUTUAL':
      return `with mutual TLS made by the proxy${settings?.credential ? ` by credential ${settings.credential}` : ''}${name}${verified}`;
    case 'ISTIO_MUTUAL':
      return 'with mutual TLS of the mesh';
    case 'APPLICATION':
      return `with the application's own TLS${name}`;
  }
}

/** Whom the proxy takes the server for: without names it takes any that its authorities have signed for. */
function verifiedText({ insecureSkipVerify, trust, subjectAltNames }: TlsSettings): string {
  if (insecureSkipVerify) return ', server not verified';
  const by = trust === null ? '' : ` by ${trust}`;
  return `, server verified${by} ${subjectAltNames.length === 0 ? 'whatever its name' : `as ${subjectAltNames.join(' or ')}`}`;
}

const REFUSALS: Readonly<Record<string, string>> = {
  BlackHoleCluster: 'blocked as a host that the mesh does not know',
  RBAC: 'denied by an AuthorizationPolicy',
  NetworkPolicy: 'cut by a NetworkPolicy',
  NR: 'no route for it',
  NC: 'its route names what does not exist',
  UH: 'no healthy endpoint',
  UF: 'the next connection fails',
  UPE: 'the two ends speak different protocols',
  DPE: 'the proxy expects another protocol',
  FI: 'aborted by a fault rule',
  jwt_authn: 'with a token that it does not take',
  jwt: 'without a token',
  csrf_origin_mismatch: 'asked for by a page of another origin',
  path_normalization_failed: 'its path cannot be read',
  rejecting_because_detection_failed: 'its header does not tell the address of the client',
  request_rate_limited: 'its limit is none',
  unexpected_underscore: 'a header has an underscore in its name',
  loop: 'it comes back to the same proxy',
  direct_response: 'answered by the proxy itself',
  'no-such-gateway': 'there is no such gateway',
};

const NOBODY_LISTENS: ReadonlySet<ReasonKind> = new Set<ReasonKind>([
  'no-server-on-port',
  'server-without-route',
  'chains-match-alike',
  'server-left-out',
  'no-rule-for-server',
  'listener-not-programmed',
  'service-without-port',
  'service-without-endpoints',
  'auto-address-without-port',
  'port-not-served',
]);

/** Objects that refuse by themselves are named, since it is they whom a reader asks next. */
function reasonOf(trace: Trace): string {
  const { refusal } = trace;
  if (refusal === null) return '';
  const by = refusal.by === null ? '' : ` (${refusal.by.namespace}/${refusal.by.name})`;
  if (refusal.reason.kind === 'mutual-tls-expected') return `it takes mutual TLS of the mesh only${by}`;
  if (refusal.reason.kind === 'mutual-tls-disabled') return `it takes no mutual TLS of the mesh${by}`;
  if (refusal.code === 'RBAC') return `${REFUSALS.RBAC ?? ''}${by}`;
  if (refusal.by?.kind === 'NetworkPolicy') return `${REFUSALS.NetworkPolicy ?? ''}${by}`;
  if (refusal.reason.kind === 'key-withheld')
    return `its ServiceAccount ${refusal.reason.account} may not list Secrets, of which ${refusal.reason.secret} has its key`;
  if (refusal.code === 'UF' && NOBODY_LISTENS.has(refusal.reason.kind)) return 'nothing listens on that port';
  return REFUSALS[refusal.code] ?? refusal.code;
}

function answerText({ status, location, proxy, code }: Answer): string {
  const to = location === undefined ? (code === 'oidc' ? ', to the login' : '') : `, to ${location}`;
  return `answered with ${status}${to} by ${proxy.kind === 'sidecar' ? 'the sidecar of' : 'gateway'} ${nameOf(proxy)}`;
}

function refusalText(trace: Trace): string {
  const { refusal } = trace;
  if (refusal === null) return '';
  const how =
    refusal.code === 'direct_response'
      ? `answered with ${refusal.status ?? 'nothing'}`
      : refusal.status === null
        ? 'refused, connection closed'
        : `refused with ${refusal.status}`;
  const where =
    refusal.proxy.kind === 'sidecar'
      ? trace.hops.length <= 1
        ? ' by its own sidecar'
        : ` by the sidecar of ${nameOf(refusal.proxy)}`
      : refusal.proxy.kind === 'none'
        ? ''
        : refusal.proxy.kind === 'ztunnel'
          ? ' by ztunnel'
          : ` by ${refusal.proxy.kind === 'waypoint' ? 'waypoint' : 'gateway'} ${nameOf(refusal.proxy)}`;
  return `${how}${refusal.code === 'no-such-gateway' ? '' : where}: ${reasonOf(trace)}`;
}

/** What going from one way to the other does to access. */
export function effectOf(was: Way, is: Way): Effect {
  if (was.outcome === 'unknown' || is.outcome === 'unknown') return 'unclear';
  const [before, after] = [accessOf(was), accessOf(is)];
  if (before < after) return 'widened';
  if (before > after) return 'narrowed';
  const isCopiedMore = is.copies.some((one) => !was.copies.includes(one));
  if (before === 0 && isCopiedMore) return 'widened';
  if (before === 0) return was.outcome === 'refused' && is.outcome === 'refused' ? 'refused-otherwise' : 'rerouted';
  // Whoever gets copies reads what others were asked.
  if (isCopiedMore) return 'widened';
  return isWeaker(was, is) ? 'weakened' : 'rerouted';
}

/** How far a request gets: not at all (redirects give away no more than a refusal), to what the proxy itself has to say, to its destination. */
function accessOf({ outcome, answer }: Way): number {
  if (outcome === 'delivered') return 2;
  return answer?.code === 'direct_response' ? 1 : 0;
}

function gatewaysOf(way: Way): number {
  return way.hops.filter((hop) => GATEWAYS.has(hop.kind)).length;
}

function isWeaker(was: Way, is: Way): boolean {
  const lostTls =
    was.destination !== null &&
    is.destination !== null &&
    ENCRYPTED.has(was.destination.tls) &&
    !ENCRYPTED.has(is.destination.tls);
  const lostProxy = was.hops[0]?.kind === 'sidecar' && is.hops[0]?.kind === 'none';
  const lostHop = was.hops.some((hop, index) => {
    const now = is.hops[index];
    return now?.kind === hop.kind && hop.tls !== null && ENCRYPTED.has(hop.tls) && now.tls === 'NONE';
  });
  return (
    lostTls ||
    (was.certificate && !is.certificate) ||
    lostHop ||
    lostProxy ||
    gatewaysOf(is) < gatewaysOf(was) ||
    (is.tls?.insecureSkipVerify === true && was.tls?.insecureSkipVerify !== true) ||
    takesMoreNames(was.tls, is.tls)
  );
}

/** Whether certificates of further servers are taken, by a name that was not: of any, where none is written. */
function takesMoreNames(was: TlsSettings | null, is: TlsSettings | null): boolean {
  const [before, after] = [was?.subjectAltNames ?? [], is?.subjectAltNames];
  if (after === undefined || before.length === 0) return false;
  const isKept = before.every((name) => after.includes(name));
  return after.length === 0 || (isKept && after.length > before.length);
}
