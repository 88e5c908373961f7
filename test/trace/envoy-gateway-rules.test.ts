/** Rules that Envoy Gateway does not carry out as they are written: told as Envoy Gateway 1.7.0 translates them (egctl x translate). */
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
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec: {gatewayClassName: eg, listeners: [{name: http, port: 80, protocol: HTTP}]}
`;
const route = (...rules: readonly string[]) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: edge}
spec:
  parentRefs: [{name: front}]
  hostnames: [shop.example.com]
  rules:
${rules.map((one) => `  - {${one}}`).join('\n')}
`;
const filter = (name: string, spec: string) => `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: HTTPRouteFilter
metadata: {name: ${name}, namespace: edge}
spec: ${spec}
`;
const to = (name: string) => `backendRefs: [{name: ${name}, port: 80}]`;
const OTHER = `matches: [{path: {value: /other}}], ${to('side')}`;
const named = (name: string, group = 'gateway.envoyproxy.io', kind = 'HTTPRouteFilter') =>
  `{type: ExtensionRef, extensionRef: {group: ${group}, kind: ${kind}, name: ${name}}}`;
const SHOP = 'delivered to shop.edge.svc.cluster.local:80';
const SIDE = 'delivered to side.edge.svc.cluster.local:80';
const NOBODY = 'NR 404 at envoy-gateway';
const FAILS = 'direct_response 500 at envoy-gateway';
const PLAIN = 'http://shop.example.com/';
const ask = (yaml: string, request = PLAIN, headers = {}, envoyGatewayVersion = '1.7.0') =>
  traceIn(BASE + yaml, { envoyGatewayVersion })(request, { from: 'outside', at: 'edge/front', headers });
const end = (...args: Parameters<typeof ask>) => outcome(ask(...args));

describe('a filter that Envoy Gateway does not take', () => {
  const filters: readonly (readonly [string, string, string])[] = [
    ['changes the Host', '{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Host, value: a.example.com}]}}', ''],
    ['has a header without a value', "{type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: x-a, value: ''}]}}", ''],
    ['is of another group', named('thing', 'example.com', 'Thing'), ''],
    ['rewrites by no expression', named('own'), filter('own', "{urlRewrite: {path: {type: ReplaceRegexMatch, replaceRegexMatch: {pattern: '(a', substitution: b}}}}")],
    ['answers out of a ConfigMap that is not there', named('own'), filter('own', '{directResponse: {body: {type: ValueRef, valueRef: {kind: ConfigMap, name: none}}}}')],
    ['rewrites a second time', `{type: URLRewrite, urlRewrite: {hostname: a.example.com}}, ${named('own')}`, filter('own', '{urlRewrite: {hostname: {type: Backend}}}')],
    ['copies and answers', `{type: RequestMirror, requestMirror: {backendRef: {name: side, port: 80}}}, ${named('own')}`, filter('own', '{directResponse: {statusCode: 200}}')],
  ]; // prettier-ignore
  it.each(filters)('takes the route away where it has no other rule, and answers 500 else: it %s', (_, given, more) => {
    const rule = `filters: [${given}], ${to('shop')}`;
    const told = ask(route(rule) + more);
    expect(outcome(told)).toBe(NOBODY);
    expect(told.refusal?.what).toContain(
      'HTTPRoute edge/shop is not attached: Envoy Gateway accepts none of its rules',
    );
    expect(end(route(rule, OTHER) + more)).toBe(FAILS);
    expect(end(route(rule, OTHER) + more, `${PLAIN}other`)).toBe(SIDE);
    // From 1.8 on such a route answers 500, though it is not accepted.
    expect(end(route(rule) + more, PLAIN, {}, '1.8')).toBe(FAILS);
  });

  it('answers 500 with a second HTTPRouteFilter that has matches', () => {
    const cookie = (name: string) => filter(name, `{matches: [{cookies: [{name: ${name}, value: '1'}]}]}`);
    const yaml = route(`filters: [${named('a')}, ${named('b')}], ${to('shop')}`) + cookie('a') + cookie('b');
    expect(end(yaml, PLAIN, { cookie: 'a=1; b=1' }, '1.9')).toBe(FAILS);
  });

  it('is an HTTPRouteFilter in a GRPCRoute before 1.9, and since then one that answers with success', () => {
    const yaml = (status: number) => route(`filters: [${named('own')}]`).replace('kind: HTTPRoute\n', 'kind: GRPCRoute\n') + filter('own', `{directResponse: {statusCode: ${status}}}`); // prettier-ignore
    for (const status of [200, 503]) expect(end(yaml(status), PLAIN, {}, '1.8')).toBe(NOBODY);
    expect(end(yaml(200), PLAIN, {}, '1.9')).toBe(NOBODY);
    expect(end(yaml(503), PLAIN, {}, '1.9')).toBe('direct_response 503 at envoy-gateway');
  });

  it('answers 500 in any case where it, or what gets copies, is not there', () => {
    expect(end(route(`filters: [${named('none')}], ${to('shop')}`))).toBe(FAILS);
    const copies = (name: string, port: number) => `filters: [{type: RequestMirror, requestMirror: {backendRef: {name: ${name}, port: ${port}}}}], ${to('shop')}`; // prettier-ignore
    expect(end(route(copies('none', 80)))).toBe(FAILS);
    expect(end(route(copies('side', 81)))).toBe(FAILS);
    expect(end(route(copies('side', 80)))).toBe(SHOP);
  });

  it('may redirect with 307 from 1.8 on', () => {
    const yaml = route('filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 307}}]');
    expect(end(yaml)).toBe(NOBODY);
    expect(end(yaml, PLAIN, {}, '1.8')).toBe('redirect 307 at envoy-gateway');
  });
});

