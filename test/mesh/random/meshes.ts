/** Random meshes for the lab: those that the routing oracle is asked about, on Pods that run, with what it cannot see. */
import fc from 'fast-check';
import { meshes } from '../../trace/oracle/meshes';
import { path } from '../../trace/oracle/virtual-services';
import { HOSTS, type Thing, maybe, pick, some } from '../../trace/oracle/vocabulary';
import { type Enrichment, authorizationPolicy, enriched, enrichment, policyThing } from './policies';
import { CLIENTS } from './world';

export interface LiveAsk {
  readonly from: string;
  readonly scheme: 'http' | 'https' | 'tcp';
  readonly host: string;
  readonly port: number;
  /** The IP that the client dials; undefined: what DNS says. */
  readonly address: string | undefined;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of a request from outside: the Gateway that it enters at, and the Service that is dialled for that. */
  readonly at?: string;
  readonly through?: string;
  /** Where it is sent from, if that is no Pod of its name. */
  readonly client?: string;
}

export interface LiveMesh {
  readonly outbound: 'REGISTRY_ONLY' | 'ALLOW_ANY';
  readonly things: readonly Thing[];
  readonly asks: readonly LiveAsk[];
}

const INSIDE = [
  'shop.app',
  'store.web.svc.cluster.local',
  'shop.app.svc.cluster.local',
  'store.web',
  'head.web',
] as const;

const ask: fc.Arbitrary<LiveAsk> = fc
  .record({
    from: pick(...CLIENTS),
    scheme: pick('http' as const, 'http' as const, 'http' as const, 'https' as const, 'https' as const, 'tcp' as const),
    host: fc.oneof(
      { arbitrary: pick(...HOSTS), weight: 8 },
      { arbitrary: pick(...INSIDE), weight: 2 },
      { arbitrary: pick('other.example.com', 'unknown.net', 'x.b.partner.io'), weight: 2 },
    ),
    httpPort: fc.oneof({ arbitrary: fc.constant(80), weight: 5 }, { arbitrary: fc.constant(8080), weight: 1 }),
    tlsPort: fc.oneof({ arbitrary: fc.constant(443), weight: 5 }, { arbitrary: fc.constant(8443), weight: 1 }),
    address: maybe(pick('203.0.113.10', '203.0.113.11', '203.0.113.12'), 1, 3),
    path: fc.tuple(path, pick('', '', '?v=2', '?v=x')).map((parts) => parts.join('')),
    method: pick('GET', 'GET', 'POST'),
    headers: pick<Record<string, string>>({}, { 'x-team': 'pay' }, { 'x-team': 'ops' }),
  })
  .map(({ httpPort, tlsPort, ...one }) => ({
    ...one,
    port: one.scheme === 'http' ? httpPort : one.scheme === 'https' ? tlsPort : 3306,
    address: INSIDE.some((host) => host === one.host) ? undefined : one.address,
  }));

const text = (things: readonly Thing[]): string =>
  JSON.stringify(things)
    .replace(/198\.51\.100\.(\d+)/g, (_all, last: string) => `203.0.113.${200 + Number(last)}`)
    // Files that no proxy has: the Secret that every gateway can read instead.
    .replace(
      '"clientCertificate":"/c.pem","privateKey":"/k.pem","caCertificates":"/ca.pem"',
      '"credentialName":"client"',
    );

/** A stock Envoy cannot tell what a port without a declared protocol speaks behind mutual TLS (docs/lab.md). */
const DECLARED: Readonly<Record<string, string>> = { web: 'http-web', any: 'http-any' };

/** Pods and their endpoints are the lab's own; it allocates the addresses of Services. */
function inLab(things: readonly Thing[]): readonly Thing[] {
  return (JSON.parse(text(things)) as readonly Thing[]).flatMap((thing) => {
    if (thing.kind === 'Pod' || thing.kind === 'EndpointSlice') return [];
    if (thing.kind !== 'Service') return [thing];
    const { clusterIP, ports, ...spec } = thing.spec as { clusterIP: string; ports: readonly { name: string }[] };
    const declared = ports.map((port) => ({ ...port, name: DECLARED[port.name] ?? port.name }));
    return [{ ...thing, spec: { ...spec, ports: declared, ...(clusterIP === 'None' ? { clusterIP } : {}) } }];
  });
}

function richer(thing: Thing, more: readonly Enrichment[], index: number): Thing {
  const { http, ...spec } = thing.spec as { http?: readonly object[] };
  if (thing.kind !== 'VirtualService' || http === undefined) return thing;
  const rules = http.map((rule, position) => enriched(rule, more[(index + position) % more.length] as Enrichment));
  return { ...thing, spec: { ...spec, http: rules } };
}

/** Two ServiceEntries of one namespace for one host, made in the same second: which one istiod takes is left to chance. */
function withoutTwins(things: readonly Thing[]): readonly Thing[] {
  const taken = new Set<string>();
  return things.filter((thing) => {
    if (thing.kind !== 'ServiceEntry') return true;
    const own = (thing.spec as { hosts: readonly string[] }).hosts.map((host) => `${thing.metadata.namespace} ${host}`);
    const isFirst = own.every((host) => !taken.has(host));
    if (isFirst) for (const host of own) taken.add(host);
    return isFirst;
  });
}

/** Distinct times of creation are what ties go by, and an API server sets its own: the objects are applied in their order. */
function byAge(a: Thing, b: Thing): number {
  return String(a.metadata.creationTimestamp ?? '').localeCompare(String(b.metadata.creationTimestamp ?? ''));
}

export function liveMeshes(requests: number): fc.Arbitrary<LiveMesh> {
  return fc
    .record({
      mesh: meshes(requests, { rare: false }),
      asks: some(ask, requests, requests),
      policies: fc.oneof(some(authorizationPolicy, 0, 0), some(authorizationPolicy, 1, 3)),
      more: some(enrichment, 7, 7),
    })
    .map(({ mesh, asks, policies, more }) => ({
      outbound: mesh.outbound,
      things: withoutTwins(
        [...inLab(mesh.things).map((thing, index) => richer(thing, more, index)), ...policies.map(policyThing)].sort(
          byAge,
        ),
      ),
      // What the mesh's own generator asks for with its forwards in mind, and requests of any kind.
      asks: asks.map((one, index): LiveAsk => {
        const wanted = mesh.asks[index];
        if (wanted === undefined || index % 2 === 0 || !HOSTS.some((host) => host === wanted.host)) return one;
        const scheme = wanted.scheme === 'tls' ? 'https' : wanted.scheme;
        const port = scheme === 'http' ? 80 : scheme === 'https' ? 443 : 3306;
        return { ...one, host: wanted.host, scheme, port };
      }),
    }));
}
