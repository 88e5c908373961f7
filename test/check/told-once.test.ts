/** Each trouble is told once, at the object whose change mends it, and nothing is called its cause that is another trouble. */
import { check } from '../../src/check/check';
import type { Finding } from '../../src/check/finding';
import { loadText } from '../../src/model/load';

const found = (text: string): readonly Finding[] =>
  check(loadText(text, 'mesh.yaml')).findings.filter(({ severity }) => severity !== 'info');
const told = (text: string): readonly string[] =>
  found(text).map(({ id, object, field }) => `${id} ${object?.kind} ${object?.name} ${field}`);

const AMBIENT = `
apiVersion: v1
kind: Namespace
metadata: { name: app, labels: { istio.io/dataplane-mode: ambient } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: sleep, namespace: app }
spec: { selector: { matchLabels: { app: sleep } }, template: { metadata: { labels: { app: sleep } }, spec: { containers: [{ name: a }] } } }
---
apiVersion: v1
kind: Namespace
metadata: { name: egress, labels: { istio.io/dataplane-mode: ambient } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: waypoint, namespace: egress, labels: { istio.io/waypoint-for: all } }
spec:
  gatewayClassName: istio-waypoint
  listeners: [{ name: mesh, port: 15008, protocol: HBONE }]
`;

const wildcard = (ports: string): string => `${AMBIENT}---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: wild, namespace: egress, labels: { istio.io/use-waypoint: waypoint } }
spec: { hosts: ['*.example.com'], ports: [${ports}], resolution: DYNAMIC_DNS }
`;

describe('a port that istiod leaves out of waypoints', () => {
  it('is told of the entry, with the request that fails by it', () => {
    const all = found(wildcard('{ number: 443, name: tls, protocol: TLS }'));
    expect(all.map(({ id, field }) => [id, field])).toEqual([['EDGE708', 'spec.ports[0]']]);
    expect(all[0]?.what).toMatch(/So https:\/\/sample\.example\.com:443\/ from app\/sleep .* is refused/);
    expect(all[0]?.why).toContain('waypoint');
  });

  it('is not why the webhook refuses the entry for another port', () => {
    const all = found(
      wildcard('{ number: 443, name: tls, protocol: TLS }, { number: 6379, name: tcp, protocol: TCP }'),
    );
    expect(all.map(({ id, field }) => [id, field])).toEqual([
      ['EDGE101', 'spec.ports'],
      ['EDGE708', 'spec.ports[0]'],
    ]);
    expect(all[0]?.what).not.toContain('. So ');
  });
});

describe('a waypoint that is not there', () => {
  it('is told of what names it, also where a policy counts on it', () => {
    const all = found(`${AMBIENT}---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: db, namespace: egress, labels: { istio.io/use-waypoint: gateway } }
spec: { hosts: [db.example.com], addresses: [192.0.2.7], ports: [{ number: 5432, name: tcp, protocol: TCP }], resolution: STATIC, endpoints: [{ address: 192.0.2.7 }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: db, namespace: egress }
spec:
  targetRefs: [{ group: networking.istio.io, kind: ServiceEntry, name: db }]
  rules: [{ from: [{ source: { principals: [cluster.local/ns/app/sa/default] } }] }]
`);
    expect(all.map(({ id, severity, object }) => [id, severity, object?.kind])).toEqual([
      ['EDGE702', 'error', 'ServiceEntry'],
    ]);
    expect(all[0]?.what).toContain('So AuthorizationPolicy egress/db is for ServiceEntry egress/db');
  });
});

