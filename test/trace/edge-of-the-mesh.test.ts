/** What stands before and behind the proxies that requests from outside enter: waypoints, ztunnels and sidecars. */
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { outcome, traceIn } from './text';

const namespace = (name: string, labels: string) => `---
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {${labels}}}
`;
const AMBIENT = 'istio.io/dataplane-mode: ambient';
const INJECTED = 'istio-injection: enabled';
const workload = (name: string) => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec: {template: {metadata: {labels: {app: ${name}}}, spec: {containers: [{name: it, image: it}]}}}
`;
const service = (labels: string) => `---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {${labels}}}
spec: {clusterIP: 10.1.1.1, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
`;
const gateway = (gatewayClass: string, port = 80) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: shop}
spec: {gatewayClassName: ${gatewayClass}, listeners: [{name: http, port: ${port}, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec: {parentRefs: [{name: public}], rules: [{backendRefs: [{name: web, port: 80}]}]}
`;
const WAYPOINT = `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: waypoint, namespace: shop}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: get-only, namespace: shop}
spec:
  targetRefs: [{group: '', kind: Service, name: web}]
  rules: [{to: [{operation: {methods: [GET]}}]}]
`;
const USE = 'istio.io/use-waypoint: waypoint';
const INGRESS = (value: string) => `istio.io/ingress-use-waypoint: '${value}'`;
const STRICT = (where: string) => `---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: ${where}}
spec: {mtls: {mode: STRICT}}
`;
const ask = (yaml: string, method = 'GET') =>
  traceIn(yaml)('http://shop.example.com/', { from: 'outside', at: 'shop/public', method });
const way = (yaml: string, method = 'GET') => {
  const told = ask(yaml, method);
  return [...told.hops.map(({ proxy }) => proxy.kind), outcome(told)].join(' > ');
};

describe('a gateway of Istio before a service with a waypoint', () => {
  const mesh = (own: string, ofNamespace: string, more = '') =>
    namespace('shop', `${AMBIENT}${ofNamespace}`) + workload('web') + service(own) + gateway('istio') + WAYPOINT + more;
  const PAST = 'ingress-gateway > ztunnel > delivered to web.shop.svc.cluster.local:80';
  const HELD = 'ingress-gateway > waypoint > RBAC 403 at waypoint';

  it.each([
    ['goes past it by default', USE, '', PAST],
    ['leads through it as the Service asks', `${USE}, ${INGRESS('true')}`, '', HELD],
    ['reads the label whatever its case', `${USE}, ${INGRESS('True')}`, '', HELD],
    ['leads through it as the Namespace asks', USE, `, ${INGRESS('true')}`, HELD],
    ['goes past it where the Service asks for that', `${USE}, ${INGRESS('false')}`, `, ${INGRESS('true')}`, PAST],
    ['goes past one that the Service does not use', INGRESS('true'), '', PAST],
    ['leads through that of the Namespace', INGRESS('true'), `, ${USE}`, HELD],
  ])('%s', (_, own, ofNamespace, expected) => expect(way(mesh(own, ofNamespace), 'POST')).toBe(expected));

  it('tells the waypoint who it is', () => {
    const told = ask(mesh(`${USE}, ${INGRESS('true')}`, ''));
    expect(told.outcome).toBe('delivered');
    expect(told.hops[0]).toMatchObject({
      identity: 'cluster.local/ns/shop/sa/public-istio',
      sends: { tls: 'ISTIO_MUTUAL', port: 15008 },
    });
  });

  it('does not where istiod is told so', () => {
    const off = `---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: istio, namespace: istio-system}
spec: {values: {pilot: {env: {ENABLE_INGRESS_WAYPOINT_ROUTING: 'false'}}}}
`;
    expect(way(mesh(`${USE}, ${INGRESS('true')}`, '', off), 'POST')).toBe(PAST);
  });

  it('does not for a service without an address', () => {
    const headless = mesh(`${USE}, ${INGRESS('true')}`, '').replace('clusterIP: 10.1.1.1', 'clusterIP: None');
    expect(way(headless, 'POST')).not.toContain('waypoint');
  });
});

describe("Envoy Gateway's proxies in an ambient namespace", () => {
  const mesh = (labels: string, more = '') =>
    namespace('envoy-gateway-system', labels) +
    namespace('shop', AMBIENT) +
    workload('web') +
    service('') +
    gateway('eg') +
    more;
  const proxies = (spec: string) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
  parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, namespace: envoy-gateway-system, name: own}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: own, namespace: envoy-gateway-system}
spec: ${spec}
`;
  const THROUGH = 'ztunnel > envoy-gateway > ztunnel > ztunnel > delivered to web.shop.svc.cluster.local:80';

  it('reach strict workloads through ztunnel, with their identity', () => {
    expect(way(mesh(AMBIENT) + STRICT('shop'))).toBe(THROUGH);
    expect(way(mesh('') + STRICT('shop'))).toBe('envoy-gateway > ztunnel > RBAC 503 at ztunnel');
    const only = `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: edge, namespace: shop}