it('leaves out a rule whose expression is none', () => {
  const bad = `matches: [{path: {type: RegularExpression, value: '/(a'}}], ${to('shop')}`;
  expect(end(route(bad, to('side')))).toBe(SIDE);
  expect(end(route(bad))).toBe(NOBODY);
});

describe('cookies of an HTTPRouteFilter', () => {
  const beta = filter('beta', "{matches: [{cookies: [{name: beta, value: '1'}]}, {cookies: [{name: team, type: RegularExpression, value: 'b.*'}]}]}"); // prettier-ignore
  const yaml = route(to('shop'), `filters: [${named('beta')}], ${to('side')}`) + beta;
  it.each([
    ['', SHOP],
    ['beta=0', SHOP],
    ['a=b; beta=1', SIDE],
    ['team=blue', SIDE],
    ['team=red', SHOP],
  ])('are asked for besides what the rule matches, and go first: %s', (cookie, expected) =>
    expect(end(yaml, PLAIN, cookie === '' ? {} : { cookie })).toBe(expected),
  );
});

describe('backends', () => {
  it('of type ExternalName have no endpoints, and are refused from 1.7.5 and 1.8.2 on', () => {
    const named = "---\napiVersion: v1\nkind: Service\nmetadata: {name: far, namespace: edge}\nspec: {type: ExternalName, externalName: far.example.com, ports: [{port: 80}]}\n"; // prettier-ignore
    expect(end(route(to('far')) + named)).toBe('UH 503 at envoy-gateway');
    expect(end(route(to('far')) + named, PLAIN, {}, '1.8.1')).toBe('UH 503 at envoy-gateway');
    for (const release of ['1.7', '1.7.5', '1.8', '1.8.2', '1.9.0'])
      expect(end(route(to('far')) + named, PLAIN, {}, release)).toBe(FAILS);
  });

  it('are refused with filters of their own that may not be there', () => {
    const own = (given: string) => route(`backendRefs: [{name: shop, port: 80, filters: [${given}]}]`);
    const path = '{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /x}}}';
    expect(end(own('{type: RequestRedirect, requestRedirect: {scheme: https}}'))).toBe(FAILS);
    expect(end(own(path))).toBe(SHOP);
    expect(end(own(path), PLAIN, {}, '1.9')).toBe(FAILS);
  });

  it('that resolve whatever is asked for stand alone', () => {
    const dynamic = '---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: any, namespace: edge}\nspec: {type: DynamicResolver}\n'; // prettier-ignore
    const any = '{group: gateway.envoyproxy.io, kind: Backend, name: any}';
    expect(end(route(`backendRefs: [${any}, {name: shop, port: 80}]`) + dynamic)).toBe(FAILS);
    expect(end(route(`backendRefs: [${any}]`) + dynamic)).toBe('delivered to shop.example.com:80');
  });

  it('are dialled as the nearest BackendTrafficPolicy says, from 1.8 on', () => {
    const policy = (name: string, target: string, type: string) => `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: ${name}, namespace: edge}
spec: {targetRefs: [{group: gateway.networking.k8s.io, ${target}}], ${type}}
`;
    const pod = '---\napiVersion: v1\nkind: Pod\nmetadata: {name: shop, namespace: edge, labels: {app: shop}}\nspec: {containers: [{name: shop, image: shop}]}\nstatus: {podIP: 10.0.0.7}\n'; // prettier-ignore
    const services = policy('all', 'kind: Gateway, name: front', 'routingType: Service');
    const retries = policy('own', 'kind: HTTPRoute, name: shop', 'retry: {numRetries: 2}');
    const yaml = route(to('shop')) + pod + services;
    const dialled = (more: string, release: string) =>
      ask(yaml + more, PLAIN, {}, release).hops[0]?.decidedBy.find(({ field }) => field === 'spec.routingType');
    expect(dialled('', '1.7')).toBeUndefined();
    expect(dialled('', '1.8')).toMatchObject({ kind: 'BackendTrafficPolicy', name: 'all' });
    expect(dialled(retries, '1.8')).toMatchObject({ name: 'all' });
    expect(dialled(policy('own', 'kind: HTTPRoute, name: shop', 'routingType: Endpoint'), '1.8')).toMatchObject({ name: 'own' }); // prettier-ignore
  });
});

