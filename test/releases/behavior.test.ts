import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import { ENVOY_GATEWAY_SWITCHES, ISTIO_SWITCHES } from '../../src/model/release-behavior';
import { outcome, traceIn } from '../trace/text';

const DOCUMENTED = new Set(readFileSync(join(__dirname, '../../docs/releases.md'), 'utf8').match(/\w+/g));

const under = (istioVersion: string) => ({ outbound: 'REGISTRY_ONLY', istioVersion }) as const;
const errors = (yaml: string, istioVersion: string): readonly string[] =>
  check(loadText(yaml), { istioVersion })
    .findings.filter(({ severity }) => severity === 'error')
    .map(({ id }) => id);

const APP = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: sleep, namespace: app}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: sleep, namespace: app}
spec:
  selector: {matchLabels: {app: sleep}}
  template:
    metadata: {labels: {app: sleep}}
    spec: {serviceAccountName: sleep, containers: [{name: sleep, image: 'curl:8'}]}
`;

const WILDCARD = (protocol: string, location: string, created = ''): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: wild, namespace: app${created}}
spec:
  hosts: ['*.example.com']
  ports: [{number: 80, name: web, protocol: ${protocol}}]
  location: ${location}
  resolution: DYNAMIC_DNS
`;

describe('wildcards with DYNAMIC_DNS in sidecars', () => {
  const mesh = APP + WILDCARD('HTTP', 'MESH_EXTERNAL');

  it('are resolved from 1.30 on', () => {
    expect(outcome(traceIn(mesh, under('1.29'))('http://api.example.com/'))).toBe('NC 503 at sidecar');
    const told = traceIn(mesh, under('1.30'))('http://api.example.com/');
    expect(outcome(told)).toBe('delivered to api.example.com:80');
    expect(told.hops[0]?.cluster).toBe('outbound|80||*.example.com');
    expect(errors(mesh, '1.29')).toContain('EDGE211');
    expect(errors(mesh, '1.30')).toEqual([]);
  });

  it('are known to be resolved only where no other service shares their listener', () => {
    const other = `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: other, namespace: app}
spec: {hosts: [other.example.org], ports: [{number: 80, name: web, protocol: HTTP}], resolution: DNS}
`;
    const told = traceIn(mesh + other, under('1.31'))('http://api.example.com/');
    expect(told.outcome).toBe('unknown');
    expect(told.notes.join()).toContain('only if it is older than ServiceEntry app/other');
  });

  it.each(['GRPC', 'HTTP2'])('may have ports of %s and be of the mesh, from 1.30 on', (protocol) => {
    const yaml = APP + WILDCARD(protocol, 'MESH_INTERNAL');
    expect(errors(yaml, '1.29').filter((id) => id === 'EDGE101')).toHaveLength(2);
    expect(errors(yaml, '1.31')).not.toContain('EDGE101');
  });
});

describe('hosts that a Sidecar takes away with ~', () => {
  const mesh = `${APP}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: news, namespace: app}
spec: {hosts: [news.example.com], ports: [{number: 80, name: web, protocol: HTTP}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank, namespace: app}
spec: {hosts: [bank.example.com], ports: [{number: 80, name: web, protocol: HTTP}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: scope, namespace: app}
spec: {egress: [{hosts: ['*/*', '~app/bank.example.com']}]}
`;

  it('are not imported from 1.31 on', () => {
    const trace = traceIn(mesh, under('1.31'));
    expect(outcome(trace('http://news.example.com/'))).toBe('delivered to news.example.com:80');
    expect(trace('http://bank.example.com/').refusal?.code).toBe('BlackHoleCluster');
    expect(errors(mesh, '1.31')).toEqual([]);
  });

  it('are refused by older releases', () => {
    expect(errors(mesh, '1.30')).toEqual(['EDGE105']);
  });

  it('may be of all namespaces', () => {
    const everywhere = mesh.replace('~app/bank', '~/bank');
    expect(traceIn(everywhere, under('1.31'))('http://bank.example.com/').refusal?.code).toBe('BlackHoleCluster');
  });
});

