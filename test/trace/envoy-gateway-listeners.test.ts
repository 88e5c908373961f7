/**
 * Which listeners Envoy Gateway programs, and which routes it attaches to them: as the translator of 1.7.0 (egctl x translate), and the
 * sources of 1.8.0 and 1.9.1, say. Shared proxies are by the sources alone, since egctl does not merge Gateways.
 */
import { outcome, traceIn } from './text';

const BASE = `
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: v1
kind: Namespace
metadata: {name: envoy-gateway-system}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: edge}
spec: {selector: {app: shop}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: side, namespace: edge}
spec: {selector: {app: side}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: opaque, namespace: edge}
type: Opaque
stringData: {note: not a certificate}
`;
interface Made {
  readonly name?: string;
  readonly className?: string;
  readonly more?: string;
}
const gateway = (listeners: readonly string[], { name = 'front', className = 'eg', more = '' }: Made = {}) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: ${name}, namespace: edge}
spec:
  gatewayClassName: ${className}
  ${more}
  listeners:
${listeners.map((one) => `  - {${one}}`).join('\n')}
`;
const route = (kind: string, name: string, parent: string, hostnames: string, rules = 1) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: edge}
spec:
  parentRefs: [{${parent}}]
  ${hostnames === '' ? '' : `hostnames: [${hostnames}]`}
  rules: [${Array(rules).fill(`{backendRefs: [{name: ${name}, port: 80}]}`).join(', ')}]
`;
const shop = (kind = 'HTTPRoute', hostnames = 'shop.example.com') => route(kind, 'shop', 'name: front', hostnames);
const tls = (more: string) => `name: https, port: 443, protocol: HTTPS, tls: {${more}}`;
const SHOP = 'delivered to shop.edge.svc.cluster.local:80';
const SIDE = 'delivered to side.edge.svc.cluster.local:80';
const CLOSED = 'NR - at envoy-gateway';
const NOBODY = 'NR 404 at envoy-gateway';
const PLAIN = 'http://shop.example.com/';
const TLS = 'https://shop.example.com/';
const ask = (yaml: string, request: string, release = '1.7.0', at = 'edge/front') =>
  traceIn(BASE + yaml, { envoyGatewayVersion: release })(request, { from: 'outside', at });
const end = (...args: Parameters<typeof ask>) => outcome(ask(...args));

describe('a listener that is not valid by itself', () => {
  const http = (more: string) => `name: http, port: 80, protocol: HTTP, ${more}`;
  it.each([
    ['names a kind of routes that it cannot have', http('allowedRoutes: {kinds: [{kind: HTTPRoute}, {kind: TCPRoute}]}'), PLAIN],
    ['names a kind of another group', http('allowedRoutes: {kinds: [{kind: HTTPRoute}, {group: example.com, kind: HTTPRoute}]}'), PLAIN],
    ['has no selector of namespaces', http('allowedRoutes: {namespaces: {from: Selector}}'), PLAIN],
    ['has a selector without values', http('allowedRoutes: {namespaces: {from: Selector, selector: {matchExpressions: [{key: a, operator: In}]}}}'), PLAIN],
    ['is of an unknown protocol', 'name: grpc, port: 80, protocol: GRPC', PLAIN],
    ['is plain and has TLS', http('tls: {certificateRefs: [{name: cert}]}'), PLAIN],
    ['has no TLS', 'name: https, port: 443, protocol: HTTPS', TLS],
    ['has no certificate', tls('options: {example.com/a: b}'), TLS],
    ['passes TLS through, for HTTPS', tls('mode: Passthrough'), TLS],
    ['has a certificate that is no Secret', tls('certificateRefs: [{kind: ConfigMap, name: cert}]'), TLS],
    ['has a Secret of another type', tls('certificateRefs: [{name: opaque}]'), TLS],
    ['has certificates from elsewhere only', tls('certificateRefs: [{name: cert, namespace: far}, {name: opaque}]'), TLS],
  ])('is not programmed: it %s', (_, listener, request) => {
    const told = ask(gateway([listener]) + shop(), request);
    expect(outcome(told)).toBe(CLOSED);
    expect(told.refusal?.what).toMatch(/^listener \w+ of Gateway edge\/front is not programmed: /);
    expect(told.refusal?.fix).not.toBe('');
  }); // prettier-ignore

  it('is programmed where one of its certificates may be used', () => {
    expect(end(gateway([tls('certificateRefs: [{name: cert, namespace: far}, {name: cert}]')]) + shop(), TLS)).toBe(
      SHOP,
    );
  });

  it('passes TLS through and has a certificate', () => {
    const listener = (more: string) => `name: pass, port: 443, protocol: TLS, tls: {mode: Passthrough${more}}`;
    expect(end(gateway([listener(', certificateRefs: [{name: cert}]')]) + shop('TLSRoute'), 'tls://shop.example.com:443')).toBe(CLOSED); // prettier-ignore
    expect(end(gateway([listener('')]) + shop('TLSRoute'), 'tls://shop.example.com:443')).toBe(SHOP);
  });

  it('is in conflict with others before 1.8 only', () => {
    const both = gateway([
      'name: http, port: 80, protocol: HTTP, hostname: shop.example.com',
      'name: odd, port: 80, protocol: HTTP, hostname: shop.example.com, allowedRoutes: {kinds: [{kind: TLSRoute}]}',
    ]);
    expect(end(both + route('HTTPRoute', 'shop', 'name: front, sectionName: http', ''), PLAIN)).toBe(CLOSED);
    for (const release of ['1.7', '1.7.4', '1.8', '1.8.0'])
      expect(end(both + route('HTTPRoute', 'shop', 'name: front, sectionName: http', ''), PLAIN, release)).toBe(SHOP);
  });
});

