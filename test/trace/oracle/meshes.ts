/**
 * Random meshes that a team could have written: a few namespaces and hosts, so that objects meet, overlap and contradict one
 * another; requests that mostly ask for what is there. What the oracle cannot see is left out (see docs/accuracy).
 */
import fc from 'fast-check';
import { gateway, serviceEntry } from './entries-and-gateways';
import { forwarded, partsOf } from './forwarded';
import { destinationRule, peerAuthentication, sidecar } from './policies';
import {
  CAPTURES_DNS,
  givenAddresses,
  meshSettings,
  RARE_HOSTS,
  rareAsk,
  rareForms,
  withAddresses,
} from './rare-forms';
import { spoiling, spoilt } from './refused';
import { anyPath, method, requestHeaders, virtualService } from './virtual-services';
import { type Ask, GATEWAYS, type GeneratedMesh, HOSTS, type Thing, metadata, pick, some } from './vocabulary';
import { base, servicePorts } from './workloads';

const ask = fc
  .record({
    from: pick('app/sleep', 'app/sleep', 'web/sleep', 'app/other'),
    scheme: pick('http' as const, 'http' as const, 'https' as const, 'tls' as const, 'tcp' as const),
    host: fc.oneof(
      { arbitrary: pick(...HOSTS), weight: 8 },
      {
        arbitrary: pick(
          'other.example.com',
          'unknown.net',
          'x.b.partner.io',
          'shop.app',
          'shop',
          'store.web.svc',
          'store.web.svc.cluster.local',
          'shop.app.svc.cluster.local',
          'head.web',
        ),
        weight: 3,
      },
      { arbitrary: pick(...RARE_HOSTS), weight: 2 },
    ),
    address: pick(
      '203.0.113.10',
      '203.0.113.10',
      '203.0.113.11',
      '203.0.113.99',
      '192.0.2.1',
      '10.96.0.60',
      '10.96.0.61',
      '10.96.0.50',
      '10.244.1.50',
      '203.0.113.12',
      '203.0.113.40',
      '10.96.0.70',
      '10.96.0.71',
      '10.96.0.72',
      '127.0.0.1',
    ),
    port: fc.oneof(
      { arbitrary: pick(80, 443), weight: 4 },
      { arbitrary: pick(8080, 3306, 9000, 8443, 9999), weight: 1 },
    ),
    path: anyPath,
    method,
    headers: requestHeaders,
  })
  .map((one) => ({ ...one, port: one.scheme === 'https' && one.port === 80 ? 443 : one.port }));

/** The same request from outside, at one of the gateways. */
function atGateway(one: Ask, mapped: boolean): Ask {
  const gateway = one.from.startsWith('web/') ? GATEWAYS[1] : GATEWAYS[0];
  const pods: Readonly<Record<number, number>> = mapped ? { 80: 8080, 443: 8443, 8443: 9443 } : {};
  const name = `${gateway.namespace}/${gateway.name}`;
  return { ...one, from: name, at: name, address: gateway.ip, podPort: pods[one.port] ?? one.port };
}

const ofSeveral = (addresses: readonly string[], index: number): string | undefined =>
  addresses[index % Math.max(1, addresses.length)];

const SECURITY = 'security.istio.io/v1';
const NETWORKING = 'networking.istio.io/v1';

