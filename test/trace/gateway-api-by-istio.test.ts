/** What istiod makes of the Gateway API: each case is what its own configuration generation does (test/trace/oracle/gateway-api.ts). */
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { outcome, traceIn } from './text';

const WORLD = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {clusterIP: 10.0.0.1, selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]}
---
apiVersion: v1
kind: Service
metadata: {name: store, namespace: web}
spec: {clusterIP: 10.0.0.2, selector: {app: store}, ports: [{name: http, port: 80, targetPort: 8080}]}`;

const gateway = (listeners: string): string => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec: {gatewayClassName: istio, listeners: [${listeners}]}`;

const route = (kind: string, name: string, namespace: string, spec: string): string => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: ${namespace}}
spec: {${spec}}`;

const SHOP = 'rules: [{backendRefs: [{name: shop, port: 80}]}]';
const outside = { from: 'outside', at: 'app/front' };

describe('a Service of the Pods that istiod makes for a Gateway', () => {
  const egress = `${WORLD}
---
apiVersion: v1
kind: Namespace
metadata: {name: edge, labels: {istio-injection: enabled}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: site, namespace: edge}
spec: {hosts: [site.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: out, namespace: edge}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: site, namespace: edge}
spec: {hosts: [site.example.com], http: [{route: [{destination: {host: out-istio.edge.svc.cluster.local, port: {number: 80}}}]}]}
${route('HTTPRoute', 'site', 'edge', 'parentRefs: [{name: out}], hostnames: [site.example.com], rules: [{backendRefs: [{group: networking.istio.io, kind: Hostname, name: site.example.com, port: 80}]}]')}`;
  const service = `
---
apiVersion: v1
kind: Service
metadata: {name: out-istio, namespace: edge}
spec: {clusterIP: 10.0.0.9, selector: {gateway.networking.k8s.io/gateway-name: out}, ports: [{name: http, port: 80}]}`;

  it.each([
    ['assumed', egress],
    ['written', egress + service],
  ])('leads to the gateway and to nothing else, when it is %s', (_, yaml) => {
    const mesh = buildMesh(loadText(yaml).manifests, {});
    expect(mesh.workloads.inNamespace('edge').map(({ name, membership }) => [name, membership])).toEqual([
      ['out-istio', 'gateway'],
    ]);
    const told = traceIn(yaml)('http://site.example.com/');
    expect(told.hops.map(({ proxy }) => proxy.kind)).toEqual(['sidecar', 'egress-gateway']);
    expect(told.destination?.host).toBe('site.example.com');
  });
});

describe('routes and listeners of TLS', () => {
  const passthrough =
    WORLD +
    gateway('{name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}}') +
    route('TLSRoute', 'shop', 'app', 'parentRefs: [{name: front}], hostnames: [shop.example.com], rules: [{backendRefs: [{name: shop, port: 443}]}]'); // prettier-ignore

  it('are nothing to istiod 1.29', () => {
    const told = traceIn(passthrough, { istioVersion: '1.29' })('https://shop.example.com/', outside);
    expect(outcome(told)).toBe('UF - at ingress-gateway');
    expect(told.refusal?.what).toContain('PILOT_ENABLE_ALPHA_GATEWAY_API=true');
    expect(told.refusal?.by).toMatchObject({ kind: 'Gateway', name: 'front', field: 'spec.listeners[0]' });
  });

  it.each([
    [
      'by an IstioOperator',
      '{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: {name: i, namespace: istio-system}, spec: {values: {pilot: {env: {PILOT_ENABLE_ALPHA_GATEWAY_API: "true"}}}}}',
    ],
    [
      'by the Deployment of istiod',
      '{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: istio-system}, spec: {template: {spec: {containers: [{name: discovery, env: [{name: PILOT_ENABLE_ALPHA_GATEWAY_API, value: "true"}]}]}}}}',
    ],
    ['by Helm values', '{meshConfig: {}, pilot: {env: {PILOT_ENABLE_ALPHA_GATEWAY_API: true}}}'],
  ])('are taken where istiod is told to, %s', (_how, install) => {
    const mesh = traceIn(`${passthrough}\n---\n${install}`, { istioVersion: '1.29' });
    const told = mesh('https://shop.example.com/', outside);
    expect(told.hops[0]?.cluster).toBe('outbound|443||shop.app.svc.cluster.local');
  });

  it('of Gateway API before 1.5 are nothing to istiod 1.30, which reads TLSRoute v1', () => {
    const told = (gatewayApiVersion: string) =>
      traceIn(passthrough, { istioVersion: '1.30', gatewayApiVersion })('https://shop.example.com/', outside);
    expect(told('1.4/experimental').refusal?.what).toContain('which Gateway API 1.4/experimental does not serve');
    expect(told('1.5').hops[0]?.cluster).toBe('outbound|443||shop.app.svc.cluster.local');
  });

  it('are taken from 1.30 on', () => {
    const told = traceIn(passthrough, { istioVersion: '1.30' })('https://shop.example.com/', outside);
    expect(told.hops[0]?.cluster).toBe('outbound|443||shop.app.svc.cluster.local');
  });
});

describe('a BackendTLSPolicy', () => {
  const policy = (target: string): string => `${WORLD}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: site, namespace: app}
