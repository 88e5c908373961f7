/** Our traces against the oracle's hops, field by field. */
import { admit } from '../../../src/check/schema/admit';
import { evaluateRules } from '../../../src/check/schema/cel';
import { Schemas } from '../../../src/check/schema/store';
import { refusalOf } from '../../../src/check/accepted';
import { loadText } from '../../../src/model/load';
import { buildMesh } from '../../../src/model/mesh';
import { readMeshConfig } from '../../../src/model/mesh-config';
import { trace } from '../../../src/trace';
import type { Hop, Trace } from '../../../src/trace/types';
import { CAPTURES_DNS, givenAddresses, withoutAddresses } from './rare-forms';
import type { Ask, GeneratedMesh, Thing } from './vocabulary';
import type { Oracle, OracleCall, OracleHop, OracleReply } from './process';

export interface Difference {
  readonly ask: Ask;
  readonly what: string;
  readonly ours: Trace;
  readonly oracle: readonly OracleHop[];
}

export interface Comparison {
  readonly requests: number;
  readonly hops: number;
  /** Hops that the oracle says are CONNECT tunnels. */
  readonly tunnels: number;
  /** Requests at a listener that Envoy refuses, which the oracle uses all the same. */
  readonly skipped: number;
  readonly differences: readonly Difference[];
  /** Objects that one of the two takes and the other refuses, in words. */
  readonly admission: readonly string[];
  /** What the oracle says of each request, in order. */
  readonly told: readonly (readonly OracleHop[])[];
  /** Set if the oracle could not say anything of this mesh. */
  readonly failure: string | undefined;
}

export function toYaml(things: readonly Thing[]): string {
  return things
    .map((thing) =>
      Object.entries(thing)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
        .join('\n'),
    )
    .join('\n---\n');
}

export function meshConfigOf({ outbound, config }: Pick<GeneratedMesh, 'config' | 'outbound'>): object {
  return { ...config, outboundTrafficPolicy: { mode: outbound } };
}

/** The releases that an oracle is built from. */
export interface OracleReleases {
  readonly istioVersion: string;
  readonly gatewayApiVersion: string;
}

/** Those of the one that the lab builds. */
export const ORACLE_RELEASES: OracleReleases = { istioVersion: '1.29.1', gatewayApiVersion: '1.4/experimental' };

function schemasOf({ istioVersion, gatewayApiVersion }: OracleReleases): Schemas {
  const istio = istioVersion.split('.', 2).join('.');
  return new Schemas({ istio, gatewayApi: gatewayApiVersion, envoyGateway: '1.7', kubernetes: '1.34' });
}

/** Whether an API server takes an object of the Gateway API, whose rules say what implementations need not care for. */
export function isAdmitted(thing: Thing): boolean {
  return loadText(toYaml([thing])).manifests.every((manifest) => {
    if (manifest.group !== 'gateway.networking.k8s.io') return true;
    const { violations, ruled } = admit(manifest, schemasOf(ORACLE_RELEASES));
    return violations.length === 0 && evaluateRules(ruled).length === 0;
  });
}

/** As an API server stores objects: istiod relies on the defaults of the Gateway API. */
export function stored(things: readonly Thing[], releases: OracleReleases = ORACLE_RELEASES): string {
  const schemas = schemasOf(releases);
  const bodies = loadText(toYaml(things)).manifests.map((manifest): Thing => {
    const body =
      manifest.group === 'gateway.networking.k8s.io' ? admit(manifest, schemas).manifest.body : manifest.body;
    // What is written in an older version is converted to the one that istiod asks for.
    const isConverted = /^(TLS|TCP)Route$/.test(manifest.kind) && schemas.versionsOf(manifest.group, manifest.kind)?.includes('v1') === true; // prettier-ignore
    return (isConverted ? { ...body, apiVersion: `${manifest.group}/v1` } : body) as unknown as Thing;
  });
  return toYaml(bodies);
}