const ROUTE = (rules: string): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: front, namespace: web }
spec: { gatewayClassName: istio, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: blog, namespace: web }
spec: { parentRefs: [{ name: front }], hostnames: [blog.example.org], rules: [${rules}] }
---
apiVersion: v1
kind: Service
metadata: { name: blog, namespace: web }
spec: { selector: { app: blog }, ports: [{ name: http, port: 8000 }] }
`;

describe('a port that a Service does not have', () => {
  it('is why a request fails, and no other fault of the route is', () => {
    const all = found(
      ROUTE(
        '{ backendRefs: [{ name: blog, port: 9001 }] }, { matches: [{ path: { value: /x } }], backendRefs: [{ name: blog }] }',
      ),
    );
    expect(all.map(({ id, field }) => [id, field])).toEqual([
      ['EDGE003', 'spec.rules[1].backendRefs[0]'],
      ['EDGE804', 'spec.rules[0].backendRefs[0].port'],
    ]);
    expect(all[0]?.what).not.toContain('. So ');
    expect(all[1]?.what).toContain('. So http://blog.example.org:80/');
  });
});

describe('backends of several rules of a route for the mesh', () => {
  it('are each told by themselves, and once', () => {
    const all = found(`
apiVersion: v1
kind: Namespace
metadata: { name: web, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: blog, namespace: web }
spec: { selector: { app: blog }, ports: [{ name: http, port: 8000 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: blog, namespace: web }
spec: { selector: { matchLabels: { app: blog } }, template: { metadata: { labels: { app: blog } }, spec: { containers: [{ name: a }] } } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: blog, namespace: web }
spec:
  parentRefs: [{ kind: Service, group: '', name: blog }]
  rules:
    - { matches: [{ path: { value: /a } }], backendRefs: [{ name: blog, port: 8001 }] }
    - { matches: [{ path: { value: /b } }], backendRefs: [{ name: nobody, port: 8000 }] }
`);
    expect(all.map(({ id, severity, field }) => [id, severity, field])).toEqual([
      ['EDGE804', 'error', 'spec.rules[0].backendRefs[0].port'],
      ['EDGE804', 'warning', 'spec.rules[1].backendRefs[0].name'],
    ]);
    expect(all[0]?.what).toMatch(/So http:\/\/blog\.web\.svc\.cluster\.local:8000\/a from web\/blog is refused/);
    expect(all[1]?.what).not.toContain('. So ');
  });
});

describe('a Gateway with a value of the wrong type', () => {
  it.each(['{ name: http, port: 80, protocol: HTTP }', '[{ name: http, port: 80, protocol: [HTTP] }]'])(
    'is told of alone, and not of the routes that would attach to it: %s',
    (listeners) => {
      const text = ROUTE('{ backendRefs: [{ name: blog, port: 8000 }] }');
      const all = found(text.replace('[{ name: http, port: 80, protocol: HTTP }]', listeners));
      expect(all.map(({ id, object }) => [id, object?.kind])).toEqual([['EDGE002', 'Gateway']]);
    },
  );

  it('is no word for a field that is not there: routes are judged', () => {
    const text = ROUTE('{ backendRefs: [{ name: blog, port: 8000 }] }').replace(
      '{ name: front }]',
      '{ name: front, sectionName: web }]',
    );
    expect(
      found(text.replace('port: 80, ', 'port: 80, timeout: 5s, '))
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['EDGE002', 'EDGE801']);
  });
});

describe('a policy that names a host without its port', () => {
  it.each([
    ['80', 'HTTP', '', 80],
    ['443', 'HTTPS', ', tls: { mode: SIMPLE, credentialName: shop }', 443],
  ])('is told with the port of its gateway, which is %s', (port, protocol, tls, expected) => {
    const [first] = check(
      loadText(`
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: front, namespace: istio-system }
spec: { selector: { istio: ingressgateway }, servers: [{ hosts: [shop.example.com], port: { name: a, number: ${port}, protocol: ${protocol} }${tls} }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: front, namespace: istio-system }
spec: { selector: { matchLabels: { istio: ingressgateway } }, template: { metadata: { labels: { istio: ingressgateway, sidecar.istio.io/inject: "true" }, annotations: { inject.istio.io/templates: gateway } }, spec: { containers: [{ name: istio-proxy, image: auto }] } } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: deny, namespace: istio-system }
spec: { selector: { matchLabels: { istio: ingressgateway } }, action: DENY, rules: [{ to: [{ operation: { hosts: [shop.example.com], paths: [/admin*] } }] }] }
`),
    ).findings.filter(({ id }) => id === 'EDGE521');
    expect(first?.what).toContain(`"shop.example.com" is not "shop.example.com:${expected}"`);
  });
});

describe('a policy that refuses a request', () => {
  it('does so whatever is wrong with the form of another object on the way', () => {
    const all = found(`
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec: { selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web } }, spec: { serviceAccountName: web, containers: [{ name: a }] } } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: web, namespace: shop }
spec: { selector: { matchLabels: { app: web } }, rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/other] } }] }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: shop }
spec: { hosts: [web], http: [{ route: [{ destination: { host: web } }], retries: { attempts: -1 } }] }
`);
    expect(all.map(({ id, object }) => [id, object?.kind])).toEqual([
      ['EDGE102', 'VirtualService'],
      ['EDGE517', 'AuthorizationPolicy'],
    ]);
    expect(all[0]?.what).not.toContain('. So ');
  });
});

describe('a subset that clients of several namespaces lack', () => {
  it('is told once, for all of them, with the field that mends it', () => {
    const client = (namespace: string): string => `---