spec: {hosts: [api.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP, targetPort: 443}, {number: 8080, name: other, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: tls, namespace: app}
spec: {targetRefs: [${target}], validation: {hostname: inner.example.com, wellKnownCACertificates: System}}`;

  it('has sidecars make TLS to a ServiceEntry', () => {
    const told = traceIn(policy('{group: networking.istio.io, kind: ServiceEntry, name: site}'))(
      'http://api.example.com/',
    );
    expect(told.hops[0]?.sends).toMatchObject({ tls: 'SIMPLE', sni: 'inner.example.com' });
    expect(told.hops[0]?.decidedBy).toContainEqual({
      kind: 'BackendTLSPolicy',
      namespace: 'app',
      name: 'tls',
      field: 'spec.validation',
    });
  });

  it('is for one port where it names a section', () => {
    const told = traceIn(policy('{group: networking.istio.io, kind: ServiceEntry, name: site, sectionName: http}'));
    expect(told('http://api.example.com/').hops[0]?.sends?.tls).toBe('SIMPLE');
    expect(told('http://api.example.com:8080/').hops[0]?.sends?.tls).toBe('NONE');
  });

  it('is nothing where its section is no port', () => {
    const told = traceIn(policy('{group: networking.istio.io, kind: ServiceEntry, name: site, sectionName: grpc}'));
    expect(told('http://api.example.com/').hops[0]?.sends?.tls).toBe('NONE');
  });
});

describe('routes for one Service in two namespaces', () => {
  const parents = 'parentRefs: [{group: "", kind: Service, name: shop, namespace: app}]';
  const routes =
    WORLD +
    route('HTTPRoute', 'a', 'app', `${parents}, ${SHOP}`) +
    route('HTTPRoute', 'b', 'web', `${parents}, rules: [{backendRefs: [{name: store, port: 80}]}]`);

  it('are each for the clients of their own, whoever is asked about first', () => {
    const told = traceIn(routes);
    const clusterFrom = (from: string): string | null | undefined => told('http://shop.app/', { from }).hops[0]?.cluster; // prettier-ignore
    expect(clusterFrom('app/sleep')).toBe('outbound|80||shop.app.svc.cluster.local');
    expect(clusterFrom('web/sleep')).toBe('outbound|80||store.web.svc.cluster.local');
    expect(clusterFrom('app/sleep')).toBe('outbound|80||shop.app.svc.cluster.local');
  });
});

describe('an HTTPRoute and a GRPCRoute for one Service', () => {
  it('come to one name in istiod, which has the HTTPRoute only', () => {
    const parents = 'parentRefs: [{group: "", kind: Service, name: shop, namespace: app}]';
    const both =
      WORLD +
      route('GRPCRoute', 'a', 'app', `${parents}, rules: [{backendRefs: [{name: store, namespace: web, port: 80}]}]`) +
      route('HTTPRoute', 'b', 'app', `${parents}, ${SHOP}`);
    expect(traceIn(both)('http://shop.app/').hops[0]?.route).toMatchObject({ kind: 'HTTPRoute', name: 'b' });
  });
});

describe('a host that a narrower listener claims', () => {
  it('is not taken by a route at the wider one', () => {
    const mesh =
      WORLD +
      gateway('{name: any, port: 80, protocol: HTTP}, {name: own, port: 80, protocol: HTTP, hostname: "*.example.com"}') +
      route('HTTPRoute', 'shop', 'app', `parentRefs: [{name: front, sectionName: any}], hostnames: [a.example.com, other.net], ${SHOP}`); // prettier-ignore
    const told = traceIn(mesh);
    expect(outcome(told('http://a.example.com/', outside))).toBe('NR 404 at ingress-gateway');
    expect(told('http://other.net/', outside).hops[0]?.cluster).toBe('outbound|80||shop.app.svc.cluster.local');
  });
});

describe('a route with one rule that istiod takes for an error', () => {
  const listener = '{name: http, port: 80, protocol: HTTP}';
  const named = (kind: string, bad: string, good: string) => `${WORLD}${gateway(listener)}${route(kind, 'mixed', 'app', `parentRefs: [{name: front}], rules: [${good}, ${bad}]`)}`; // prettier-ignore
  const TO_SHOP = 'backendRefs: [{name: shop, port: 80}]';
  const OTHER = (more: string) => `{matches: [{path: {value: /other}}], ${more}}`;
  const ask = (yaml: string, path = '/') =>
    outcome(traceIn(yaml, { istioVersion: '1.29' })(`http://shop.example.com${path}`, outside));

  it.each([
    `filters: [{type: ExtensionRef, extensionRef: {group: example.com, kind: Own, name: own}}], ${TO_SHOP}`,
    `filters: [{type: ExternalAuth, externalAuth: {protocol: HTTP, backendRef: {name: shop, port: 80}}}], ${TO_SHOP}`,
    'backendRefs: [{name: shop, port: 80, filters: [{type: URLRewrite, urlRewrite: {hostname: a.example.com}}]}]',
    'backendRefs: [{name: shop.app.svc.cluster.local, port: 80}]',
    'backendRefs: [{group: networking.istio.io, kind: Hostname, name: a.example.com}]',
  ])('is for nothing: %s', (bad) => {
    expect(ask(named('HTTPRoute', OTHER(bad), `{${TO_SHOP}}`))).toMatch(/^NR 404/);
  });

  it('is for the other rules where a backend is not there, or has no weight', () => {
    for (const bad of [
      'backendRefs: [{name: gone, port: 80}]',
      'backendRefs: [{name: shop.app.svc.cluster.local, port: 80, weight: 0}, {name: shop, port: 80}]',
    ])
      expect(ask(named('HTTPRoute', OTHER(bad), `{${TO_SHOP}}`))).toBe('delivered to shop.app.svc.cluster.local:80');
  });

  it('is for nothing in the mesh either', () => {
    const yaml = (more: string): string =>
      `${WORLD}${route('HTTPRoute', 'mixed', 'app', `parentRefs: [{group: "", kind: Service, name: shop}], rules: [{backendRefs: [{name: gone, port: 80${more}}]}]`)}`;
    const inside = (more: string) =>
      outcome(traceIn(yaml(more), { istioVersion: '1.29' })('http://shop.app/', { from: 'web' }));
    expect(inside('')).toMatch(/500/);
    expect(inside(', filters: [{type: ExtensionRef, extensionRef: {group: a.b, kind: C, name: d}}]')).toBe('delivered to shop.app.svc.cluster.local:80'); // prettier-ignore
  });
});