/** The mesh's configuration as a cluster keeps it. */
export function meshConfigMap(generated: Pick<GeneratedMesh, 'config' | 'outbound'>): Thing {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', namespace: 'istio-system' },
    data: { mesh: JSON.stringify(meshConfigOf(generated)) },
  };
}

export function toCall(ask: Ask): OracleCall {
  const isTls = ask.scheme === 'https' || ask.scheme === 'tls';
  return {
    from: ask.from,
    host: ask.host,
    address: ask.address,
    port: ask.podPort ?? ask.port,
    path: ask.path,
    method: ask.method,
    headers: ask.headers,
    tls: isTls ? 'tls' : 'plaintext',
    protocol: ask.scheme === 'http' || ask.scheme === 'https' ? 'http' : 'tcp',
    sni: isTls ? (ask.sni ?? ask.host).toLowerCase() : '',
  };
}

function requestOf(ask: Ask): string {
  const isHttp = ask.scheme === 'http' || ask.scheme === 'https';
  return `${ask.scheme}://${ask.host}:${ask.port}${isHttp ? ask.path : ''}`;
}

const TLS: Readonly<Record<string, string>> = {
  NONE: 'plaintext',
  APPLICATION: 'tls',
  SIMPLE: 'tls',
  MUTUAL: 'tls',
  ISTIO_MUTUAL: 'mtls',
};

/** What stopped the request at a proxy, in the oracle's words. */
export function errorOf(trace: Trace, hop: Hop, isLast: boolean): string {
  const refusal = trace.refusal ?? trace.answer ?? null;
  // A TCP proxy has picked its cluster before a handshake fails; all others that stop a request have none.
  const isHandshake = refusal?.code === 'UF' && hop.sends === null;
  if (!isLast || refusal === null || (hop.cluster !== null && !isHandshake)) return '';
  if (hop.envoy.listener === null) return 'no listener matched';
  if (refusal.code === 'DPE') return 'protocol error';
  if (refusal.code === 'UF') return 'invalid TLS';
  if (refusal.code === 'redirect' && hop.route === null) return 'tls required, sending 301';
  if (refusal.code !== 'NR') return '';
  if (hop.envoy.routeConfig === null) return 'no filter chains matched';
  return hop.envoy.virtualHost === null ? 'no virtual host matched' : 'no route matched';
}

function ownName(hop: Hop): string {
  return `${hop.proxy.namespace}/${hop.proxy.workload ?? ''}`;
}

/** Hops at proxies whose configuration the oracle follows: the sidecar of a client, and gateways. */
export function followedHops({ hops }: Trace): readonly Hop[] {
  return hops.filter((hop, index) => hop.proxy.kind !== 'none' && !(index > 0 && hop.proxy.kind === 'sidecar'));
}