/** A mesh of a few objects of each kind, with `requests` requests; without `rare`, none of the forms that fewer people write. */
export function meshes(requests: number, { rare = true } = {}): fc.Arbitrary<GeneratedMesh> {
  const parts = fc.record({
    base: fc.record({
      mapped: fc.boolean(),
      shopPorts: servicePorts,
      shopRuns: fc.boolean(),
      shopSeenBy: rare ? pick('', '', '', '', '.', 'web', 'app,edge', '*', '~', 'web, edge') : fc.constant(''),
      shopInMesh: fc.boolean(),
      headless: servicePorts,
    }),
    entries: some(serviceEntry, 0, 4),
    gateways: some(gateway, 0, 3),
    rules: some(destinationRule, 0, 5),
    sidecars: some(sidecar, 0, 2),
    peers: some(peerAuthentication, 0, 2),
    outbound: pick('REGISTRY_ONLY' as const, 'ALLOW_ANY' as const),
    asks: some(ask, requests, requests),
    forwards: some(forwarded, 0, 3),
    rare: rare ? rareForms : fc.constant([]),
    rareAsk,
    config: rare ? meshSettings : fc.constant({}),
    spoilings: rare ? spoiling : fc.constant([]),
  });
  return parts.chain((made) => {
    const names = made.gateways.map((one, index) => `${one.owner}/gw${index}`);
    return fc
      .tuple(
        some(virtualService({ gateways: names, rare }), 0, 5),
        fc.shuffledSubarray(
          Array.from({ length: 60 }, (_value, index) => index),
          { minLength: 60, maxLength: 60 },
        ),
      )
      .map(([routes, ages]): GeneratedMesh => {
        let next = 0;
        const age = (): number => ages[next++] ?? next + 60;
        const make =
          (kind: string, prefix: string, apiVersion: string) =>
          (one: { owner: string; spec: object }, index: number): Thing => ({
            apiVersion,
            kind,
            metadata: metadata(`${prefix}${index}`, one.owner, age()),
            spec: one.spec,
          });
        const things = spoilt(
          [
            ...base(made.base),
            ...made.rare,
            ...made.entries.map(make('ServiceEntry', 'se', NETWORKING)),
            ...made.gateways.map((one, index): Thing => ({
              apiVersion: NETWORKING,
              kind: 'Gateway',
              metadata: metadata(`gw${index}`, one.owner, age()),
              spec: {
                selector: one.selector,
                servers: one.servers.map((server, position) => ({
                  ...server.base,
                  port: { ...server.base.port, name: `${server.base.port.name}-${position}` },
                  hosts: server.hosts,
                })),
              },
            })),
            ...routes.map(make('VirtualService', 'vs', NETWORKING)),
            ...made.rules.map(make('DestinationRule', 'dr', NETWORKING)),
            ...made.sidecars.map(make('Sidecar', 'sc', NETWORKING)),
            ...made.peers.map(make('PeerAuthentication', 'pa', SECURITY)),
            ...made.forwards.flatMap((one, index) =>
              partsOf(one, index).map((part): Thing => ({
                apiVersion: NETWORKING,
                kind: part.kind,
                metadata: metadata(part.name, part.owner, age()),
                spec: part.spec,
              })),
            ),
          ],
          made.spoilings,
        );
        const atGateways = made.rare.some(({ kind }) => kind === 'Ingress') ? 2 : 8;
        // Half of the requests are for what is forwarded, as its clients would send them.
        const asks = made.asks.map((one, index): Ask => {
          if (rare && index % atGateways === 0) return atGateway(one, made.base.mapped);
          if (made.rare.length > 0 && index % 4 === 2) return { ...one, ...made.rareAsk };
          const wanted = made.forwards[index % Math.max(1, made.forwards.length)];
          if (wanted === undefined || index % 2 === 0) return one;
          const { way, host } = wanted;
          const scheme = way === 'tcp' ? 'tcp' : way === 'tls' || way === 'mutual-tcp' ? 'https' : 'http';
          return { ...one, host, scheme, port: way === 'tcp' ? 3306 : scheme === 'https' ? 443 : 80 };
        });
        if (made.config !== CAPTURES_DNS) return { outbound: made.outbound, config: made.config, things, asks };
        const addressed = withAddresses(things);
        return {
          outbound: made.outbound,
          config: made.config,
          things: addressed,
          // Most clients dial what their sidecar answers.
          asks: asks.map((one, index) => ({
            ...one,
            address:
              (index % 4 === 0 ? undefined : ofSeveral(givenAddresses(addressed, one.host), index)) ?? one.address,
          })),
        };
      });
  });
}