describe('listeners of one Gateway that clash', () => {
  const listeners = '{name: web, port: 80, protocol: HTTP, hostname: a.example.com}, {name: again, port: 80, protocol: HTTP, hostname: a.example.com}, {name: stream, port: 80, protocol: TCP}, {name: other, port: 80, protocol: HTTP, hostname: b.example.com}'; // prettier-ignore
  const set = (name: string, created: string, listener: string): string => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: ${name}, namespace: app, creationTimestamp: "${created}"}
spec: {parentRef: {name: front}, listeners: [${listener}]}`;
  const routes = ['web', 'again', 'other']
    .map((name) =>
      route(
        'HTTPRoute',
        name,
        'app',
        `parentRefs: [{name: front, sectionName: ${name}}], rules: [{matches: [{path: {value: /${name}}}], backendRefs: [{name: shop, port: 80}]}]`,
      ),
    ) // prettier-ignore
    .join('');
  const sets = ['old', 'new']
    .map((name) =>
      route(
        'HTTPRoute',
        `of-${name}`,
        'app',
        `parentRefs: [{group: gateway.networking.k8s.io, kind: ListenerSet, name: ${name}}], rules: [{matches: [{path: {value: /${name}}}], backendRefs: [{name: shop, port: 80}]}]`,
      ),
    ) // prettier-ignore
    .join('');
  const ask = (yaml: string, url: string, istioVersion = '1.31') =>
    outcome(traceIn(yaml, { istioVersion, gatewayApiVersion: '1.6' })(url, outside)).split(' ')[0];

  it('are left out from 1.30 on where an earlier one has their place', () => {
    const yaml = WORLD + gateway(listeners) + routes;
    expect(ask(yaml, 'http://a.example.com/web')).toBe('delivered');
    expect(ask(yaml, 'http://a.example.com/again')).toBe('NR');
    expect(ask(yaml, 'http://b.example.com/other')).toBe('delivered');
    expect(ask(yaml, 'http://a.example.com/again', '1.29')).toBe('delivered');
  });

  it('are those of the Gateway before those of sets, and of the older set', () => {
    const yaml = `${WORLD}${gateway('{name: web, port: 80, protocol: HTTP, hostname: a.example.com}').replace('spec: {', 'spec: {allowedListeners: {namespaces: {from: Same}}, ')}${routes}${sets}${set('new', '2025-02-01T00:00:00Z', '{name: x, port: 80, protocol: HTTP, hostname: c.example.com}, {name: y, port: 80, protocol: HTTP, hostname: a.example.com}')}${set('old', '2025-01-01T00:00:00Z', '{name: x, port: 80, protocol: HTTP, hostname: c.example.com}')}`;
    expect(ask(yaml, 'http://a.example.com/web')).toBe('delivered');
    expect(ask(yaml, 'http://a.example.com/new')).toBe('NR');
    expect(ask(yaml, 'http://c.example.com/old')).toBe('delivered');
    expect(ask(yaml, 'http://c.example.com/new')).toBe('NR');
  });
});

describe('hostnames of a TLSRoute', () => {
  const tls = (name: string, hostname = '') => `{name: ${name}, port: 443, protocol: TLS, tls: {mode: Passthrough}${hostname}}`; // prettier-ignore
  const to = (section: string, host: string) =>
    route('TLSRoute', 'shop', 'app', `parentRefs: [{name: front, sectionName: ${section}}], hostnames: ["${host}"], rules: [{backendRefs: [{name: shop, port: 443}]}]`); // prettier-ignore
  const ask = (yaml: string, host: string) =>
    outcome(traceIn(WORLD + yaml, { istioVersion: '1.31', gatewayApiVersion: '1.6' })(`tls://${host}:443`, outside)).split(' ')[0]; // prettier-ignore

  it('are not left to a narrower listener, as those of an HTTPRoute are', () => {
    const yaml = gateway(`${tls('own', ', hostname: a.example.com')}, ${tls('any')}`) + to('any', 'a.example.com');
    expect(ask(yaml, 'a.example.com')).toBe('delivered');
  });

  it('are narrowed to that of the listener', () => {
    const yaml = gateway(tls('own', ', hostname: "*.a.example.com"')) + to('own', '*.example.com');
    expect(ask(yaml, 'x.a.example.com')).toBe('delivered');
    expect(ask(yaml, 'b.example.com')).not.toBe('delivered');
  });
});