/** What the two say differently of a request, in a sentence; `proxyOf` gives the Pod that a hop's proxy is. */
export function difference(
  ours: Trace,
  oracle: readonly OracleHop[],
  proxyOf: (hop: Hop) => string = ownName,
): string | undefined {
  const hops = followedHops(ours);
  for (const [index, theirs] of oracle.entries()) {
    const own = hops[index];
    // A loop is followed once round by us, and on and on by the oracle.
    if (own === undefined && ours.refusal?.code === 'loop' && hops.some((hop) => proxyOf(hop) === theirs.proxy))
      return undefined;
    if (own === undefined)
      return `hop ${index}: the oracle has ${theirs.proxy} (${theirs.cluster ?? theirs.error ?? ''}), we stop with ${ours.outcome} ${ours.refusal?.code ?? ''}`;
    const where = `hop ${index} (${theirs.proxy})`;
    if (proxyOf(own) !== theirs.proxy) return `${where}: our proxy is ${proxyOf(own)}`;
    const error = errorOf(ours, own, index === hops.length - 1);
    const theirError = (theirs.error ?? '').replace('invalid mTLS', 'invalid TLS').replace(/^UH$/, '');
    if (theirs.error === 'UH' && ours.refusal?.code !== 'UH') return `${where}: the oracle finds no endpoint, we do`;
    // TLS inside the session that a server takes off is no HTTP: Envoy never comes to routing, the simulation does.
    if (error === 'protocol error' && /^no (route|virtual host) matched$/.test(theirError)) return undefined;
    if (error !== theirError) return `${where}: error "${theirError}" of the oracle is "${error}" of ours`;
    if (error === '' || theirs.listener !== undefined) {
      // An address that Istio gives is whichever is free.
      const isGiven = own.envoy.listener?.startsWith('auto-ip-of:') === true && theirs.listener?.startsWith('240.240.');
      if ((own.envoy.listener ?? '') !== (theirs.listener ?? '') && isGiven !== true)
        return `${where}: listener ${theirs.listener ?? ''} of the oracle is ${own.envoy.listener ?? ''} of ours`;
    }
    const cluster = error === 'invalid TLS' ? '' : (own.cluster ?? '');
    if (cluster !== (theirs.cluster ?? ''))
      return `${where}: cluster "${theirs.cluster ?? ''}" of the oracle is "${own.cluster ?? ''}" of ours`;
    if (own.sends === null) {
      const exists = (theirs.clusterType ?? '') !== '' && (theirs.endpoints ?? []).length > 0;
      if (own.cluster !== null && exists && own.cluster !== 'BlackHoleCluster')
        return `${where}: cluster ${own.cluster} has endpoints for the oracle; we refuse: ${ours.refusal?.code ?? ''} ${ours.refusal?.what ?? ''}`;
      continue;
    }
    if (theirs.clusterType === undefined)
      return `${where}: cluster ${theirs.cluster ?? ''} does not exist for the oracle`;
    if (TLS[own.sends.tls] !== theirs.upstreamTls)
      return `${where}: upstream TLS ${theirs.upstreamTls ?? ''} of the oracle is ${own.sends.tls} of ours`;
    if ((own.envoy.tunnel ?? '') !== (theirs.tunnel ?? ''))
      return `${where}: tunnel "${theirs.tunnel ?? ''}" of the oracle is "${own.envoy.tunnel ?? ''}" of ours`;
    // What becomes of CONNECT at another proxy of the mesh is beyond the simulation.
    if (own.envoy.tunnel !== null) return undefined;
    const sni = theirs.upstreamSni ?? '';
    if (theirs.clusterType === 'ORIGINAL_DST' && index === oracle.length - 1) return undefined;
    if (sni !== '' && sni !== (own.sends.sni ?? ''))
      return `${where}: SNI ${sni} of the oracle is ${own.sends.sni ?? ''} of ours`;
  }
  const more = hops[oracle.length];
  // The simulation ends at an endpoint that is a Service of the cluster; we follow it.
  if (hops[oracle.length - 1]?.endpointsOf !== undefined) return undefined;
  return more !== undefined && oracle.length < 3
    ? `we go on to ${proxyOf(more)}, the oracle stops after ${oracle.length}`
    : undefined;
}

/** What istiod's validation says of objects that it refuses, by their kind and name. */
export function refusedIn({ invalid = [] }: OracleReply): ReadonlyMap<string, string> {
  return new Map(invalid.map((text) => [text.slice(0, text.indexOf(':')), text]));
}

const declares = ({ kind, spec }: Thing, host: string): boolean =>
  kind === 'ServiceEntry' && ((spec as { readonly hosts?: readonly string[] }).hosts ?? []).includes(host);

/** Of kinds that istiod's webhook judges. */
const WEBHOOK = /^(networking|security|telemetry|extensions)\.istio\.io\//;

