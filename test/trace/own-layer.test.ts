import * as fc from 'fast-check';
import { loadObjects } from '../../src/model/load';
import { type Mesh, buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace';

/**
 * Most teams keep entries of their own beside those that all share. `trace` reads the two apart where they do not touch; whatever it finds
 * that way must be what it finds with everything in view.
 */
const TEAMS = ['alpha', 'beta', 'gamma'];
const HOSTS = [
  'one.example.com',
  'two.example.com',
  'api.three.test',
  '*.four.test',
  'www.four.test',
  'five.example.com',
];
const PORTS = [
  { number: 80, name: 'http', protocol: 'HTTP' },
  { number: 443, name: 'tls', protocol: 'TLS' },
  { number: 8443, name: 'https', protocol: 'HTTPS' },
  { number: 5432, name: 'tcp', protocol: 'TCP' },
] as const;

const audience = fc.option(fc.oneof(fc.constant(['.']), fc.subarray(TEAMS, { minLength: 1 })), { nil: undefined });

const entry = fc.record({
  host: fc.constantFrom(...HOSTS),
  namespace: fc.constantFrom(...TEAMS, 'shared'),
  exportTo: audience,
  ports: fc.oneof({ weight: 4, arbitrary: fc.constant(PORTS.slice(0, 2)) }, fc.subarray([...PORTS], { minLength: 1 })),
});

const route = fc.record({
  hosts: fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 2 }),
  namespace: fc.constantFrom(...TEAMS, 'shared'),
  exportTo: audience,
  to: fc.constantFrom(...HOSTS.filter((host) => !host.startsWith('*')), 'egress.shared.svc.cluster.local'),
  kind: fc.constantFrom('http', 'tls', 'tcp'),
  source: fc.option(fc.constantFrom(...TEAMS), { nil: undefined }),
});

const metadata = (name: string, namespace: string) => ({ name, namespace });

function entryObject(
  { host, namespace, exportTo, ports }: typeof entry extends fc.Arbitrary<infer T> ? T : never,
  at: number,
) {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: metadata(`e${at}`, namespace),
    spec: {
      hosts: [host],
      location: 'MESH_EXTERNAL',
      resolution: host.startsWith('*') ? 'NONE' : 'DNS',
      ports,
      exportTo,
    },
  };
}

function routeObject(
  { hosts, namespace, exportTo, to, kind, source }: typeof route extends fc.Arbitrary<infer T> ? T : never,
  at: number,
) {
  const destination = { host: to, port: { number: kind === 'http' ? 80 : 443 } };
  const match = kind === 'tls' ? { sniHosts: hosts, port: 443 } : kind === 'tcp' ? { port: 5432 } : undefined;
  const whose = source === undefined ? {} : { sourceNamespace: source };
  const matches =
    match === undefined && source === undefined ? undefined : [{ ...match, ...(kind === 'http' ? whose : {}) }];
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: metadata(`v${at}`, namespace),
    spec: { hosts, exportTo, [kind]: [{ match: matches, route: [{ destination }] }] },
  };
}

const EGRESS = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata('egress', 'shared'),
  spec: { selector: { app: 'egress' }, ports: PORTS.slice(0, 2).map(({ number, name }) => ({ port: number, name })) },
};

/** What everyone has, on the ports that most entries use. */
const SHARED = entryObject(
  { host: 'shared.example.com', namespace: 'shared', exportTo: undefined, ports: PORTS.slice(0, 2) },
  99,
);

const REQUESTS = [...HOSTS, 'shared.example.com'].flatMap((host) => {
  const name = host.replace('*', 'any');
  return [
    `http://${name}/`,
    `http://${name}:443/`,
    `https://${name}/`,
    `https://${name}:8443/`,
    `tls://${name}:443`,
    `tcp://${name}:5432`,
  ];
});

describe('entries that a namespace has to itself', () => {
  it('are followed as if all entries were looked at together', () => {
    let layers = 0;
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 5 }),
        fc.array(route, { maxLength: 3 }),
        fc.constantFrom('ALLOW_ANY' as const, 'REGISTRY_ONLY' as const),
        (entries, routes, outbound) => {
          const { manifests } = loadObjects([EGRESS, SHARED, ...entries.map(entryObject), ...routes.map(routeObject)]);
          const layered = buildMesh(manifests, { outbound });
          const whole = buildMesh(manifests, { outbound });
          const layerOf = layered.layerOf.bind(layered);
          layered.layerOf = (...asked: Parameters<Mesh['layerOf']>) => {
            const layer = layerOf(...asked);
            if (layer?.other !== undefined) layers += 1;
            return layer;
          };
          whole.layerOf = () => undefined;
          for (const from of TEAMS) {
            for (const request of REQUESTS) {
              const [apart, together] = [layered, whole].map((mesh) => ({
                from,
                request,
                ...trace(mesh, { from, request }),
              }));
              if (JSON.stringify(apart) !== JSON.stringify(together)) expect(apart).toEqual(together);
            }
          }
        },
      ),
      { numRuns: 100, seed: 20261121 },
    );
    expect(layers).toBeGreaterThan(500);
  });
});
