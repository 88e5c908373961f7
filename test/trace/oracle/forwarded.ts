/** Objects that belong together: traffic sent to a gateway and on from there, as the documentation has it, with some parts astray. */
import fc from 'fast-check';
import { GATEWAYS, HOSTS, exportTo, namespace, pick } from './vocabulary';

const WAYS = ['http', 'tls', 'originate', 'mutual', 'mutual-tcp', 'tcp'] as const;

const SERVERS: Readonly<
  Record<(typeof WAYS)[number], { readonly port: object; readonly number: number; readonly tls?: object }>
> = {
  http: { number: 80, port: { number: 80, name: 'http', protocol: 'HTTP' } },
  originate: { number: 80, port: { number: 80, name: 'http', protocol: 'HTTP' } },
  tls: { number: 443, port: { number: 443, name: 'tls', protocol: 'TLS' }, tls: { mode: 'PASSTHROUGH' } },
  mutual: { number: 443, port: { number: 443, name: 'https', protocol: 'HTTPS' }, tls: { mode: 'ISTIO_MUTUAL' } },
  'mutual-tcp': { number: 443, port: { number: 443, name: 'tls', protocol: 'TLS' }, tls: { mode: 'ISTIO_MUTUAL' } },
  tcp: { number: 3306, port: { number: 3306, name: 'tcp', protocol: 'TCP' } },
};

/** A host sent through a gateway the way documents tell it, with up to a few mistakes that people make. */
export const forwarded = fc.record({
  host: pick(...HOSTS),
  way: pick(...WAYS),
  gateway: pick<(typeof GATEWAYS)[number]>(...GATEWAYS),
  owner: namespace,
  ruleOwner: fc.oneof({ arbitrary: fc.constant('same' as const), weight: 3 }, { arbitrary: namespace, weight: 1 }),
  routeOwner: fc.oneof({ arbitrary: fc.constant('same' as const), weight: 3 }, { arbitrary: namespace, weight: 1 }),
  serverHost: fc.oneof(
    { arbitrary: fc.constant('same' as const), weight: 6 },
    { arbitrary: pick('*.example.com', '*', 'other.example.com'), weight: 1 },
  ),
  bound: fc.oneof(
    { arbitrary: fc.constant('both' as const), weight: 8 },
    { arbitrary: pick('mesh' as const, 'gateway' as const), weight: 1 },
  ),
  noSubset: fc.integer({ min: 0, max: 7 }).map((dice) => dice === 0),
  noMatch: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  sni: fc.oneof(
    { arbitrary: fc.constant('same' as const), weight: 6 },
    { arbitrary: pick('none' as const, 'www.example.com' as const), weight: 1 },
  ),
  target: fc.oneof({ arbitrary: fc.constant(0), weight: 6 }, { arbitrary: pick(80, 443, 8080), weight: 1 }),
  seenBy: exportTo,
  resolution: pick('DNS', 'DNS', 'NONE', 'STATIC'),
});

type Forwarded = typeof forwarded extends fc.Arbitrary<infer T> ? T : never;

interface Part {
  readonly kind: string;
  readonly owner: string;
  readonly name: string;
  readonly spec: object;
}

export function partsOf(made: Forwarded, index: number): readonly Part[] {
  const { host, way, gateway: through, owner } = made;
  const server = SERVERS[way];
  const name = `f${index}`;
  const subset = made.noSubset ? undefined : name;
  const sni = made.sni === 'same' ? host : made.sni === 'none' ? undefined : made.sni;
  const isL4 = way === 'tls' || way === 'tcp' || way === 'mutual-tcp';
  const entry = way === 'tcp' ? 3306 : way === 'tls' || way === 'mutual-tcp' ? 443 : 80;
  const outPort = made.target || (way === 'originate' || way === 'mutual' ? 443 : entry);
  const toGateway = { route: [{ destination: { host: through.host, subset, port: { number: server.number } } }] };
  const toHost = { route: [{ destination: { host, port: { number: outPort } } }] };
  const gatewayName = `${owner}/${name}`;
  const on = (where: string, number: number): object => ({
    gateways: [where],
    port: number,
    ...(way === 'tls' || way === 'mutual-tcp' ? { sniHosts: [host] } : {}),
  });
  const first = made.noMatch
    ? { ...toGateway, ...(isL4 ? { match: [on('mesh', entry)] } : {}) }
    : { ...toGateway, match: [on('mesh', entry)] };
  const second =
    way === 'mutual-tcp'
      ? { ...toHost, match: [{ gateways: [gatewayName], port: server.number }] }
      : { ...toHost, match: [on(gatewayName, server.number)] };
  const kind = way === 'tcp' ? 'tcp' : isL4 ? 'tls' : 'http';
  const rules = way === 'mutual-tcp' ? { tls: [first], tcp: [second] } : { [kind]: [first, second] };
  const mutual = way === 'mutual' || way === 'mutual-tcp';
  return [
    {
      kind: 'ServiceEntry',
      owner,
      name: `${name}-se`,
      spec: {
        hosts: [host],
        ports: [
          { number: 80, name: 'http', protocol: 'HTTP' },
          { number: 443, name: 'tls', protocol: 'TLS' },
          ...(way === 'tcp' ? [{ number: 3306, name: 'tcp', protocol: 'TCP' }] : []),
        ],
        resolution: made.resolution,
        endpoints: made.resolution === 'STATIC' ? [{ address: '198.51.100.20' }] : undefined,
        location: 'MESH_EXTERNAL',
      },
    },
    {
      kind: 'Gateway',
      owner,
      name,
      spec: {
        selector: { app: through.labels.app },
        servers: [{ port: server.port, tls: server.tls, hosts: [made.serverHost === 'same' ? host : made.serverHost] }],
      },
    },
    {
      kind: 'DestinationRule',
      owner: made.ruleOwner === 'same' ? owner : made.ruleOwner,
      name: `${name}-hop`,
      spec: {
        host: through.host,
        exportTo: made.seenBy,
        subsets: [
          {
            name,
            trafficPolicy: mutual
              ? { portLevelSettings: [{ port: { number: 443 }, tls: { mode: 'ISTIO_MUTUAL', sni } }] }
              : undefined,
          },
        ],
      },
    },
    {
      kind: 'VirtualService',
      owner: made.routeOwner === 'same' ? owner : made.routeOwner,
      name: `${name}-route`,
      spec: {
        hosts: [host],
        gateways: made.bound === 'both' ? ['mesh', gatewayName] : made.bound === 'mesh' ? ['mesh'] : [gatewayName],
        exportTo: made.seenBy,
        ...rules,
      },
    },
    ...(way === 'originate' || way === 'mutual'
      ? [
          {
            kind: 'DestinationRule',
            owner: through.namespace,
            name: `${name}-tls`,
            spec: {
              host,
              trafficPolicy: { portLevelSettings: [{ port: { number: 443 }, tls: { mode: 'SIMPLE', sni: host } }] },
            },
          },
        ]
      : []),
  ];
}