apiVersion: v1
kind: Namespace
metadata: { name: ${namespace}, labels: { istio-injection: enabled } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: sleep, namespace: ${namespace} }
spec: { selector: { matchLabels: { app: sleep } }, template: { metadata: { labels: { app: sleep } }, spec: { containers: [{ name: a }] } } }
`;
    const mesh = (exportTo: string): string => `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec: { selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: a }] } } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: shop }
spec: { hosts: [web], http: [{ route: [{ destination: { host: web, subset: v2 } }] }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: web, namespace: shop }
spec: { host: web, exportTo: [${exportTo}], subsets: [{ name: v2, labels: { app: web } }] }
${client('one')}${client('two')}${client('three')}`;
    expect(told(mesh('"."'))).toEqual(['EDGE213 DestinationRule web spec.exportTo']);
    expect(found(mesh('"."'))[0]?.fix).toBe('Export DestinationRule shop/web to one, three, two.');
    expect(told(mesh('"*"'))).toEqual([]);
  });
});

describe('two entries of TCP that nothing tells apart', () => {
  it('are one finding, and an entry alone is another', () => {
    const entry = (name: string): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: app }
spec: { hosts: [${name}.example.com], ports: [{ number: 465, name: smtps, protocol: TCP }], resolution: DNS }
`;
    expect(told(entry('a'))).toEqual(['EDGE110 ServiceEntry a spec.ports[0]']);
    expect(told(`${entry('a')}---${entry('b')}`)).toEqual(['EDGE111 ServiceEntry b spec.ports[0]']);
  });
});

describe('a policy for a listener that is not there', () => {
  it('is told once', () => {
    expect(
      told(`
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: eg }
spec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }
---
${ROUTE('{ backendRefs: [{ name: blog, port: 8000 }] }').replace('gatewayClassName: istio', 'gatewayClassName: eg')}---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: { name: own, namespace: web }
spec: { targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: front, sectionName: https }], proxyProtocol: {} }
`),
    ).toEqual(['EDGE807 ClientTrafficPolicy own spec.targetRefs[0].sectionName']);
  });
});

describe('a login at a Gateway of a class that nobody knows', () => {
  it('is judged as far as its own routes go', () => {
    const all =
      found(`${ROUTE('{ backendRefs: [{ name: blog, port: 8000 }] }').replace('gatewayClassName: istio', 'gatewayClassName: other')}---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: { name: login, namespace: web }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: blog }]
  oidc: { provider: { issuer: 'https://id.example.com' }, clientID: web, clientSecret: { name: web }, redirectURL: 'https://blog.example.org/back' }
`);
    expect(all.filter(({ id }) => id === 'EDGE820')).toEqual([]);
  });
});