describe('routes for hosts that a Sidecar excludes', () => {
  const mesh = `${APP}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: app}
spec: {hosts: [news.example.com, bank.example.com], ports: [{number: 80, name: web, protocol: HTTP}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bank, namespace: web}
spec: {hosts: [bank.example.com], http: [{route: [{destination: {host: news.example.com}}]}]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: scope, namespace: app}
spec: {egress: [{hosts: ['*/*', '~web/bank.example.com']}]}
`;

  it('are not imported either, while the host itself is from another namespace', () => {
    const ends = ["'~web/bank.example.com'", "'~web/shop.example.com'"].map((excluded) =>
      outcome(traceIn(mesh.replace("'~web/bank.example.com'", excluded), under('1.31'))('http://bank.example.com/')),
    );
    expect(ends).toEqual(['delivered to bank.example.com:80', 'delivered to news.example.com:80']);
  });
});

describe('a host that several other namespaces have', () => {
  const entry = (namespace: string, port: number, created: string): string => `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: ${namespace}, creationTimestamp: "${created}"}
spec: {hosts: [api.example.com], ports: [{number: ${port}, name: web, protocol: HTTP}], resolution: DNS}
`;
  const mesh = (env = ''): string => `${APP}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: news, namespace: app}
spec: {hosts: [news.example.com], ports: [{number: 80, name: web, protocol: HTTP}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: news, namespace: app}
spec: {hosts: [news.example.com], http: [{route: [{destination: {host: api.example.com, port: {number: 80}}}]}]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: scope, namespace: app}
spec: {egress: [{hosts: ['./*']}]}
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh}
spec: {values: {pilot: {env: {${env}}}}}
${entry('aa', 8080, '2026-02-01T00:00:00Z')}${entry('zz', 80, '2026-01-01T00:00:00Z')}`;

  it.each([
    ['1.29', '', 'NC 503 at sidecar'],
    ['1.30', '', 'delivered to api.example.com:80'],
    ['1.30', "PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE: 'false'", 'NC 503 at sidecar'],
  ])('is that of the first by name, and the oldest from 1.30 on: %s with {%s}', (release, env, end) => {
    expect(outcome(traceIn(mesh(env), under(release))('http://news.example.com/'))).toBe(end);
  });
});

describe('trust domains in an AuthorizationPolicy', () => {
  const mesh = (source: string): string => `${APP}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: app}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: app}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'web:1'}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: web, namespace: app}
spec: {selector: {matchLabels: {app: web}}, action: ALLOW, rules: [{from: [{source: ${source}}]}]}
`;
  const told = (source: string, istioVersion: string): string =>
    outcome(traceIn(mesh(source), under(istioVersion))('http://web/'));

  it('are looked at from 1.30 on, and dropped before', () => {
    const own = '{namespaces: [app], trustDomains: [cluster.local]}';
    const other = '{namespaces: [app], trustDomains: [corp.example]}';
    expect(told(own, '1.30')).toBe('delivered to web.app.svc.cluster.local:80');
    expect(told(other, '1.30')).toBe('RBAC 403 at sidecar');
    expect(told(other, '1.29')).toBe('delivered to web.app.svc.cluster.local:80');
    expect(told('{notTrustDomains: [corp.*]}', '1.32')).toBe('delivered to web.app.svc.cluster.local:80');
  });
});

describe('a rule of an HTTPRoute without backends', () => {
  const mesh = `${APP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: none, namespace: app}
spec: {parentRefs: [{name: front}], rules: [{matches: [{path: {value: /}}]}]}
`;

  it.each([
    ['1.29', 500],
    ['1.30', 404],
    ['1.31', 500],
  ])('is answered by Istio %s with %s', (istioVersion, status) => {
    const told = traceIn(mesh, under(istioVersion))('http://a.example.com/', { from: 'outside', at: 'app/front' });
    expect(told.refusal?.status).toBe(status);
  });
});

describe('a ReferenceGrant with several entries for one kind', () => {
  const mesh = `${APP}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec: {selector: {matchLabels: {app: cart}}, template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: cart, image: 'cart:1'}]}}}
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: both, namespace: shop}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: app}]
  to: [{group: '', kind: Service, name: cart}, {group: '', kind: Service, name: other}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart, namespace: app}
spec: {parentRefs: [{name: front}], rules: [{backendRefs: [{name: cart, namespace: shop, port: 80}]}]}
`;
  const told = (istioVersion: string): string =>
    outcome(traceIn(mesh, under(istioVersion))('http://a.example.com/', { from: 'outside', at: 'app/front' }));

  it('lets istiod read each from 1.30 on, and the last one alone before', () => {
    expect(told('1.30')).toBe('delivered to cart.shop.svc.cluster.local:80');
    expect(told('1.29')).not.toContain('delivered');
  });
});