/** Objects that one of the two takes and the other refuses, in words. */
export function admissionDifferences(
  things: readonly Thing[],
  refused: ReadonlyMap<string, string>,
  generated: Pick<GeneratedMesh, 'config' | 'outbound'>,
  { istioVersion }: OracleReleases,
): string[] {
  const { manifests } = loadText(toYaml([...things, meshConfigMap(generated)]));
  const config = readMeshConfig(manifests, { istioVersion });
  const schemas = schemasOf({ ...ORACLE_RELEASES, istioVersion });
  return manifests
    .filter(({ body }) => WEBHOOK.test(String((body as unknown as Thing).apiVersion)))
    .flatMap((manifest) => {
      const admitted = admit(manifest, schemas);
      const ours = refusalOf(admitted, config);
      const theirs = refused.get(`${manifest.kind}/${manifest.name}`);
      if ((ours === undefined) === (theirs === undefined)) return [];
      // An API server refuses it before the webhook is asked.
      const { violations, ruled } = admitted;
      if (ours === undefined && violations.length + evaluateRules(ruled).length > 0) return [];
      return [`${JSON.stringify((manifest.body as unknown as Thing).spec)}: istiod ${theirs ?? `takes the ${manifest.kind}`}; we ${ours === undefined ? 'take it' : `refuse it: ${ours}`}`]; // prettier-ignore
    });
}

export async function compare(
  oracle: Oracle,
  generated: GeneratedMesh,
  releases: OracleReleases = ORACLE_RELEASES,
): Promise<Comparison> {
  let { things } = generated;
  const ask = (): Promise<OracleReply> =>
    oracle.ask(stored(things, releases), JSON.stringify(meshConfigOf(generated)), generated.asks.map(toCall));
  let reply = await ask();
  // What admission refuses never reaches a mesh: such objects are left out for both.
  const refused = refusedIn(reply);
  const admission = admissionDifferences(things, refused, generated, releases);
  if (refused.size > 0) {
    things = things.filter((thing) => !refused.has(`${thing.kind}/${thing.metadata.name}`));
    reply = await ask();
  }
  if (reply.error !== undefined || reply.results === null)
    return {
      requests: 0,
      hops: 0,
      tunnels: 0,
      skipped: 0,
      differences: [],
      admission,
      told: [],
      failure: reply.error ?? 'no results',
    };
  const mesh = buildMesh(loadText(toYaml([...things, meshConfigMap(generated)])).manifests, releases);
  let skipped = 0;
  let hops = 0;
  let tunnels = 0;
  const captures = generated.config === CAPTURES_DNS;
  const bare = captures
    ? buildMesh(loadText(toYaml([...withoutAddresses(things), meshConfigMap(generated)])).manifests, releases)
    : undefined;
  const differences = generated.asks.flatMap((ask, index): readonly Difference[] => {
    const theirs = reply.results?.[index]?.hops ?? [];
    const ours = trace(mesh, {
      ...(ask.at === undefined ? { from: ask.from } : { from: 'outside', at: ask.at }),
      request: requestOf(ask),
      address: ask.address,
      method: ask.method,
      headers: ask.headers,
    });
    // The oracle knows no iptables: what a Pod dials at itself is led to its sidecar there.
    if (ours.noted.some(({ kind }) => kind === 'listener-refused' || kind === 'own-loopback')) {
      skipped += 1;
      return [];
    }
    hops += theirs.length;
    // Of several entries each answers with an address of its own, and clients take any.
    const declaring = bare === undefined ? [] : things.filter((thing) => declares(thing, ask.host));
    if (
      bare !== undefined &&
      declaring.length === 1 &&
      givenAddresses(declaring, ask.host)[0] === ask.address &&
      ask.at === undefined
    ) {
      const unwritten = trace(bare, {
        from: ask.from,
        request: requestOf(ask),
        method: ask.method,
        headers: ask.headers,
      });
      const what = unwritten.outcome === 'unknown' ? undefined : difference(unwritten, theirs);
      if (what !== undefined)
        return [{ ask, what: `without addresses in status: ${what}`, ours: unwritten, oracle: theirs }];
    }
    tunnels += theirs.filter(({ tunnel }) => tunnel !== undefined).length;
    const what = difference(ours, theirs);
    return what === undefined ? [] : [{ ask, what, ours, oracle: theirs }];
  });
  const told = generated.asks.map((_, index) => reply.results?.[index]?.hops ?? []);
  return {
    requests: generated.asks.length - skipped,
    hops,
    tunnels,
    skipped,
    differences,
    admission,
    told,
    failure: undefined,
  };
}