describe('routes of TCP', () => {
  const tcp = gateway(['name: tcp, port: 5432, protocol: TCP']);
  const to = 'tcp://198.51.100.1:5432';

  it('have a listener each, the oldest first, and are attached with one rule only', () => {
    const second = route('TCPRoute', 'side', 'name: front', '');
    expect(end(tcp + shop('TCPRoute', '') + second, to)).toBe(SHOP);
    expect(end(tcp + route('TCPRoute', 'shop', 'name: front', '', 2), to)).toBe(CLOSED);
  });

  it('are not for a listener that passes TLS through', () => {
    const pass = gateway(['name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}']);
    expect(end(pass + shop('TCPRoute', ''), 'tls://shop.example.com:443')).toBe(CLOSED);
  });

  it('share a port with HTTP before 1.8 only', () => {
    const both = gateway(['name: http, port: 80, protocol: HTTP', 'name: tcp, port: 80, protocol: TCP']);
    const routes = route('TCPRoute', 'shop', 'name: front, sectionName: tcp', '');
    expect(end(both + routes, 'tcp://198.51.100.1:80')).toBe(SHOP);
    expect(end(both + routes, 'tcp://198.51.100.1:80', '1.9')).toBe(CLOSED);
  });
});

it('takes a route of a broader wildcard to a listener from 1.6.5 and 1.7.1 on', () => {
  const wild = gateway(["name: http, port: 80, protocol: HTTP, hostname: '*.example.com'"]);
  expect(end(wild + shop('HTTPRoute', "'*.com'"), PLAIN)).toBe(NOBODY);
  for (const release of ['1.6.5', '1.7', '1.7.1', '1.8', '1.8.0'])
    expect(end(wild + shop('HTTPRoute', "'*.com'"), PLAIN, release)).toBe(SHOP);
  expect(end(wild + shop('HTTPRoute', "'*.shop.example.com'"), 'http://a.shop.example.com/')).toBe(SHOP);
});