spec: {rules: [{from: [{source: {namespaces: [NAMESPACE]}}]}]}
`;
    expect(way(mesh(AMBIENT) + only.replace('NAMESPACE', 'envoy-gateway-system'))).toBe(THROUGH);
    expect(way(mesh(AMBIENT) + only.replace('NAMESPACE', 'other'))).toMatch(/RBAC 503 at ztunnel$/);
  });

  it('take no plain text from outside where their own namespace is strict', () => {
    expect(way(mesh(AMBIENT) + STRICT('envoy-gateway-system'))).toBe('ztunnel > RBAC - at ztunnel');
  });

  it('stay outside by a label of their Pods', () => {
    const out = proxies(
      '{provider: {type: Kubernetes, kubernetes: {envoyDeployment: {pod: {labels: {istio.io/dataplane-mode: none}}}}}}',
    );
    expect(way(mesh(AMBIENT, out) + STRICT('shop'))).toBe('envoy-gateway > ztunnel > RBAC 503 at ztunnel');
  });

  it('are led through a waypoint where they dial the Service', () => {
    const used = mesh(AMBIENT, proxies('{routingType: Service}') + WAYPOINT).replace(
      'name: web, namespace: shop, labels: {}',
      `name: web, namespace: shop, labels: {${USE}}`,
    );
    expect(way(used)).toContain('envoy-gateway > ztunnel > waypoint');
    // By default they dial Pods, which is past the waypoint of a Service.
    expect(way(used.replace('{routingType: Service}', '{}'))).toBe(THROUGH);
  });
});

describe("the sidecar in front of Envoy Gateway's proxies", () => {
  const mesh = (more: string, labels = INJECTED) =>
    namespace('envoy-gateway-system', labels) +
    namespace('shop', '') +
    workload('web') +
    service('') +
    gateway('eg') +
    more;
  const policy = (spec: string) => `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: guard, namespace: envoy-gateway-system}
spec: ${spec}
`;

  it.each([
    [
      'lets pass what no policy forbids',
      '',
      // They dial the Pod, which is none of the registry's addresses.
      'sidecar > envoy-gateway > sidecar > BlackHoleCluster 503 at sidecar',
    ],
    ['asks its policies', policy('{}'), 'sidecar > RBAC 403 at sidecar'],
    [
      'asks them for requests',
      policy('{action: DENY, rules: [{to: [{operation: {paths: [/]}}]}]}'),
      'sidecar > RBAC 403 at sidecar',
    ],
    ['takes mutual TLS only where it is demanded', STRICT('envoy-gateway-system'), 'sidecar > NR - at sidecar'],
  ])('%s', (_, more, expected) => expect(way(mesh(more))).toBe(expected));

  it('hides the address of clients from the proxies', () => {
    const guard = `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: ours, namespace: shop}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: public}]
  authorization: {defaultAction: Deny, rules: [{action: Allow, principal: {clientCIDRs: [203.0.113.0/24]}}]}
`;
    expect(way(mesh(guard))).toBe('sidecar > envoy-gateway > RBAC 403 at envoy-gateway');
    expect(way(mesh(guard, ''))).toBe('envoy-gateway > unknown');
  });
});

describe('the namespace of the proxies', () => {
  const inOwn = { provider: { type: 'Kubernetes', kubernetes: { deploy: { type: 'GatewayNamespace' } } } };
  const config = JSON.stringify({ apiVersion: 'gateway.envoyproxy.io/v1alpha1', kind: 'EnvoyGateway', ...inOwn });

  const values = `{config: {envoyGateway: ${JSON.stringify(inOwn)}}}`;
  const forms: readonly (readonly [string, string])[] = [
    [
      'a ConfigMap',
      `---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: envoy-gateway-config, namespace: envoy-gateway-system}\ndata: {envoy-gateway.yaml: '${config}'}\n`,
    ],
    ['an EnvoyGateway', `---\n${config}\n`],
    ['Helm values', `---\nconfig: {envoyGateway: ${JSON.stringify(inOwn)}}\n`],
    [
      'a HelmRelease of a chart around it',
      `---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: eg, namespace: envoy-gateway-system}\nspec: {values: {eg: ${values}}}\n`,
    ],
    [
      'an Application',
      `---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: eg, namespace: argocd}\nspec: {source: {chart: gateway-helm, helm: {values: '${values}'}}}\n`,
    ],
  ];
  const world = namespace('shop', '') + workload('web') + service('') + gateway('eg');

  it.each(forms)('is that of the Gateway as %s says', (_, yaml) => {
    const told = traceIn(world + yaml)('http://shop.example.com/', { from: 'outside', at: 'shop/public' });
    expect(told.hops[0]?.proxy).toEqual({ kind: 'envoy-gateway', namespace: 'shop', workload: 'envoy-shop-public' });
  });

  it.each(forms)('that alters is followed by diff, as %s says', (_, yaml) => {
    const ownOnly =
      'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: own, namespace: shop}\n' +
      'spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}\n';
    const side = (text: string): ReturnType<typeof loadText>['manifests'] =>
      loadText(`${world}---\n${ownOnly}${text}`).manifests;
    const { changes } = diff(side(yaml.replace('GatewayNamespace', 'ControllerNamespace')), side(yaml));
    expect(changes.map(({ effect, to }) => `${effect} ${to}`)).toContain('widened http://(any other host)');
  });
});