describe('mergeType of SecurityPolicies', () => {
  const mesh = `
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: edge}
spec: {selector: {app: shop}, ports: [{name: http, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec: {gatewayClassName: eg, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: edge}
spec: {parentRefs: [{name: front}], hostnames: [shop.example.com], rules: [{backendRefs: [{name: shop, port: 80}]}]}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: closed, namespace: edge}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: front}]
  authorization: {defaultAction: Deny}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: rules, namespace: edge}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]
  mergeType: JSONMerge
  OWN
`;
  const end = (own: string, envoyGatewayVersion: string): string =>
    outcome(
      traceIn(mesh.replace('OWN', own), { envoyGatewayVersion })('http://shop.example.com/', {
        from: 'outside',
        at: 'edge/front',
      }),
    );

  it('has a route keep what the policy of its Gateway says, from 1.8 on; before it stands alone', () => {
    const cors = "cors: {allowOrigins: ['https://app.example.com']}";
    expect(end(cors, '1.7')).toBe('delivered to shop.edge.svc.cluster.local:80');
    expect(end(cors, '1.8')).toBe('RBAC 403 at envoy-gateway');
    expect(end(cors, '1.9')).toBe('RBAC 403 at envoy-gateway');
  });

  it('merges within fields too', () => {
    const other = 'authorization: {rules: [{action: Deny, principal: {clientCIDRs: [192.0.2.0/24]}}]}';
    expect(end(other, '1.9')).not.toContain('delivered');
    expect(end('authorization: {defaultAction: Allow}', '1.9')).toBe('delivered to shop.edge.svc.cluster.local:80');
  });
});

describe('a route for a service whose waypoint another controller serves', () => {
  const mesh = (
    labels: string,
    namespace = '',
  ): string => `${APP.replace('istio-injection: enabled', `istio-injection: enabled${namespace}`)}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: other}, spec: {controllerName: example.com/waypoints}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: foreign, namespace: app}, spec: {gatewayClassName: other, listeners: [{name: http, port: 80, protocol: HTTP}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: own, namespace: app}, spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}}
---
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: api, namespace: app, labels: {${labels}}}, spec: {hosts: [api.example.com], resolution: STATIC, ports: [{name: http, number: 80, protocol: HTTP}], endpoints: [{address: 192.0.2.1}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: api, namespace: app}, spec: {parentRefs: [{group: networking.istio.io, kind: ServiceEntry, name: api}], rules: [{backendRefs: [{group: example.com, kind: Backend, name: api}]}]}}
`;
  const told = (yaml: string, istioVersion: string): string =>
    outcome(traceIn(yaml, under(istioVersion))('http://api.example.com/'));

  it("is that controller's alone from 1.29.7, 1.30.4 and 1.31 on, and before istiod reads it for sidecars", () => {
    const foreign = mesh('istio.io/use-waypoint: foreign');
    expect(told(foreign, '1.31')).toBe('delivered to api.example.com:80');
    expect(told(foreign, '1.30.3')).toBe('NC 500 at sidecar');
    expect(told(foreign, '1.30.4')).toBe('delivered to api.example.com:80');
    expect(errors(foreign, '1.31')).toEqual([]);
    expect(errors(foreign, '1.30.3')).toEqual(['EDGE211']);
    expect(told(mesh('', ', istio.io/use-waypoint: foreign'), '1.31')).toBe('delivered to api.example.com:80');
    expect(told(mesh('istio.io/use-waypoint: own', ', istio.io/use-waypoint: foreign'), '1.31')).toBe('NC 500 at sidecar'); // prettier-ignore
    expect(told(mesh('istio.io/use-waypoint: none', ', istio.io/use-waypoint: foreign'), '1.31')).toBe('NC 500 at sidecar'); // prettier-ignore
  });
});

describe('the switches of releases', () => {
  it.each([...Object.keys(ISTIO_SWITCHES), ...Object.keys(ENVOY_GATEWAY_SWITCHES)])(
    'are in docs/releases.md: %s',
    (name) => expect(DOCUMENTED.has(name)).toBe(true),
  );
});