describe('a backend that Envoy Gateway does not accept, or reads of other clusters', () => {
  const own = (name: string, spec: string) => `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: ${name}, namespace: edge}
spec: ${spec}
`;
  const toBackend = (kind: string, group: string) =>
    `backendRefs: [{group: ${group}, kind: ${kind}, name: own, port: 80}]`;
  const told = (spec: string) => end(route(toBackend('Backend', 'gateway.envoyproxy.io')) + own('own', spec));

  it.each([
    '{endpoints: [{fqdn: {hostname: localhost, port: 80}}]}',
    '{endpoints: [{fqdn: {hostname: 192.0.2.1, port: 80}}]}',
    '{endpoints: [{ip: {address: 192.0.2.1, port: 80}}, {ip: {address: 127.0.0.1, port: 80}}]}',
    "{endpoints: [{ip: {address: '::1', port: 80}}]}",
  ])('answers 500: %s', (spec) => expect(told(spec)).toBe(FAILS));

  it('is sent to where it is accepted', () => {
    expect(told('{endpoints: [{fqdn: {hostname: api.example.com, port: 80}}]}')).toBe(
      'delivered to api.example.com:80',
    );
    expect(told('{endpoints: [{ip: {address: 192.0.2.1, port: 80}}]}')).toBe('delivered to 192.0.2.1:80');
  });

  it('is a ServiceImport, which a controller may make', () => {
    const yaml = route(toBackend('ServiceImport', 'multicluster.x-k8s.io'));
    const made = (port: number) => `---
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata: {name: own, namespace: edge}
spec: {type: ClusterSetIP, ports: [{port: ${port}}]}
`;
    expect(ask(yaml).outcome).toBe('unknown');
    expect(end(yaml + made(80))).toBe('delivered to own.edge.svc.clusterset.local:80');
    expect(end(yaml + made(81))).toBe(FAILS);
  });
});