describe('listeners of sets', () => {
  const set = (listener: string) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: more, namespace: edge}
spec: {parentRef: {name: front}, listeners: [{${listener}}]}
`;
  const open = { more: 'allowedListeners: {namespaces: {from: Same}}' };
  const own = gateway(['name: http, port: 80, protocol: HTTP, hostname: shop.example.com'], open);
  const same = set('name: again, port: 80, protocol: HTTP, hostname: shop.example.com');

  // 1.8.3 takes the hostname that the set has lost for taken, and no route for it; egctl's own test says so.
  it('give way to the Gateway from 1.8 on, which has its routes since 1.9', () => {
    expect(end(own + same + shop(), PLAIN, '1.9')).toBe(SHOP);
    expect(end(own + same + shop(), PLAIN, '1.8')).toBe('NR 404 at envoy-gateway');
  });

  it('give way where protocols are mixed', () => {
    const mixed = set('name: again, port: 80, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}');
    expect(end(own + mixed + shop(), PLAIN, '1.9')).toBe(SHOP);
    expect(end(own + mixed + shop(), PLAIN, '1.8')).toBe(CLOSED);
  });
});

describe('Gateways that share their proxies', () => {
  const merging = (merges: boolean) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: shared}
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
  parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: all, namespace: envoy-gateway-system}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: all, namespace: envoy-gateway-system}
spec: {mergeGateways: ${merges}}
`;
  const http = (hostname: string) => `name: http, port: 80, protocol: HTTP${hostname && `, hostname: ${hostname}`}`;
  const two = (first: string, second: string, merges = true) =>
    merging(merges) +
    gateway([first], { className: 'shared' }) +
    gateway([second], { className: 'shared', name: 'rear' });
  const side = (hostnames = '') => route('HTTPRoute', 'side', 'name: rear', hostnames);
  const AT_SIDE = 'http://side.example.com/';

  it('serve the routes of all of them, at whichever a request enters', () => {
    const yaml = two(http('shop.example.com'), http('side.example.com')) + shop() + side();
    expect(end(yaml, AT_SIDE)).toBe(SIDE);
    expect(end(yaml, PLAIN, '1.7', 'edge/rear')).toBe(SHOP);
    const apart = two(http('shop.example.com'), http('side.example.com'), false) + shop() + side();
    expect(end(apart, AT_SIDE)).toBe(NOBODY);
    expect(ask(yaml, AT_SIDE).hops[0]?.proxy.workload).toBe('envoy-shared');
  });

  it('keep the first of equal listeners', () => {
    const yaml = two(http(''), http('')) + shop() + side('side.example.com');
    expect(end(yaml, PLAIN, '1.7', 'edge/rear')).toBe(SHOP);
    expect(end(yaml, AT_SIDE, '1.7', 'edge/rear')).toBe(NOBODY);
  });

  it('have one list of hosts for plain HTTP, which Envoy refuses with one twice', () => {
    const yaml = two(http(''), http("'*.example.com'")) + shop() + side('shop.example.com');
    const told = ask(yaml, PLAIN);
    expect(outcome(told)).toBe(NOBODY);
    expect(told.refusal?.what).toContain('HTTPRoute edge/shop at listener http of Gateway edge/front and');
  });

  it('may have plain HTTP at one and HTTPS at the other of a port before 1.8 only', () => {
    const yaml = two('name: http, port: 443, protocol: HTTP', tls('certificateRefs: [{name: cert}]')) + shop() + side();
    expect(end(yaml, 'https://side.example.com/')).toBe(SIDE);
    expect(end(yaml, 'https://side.example.com/', '1.8')).toBe(CLOSED);
  });

  it('take no ClientTrafficPolicy of one of them at a port that they share', () => {
    const client = (target: string) => `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: client, namespace: edge}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: ${target}}], healthCheck: {path: /}}
`;
    const hosts = [http('shop.example.com'), http('side.example.com')] as const;
    expect(end(two(...hosts) + shop() + client('front'), PLAIN)).toBe(SHOP);
    expect(ask(two(...hosts, false) + shop() + client('front'), PLAIN).outcome).toBe('answered');
    const apart = two(hosts[0], http('side.example.com').replace('80', '8080'));
    expect(ask(apart + shop() + client('front'), PLAIN).outcome).toBe('answered');
  });

  it('have the SecurityPolicies of their own listeners', () => {
    const guard = `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: guard, namespace: edge}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: front}], authorization: {defaultAction: Deny}}
`;
    const yaml = two(http('shop.example.com'), http('side.example.com')) + shop() + side() + guard;
    expect(end(yaml, PLAIN, '1.7', 'edge/rear')).toBe('RBAC 403 at envoy-gateway');
    expect(end(yaml, AT_SIDE)).toBe(SIDE);
  });

  it('may name no EnvoyProxy of their own', () => {
    const own = 'infrastructure: {parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: own}}';
    const proxy = '---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyProxy\nmetadata: {name: own, namespace: edge}\nspec: {}\n'; // prettier-ignore
    const made = (merges: boolean) =>
      merging(merges) + proxy + gateway([http('')], { className: 'shared', more: own }) + shop();
    expect(end(made(true), PLAIN)).toBe(CLOSED);
    expect(end(made(false), PLAIN)).toBe(SHOP);
    expect(end(made(false).replace('name: own}}', 'name: nobody}}'), PLAIN)).toBe(CLOSED);
  });

  it('are merged by the configuration of Envoy Gateway itself, if their class does not say otherwise', () => {
    const settings = '---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyGateway\nmetadata: {name: settings}\nenvoyProxy: {mergeGateways: true}\n'; // prettier-ignore
    const hosts = [http('shop.example.com'), http('side.example.com')] as const;
    const silent = two(...hosts).replace('{mergeGateways: true}', '{ipFamily: IPv4}');
    expect(end(settings + silent + shop() + side(), AT_SIDE)).toBe(SIDE);
    expect(end(settings + two(...hosts, false) + shop() + side(), AT_SIDE)).toBe(NOBODY);
  });
});
