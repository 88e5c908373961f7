/** Hand-written meshes that rules are proved of, with the clients, hosts and paths that random requests are made of. */
import { loadText } from '../../src/model/load';
import { buildMesh, type Mesh } from '../../src/model/mesh';
import type { TraceRequest } from '../../src/trace/types';

export interface Client extends Omit<TraceRequest, 'request'> {
  readonly namespace: string;
  /** Name of the workload, its labels and account as the manifests have them. */
  readonly workload?: string;
  readonly account?: string;
}

export interface World {
  readonly manifests: string;
  readonly outbound: 'REGISTRY_ONLY' | 'ALLOW_ANY';
  readonly clients: readonly Client[];
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
}

const namespace = (name: string, labels = '{ istio-injection: enabled }'): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name}, labels: ${labels} }\n---\n`;
const workload = (ns: string, name: string, account = name): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${ns} }
spec: { selector: { matchLabels: { app: ${name} } }, template: { metadata: { labels: { app: ${name}, team: ${ns} } }, spec: { serviceAccountName: ${account}, containers: [{ name: a, image: a }] } } }
---
`;
const service = (ns: string, name: string, ip: string, ports = '[{ name: http, port: 80 }]'): string => `apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${ns} }
spec: { clusterIP: ${ip}, selector: { app: ${name} }, ports: ${ports} }
---
`;
const object = (group: string, kind: string, ns: string, name: string, spec: string): string =>
  `apiVersion: ${group}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: ${ns} }\nspec: ${spec}\n---\n`;
const istio = (kind: string, ns: string, name: string, spec: string): string =>
  object(`${/Policy|Authentication/.test(kind) ? 'security' : 'networking'}.istio.io/v1`, kind, ns, name, spec);
const inside = (ns: string, name: string, account = name): Client => ({
  namespace: ns,
  from: `${ns}/${name}`,
  workload: name,
  account,
});
const anybody = (ns: string): Client => ({ namespace: ns, from: ns });

const TEAMS =
  namespace('shop') +
  namespace('billing') +
  workload('shop', 'payments') +
  workload('shop', 'web', 'default') +
  workload('billing', 'invoices');
const TEAM_CLIENTS: readonly Client[] = [
  inside('shop', 'payments'),
  inside('shop', 'web', 'default'),
  inside('billing', 'invoices'),
  anybody('shop'),
  anybody('billing'),
  anybody('elsewhere'),
];

/** Straight out of sidecars: audiences, routes by path and label, TLS, TCP by address, a wildcard. */
export const DIRECT: World = {
  outbound: 'REGISTRY_ONLY',
  clients: TEAM_CLIENTS,
  hosts: [
    'api.stripe.com',
    'github.com',
    'db.example.com',
    'x.wild.example',
    'old.example.com',
    'nobody.example',
    'mirror.example.com',
  ],
  ports: [80, 443, 5432, 8443],
  manifests:
    TEAMS +
    istio(
      'ServiceEntry',
      'shop',
      'stripe',
      '{ hosts: [api.stripe.com], exportTo: ["."], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP, targetPort: 443 }] }',
    ) +
    istio(
      'DestinationRule',
      'shop',
      'stripe',
      '{ host: api.stripe.com, trafficPolicy: { tls: { mode: SIMPLE, sni: api.stripe.com } } }',
    ) +
    istio(
      'VirtualService',
      'shop',
      'stripe',
      '{ hosts: [api.stripe.com], http: [{ match: [{ uri: { prefix: /admin } }], directResponse: { status: 403 } }, { match: [{ sourceLabels: { app: payments }, method: { exact: POST } }, { uri: { prefix: /public } }], route: [{ destination: { host: api.stripe.com } }] }, { directResponse: { status: 403 } }] }',
    ) +
    istio(
      'ServiceEntry',
      'shop',
      'github',
      '{ hosts: [github.com], exportTo: ["*"], resolution: DNS, ports: [{ number: 443, name: tls, protocol: TLS }] }',
    ) +
    istio(
      'ServiceEntry',
      'billing',
      'db',
      '{ hosts: [db.example.com], addresses: [198.51.100.0/24], exportTo: ["."], resolution: NONE, ports: [{ number: 5432, name: tcp, protocol: TCP }] }',
    ) +
    istio(
      'ServiceEntry',
      'billing',
      'wild',
      '{ hosts: ["*.wild.example"], exportTo: ["."], resolution: NONE, ports: [{ number: 443, name: tls, protocol: TLS }] }',
    ) +
    istio(
      'ServiceEntry',
      'billing',
      'old',
      '{ hosts: [old.example.com], exportTo: ["."], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }] }',
    ) +
    istio(
      'VirtualService',
      'billing',
      'old',
      '{ hosts: [old.example.com], exportTo: ["."], http: [{ match: [{ uri: { regex: "/(a+)+$" } }], route: [{ destination: { host: old.example.com } }], mirror: { host: mirror.example.com } }] }',
    ) +
    istio(
      'ServiceEntry',
      'billing',
      'mirror',
      '{ hosts: [mirror.example.com], exportTo: ["."], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }] }',
    ),
};

/** Through an egress gateway, which asks who comes. */
export const GATEWAY: World = {
  outbound: 'REGISTRY_ONLY',
  clients: [...TEAM_CLIENTS, { ...inside('shop', 'web', 'default'), serviceAccount: 'payments', account: 'payments' }],
  hosts: ['api.stripe.com', 'plain.example.com', 'egress.istio-egress.svc.cluster.local'],
  ports: [80, 443, 8443],
  manifests:
    TEAMS +
    namespace('istio-egress') +
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: egress, namespace: istio-egress }\nspec: { selector: { matchLabels: { istio: egress } }, template: { metadata: { labels: { istio: egress }, annotations: { inject.istio.io/templates: gateway } }, spec: { serviceAccountName: egress, containers: [{ name: istio-proxy, image: auto }] } } }\n---\n` +
    `apiVersion: v1\nkind: Service\nmetadata: { name: egress, namespace: istio-egress }\nspec: { clusterIP: 10.0.9.9, selector: { istio: egress }, ports: [{ name: http2, port: 80 }, { name: https, port: 443 }] }\n---\n` +
    istio(
      'ServiceEntry',
      'istio-egress',
      'stripe',
      '{ hosts: [api.stripe.com], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP, targetPort: 443 }] }',
    ) +
    istio(
      'Gateway',
      'istio-egress',
      'egress',
      '{ selector: { istio: egress }, servers: [{ port: { number: 443, name: https, protocol: HTTPS }, hosts: [api.stripe.com], tls: { mode: ISTIO_MUTUAL } }] }',
    ) +
    istio(
      'DestinationRule',
      'istio-egress',
      'egress',
      '{ host: egress.istio-egress.svc.cluster.local, subsets: [{ name: mutual, trafficPolicy: { portLevelSettings: [{ port: { number: 443 }, tls: { mode: ISTIO_MUTUAL, sni: api.stripe.com } }] } }] }',
    ) +
    istio(
      'VirtualService',
      'istio-egress',
      'stripe',
      '{ hosts: [api.stripe.com], gateways: [mesh, istio-egress/egress], http: [{ match: [{ gateways: [mesh], port: 80 }], route: [{ destination: { host: egress.istio-egress.svc.cluster.local, subset: mutual, port: { number: 443 } } }] }, { match: [{ gateways: [istio-egress/egress] }], route: [{ destination: { host: api.stripe.com, port: { number: 80 } } }] }] }',
    ) +
    istio(
      'DestinationRule',
      'istio-egress',
      'stripe',
      '{ host: api.stripe.com, trafficPolicy: { tls: { mode: SIMPLE, sni: api.stripe.com } } }',
    ) +
    istio(
      'AuthorizationPolicy',
      'istio-egress',
      'who',
      '{ selector: { matchLabels: { istio: egress } }, action: ALLOW, rules: [{ from: [{ source: { principals: ["cluster.local/ns/shop/sa/payments"] } }], to: [{ operation: { methods: [GET, POST], notPaths: ["/admin*"] } }] }] }',
    ) +
    istio(
      'ServiceEntry',
      'billing',
      'plain',
      '{ hosts: [plain.example.com], exportTo: ["."], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }] }',
    ),
};

/** A way in by Istio's gateway, with tokens and a path that is denied; services inside. */
export const INGRESS: World = {
  outbound: 'ALLOW_ANY',
  clients: [...TEAM_CLIENTS, { namespace: '', from: 'outside', at: 'istio-ingress/public' }],
  hosts: [
    'shop.example.com',
    'api.example.com',
    'server.shop.svc.cluster.local',
    'private.billing.svc.cluster.local',
    'any.example',
  ],
  ports: [80, 443, 8080],
  manifests:
    TEAMS +
    namespace('istio-ingress') +
    workload('shop', 'server') +
    service('shop', 'server', '10.0.0.1') +
    workload('billing', 'private') +
    service('billing', 'private', '10.0.0.2', '[{ name: http, port: 8080 }]') +
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: ingress, namespace: istio-ingress }\nspec: { selector: { matchLabels: { istio: ingress } }, template: { metadata: { labels: { istio: ingress }, annotations: { inject.istio.io/templates: gateway } }, spec: { serviceAccountName: ingress, containers: [{ name: istio-proxy, image: auto }] } } }\n---\n` +
    `apiVersion: v1\nkind: Service\nmetadata: { name: ingress, namespace: istio-ingress }\nspec: { clusterIP: 10.0.9.8, selector: { istio: ingress }, ports: [{ name: http2, port: 80 }] }\n---\n` +
    istio(
      'Gateway',
      'istio-ingress',
      'public',
      '{ selector: { istio: ingress }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [shop.example.com, api.example.com] }] }',
    ) +
    istio(
      'VirtualService',
      'shop',
      'shop',
      '{ hosts: [shop.example.com], gateways: [istio-ingress/public], http: [{ match: [{ uri: { prefix: /admin } }], route: [{ destination: { host: server } }] }, { match: [{ uri: { prefix: /old }, ignoreUriCase: true }], redirect: { uri: /new } }, { route: [{ destination: { host: server } }] }] }',
    ) +
    istio(
      'VirtualService',
      'shop',
      'api',
      '{ hosts: [api.example.com], gateways: [istio-ingress/public], http: [{ match: [{ uri: { prefix: /v1/ } }], rewrite: { uri: / }, route: [{ destination: { host: server } }] }] }',
    ) +
    istio(
      'RequestAuthentication',
      'istio-ingress',
      'tokens',
      '{ selector: { matchLabels: { istio: ingress } }, jwtRules: [{ issuer: "https://issuer.example", jwksUri: "https://issuer.example/keys" }] }',
    ) +
    istio(
      'AuthorizationPolicy',
      'istio-ingress',
      'admin',
      '{ selector: { matchLabels: { istio: ingress } }, action: DENY, rules: [{ to: [{ operation: { hosts: [shop.example.com, "shop.example.com:*"], paths: ["/admin*"] } }] }] }',
    ) +
    istio(
      'AuthorizationPolicy',
      'istio-ingress',
      'api',
      '{ selector: { matchLabels: { istio: ingress } }, action: DENY, rules: [{ from: [{ source: { notRequestPrincipals: ["*"] } }], to: [{ operation: { hosts: [api.example.com, "api.example.com:*"] } }] }] }',
    ) +
    istio('PeerAuthentication', 'billing', 'strict', '{ mtls: { mode: STRICT } }') +
    istio(
      'AuthorizationPolicy',
      'billing',
      'private',
      '{ selector: { matchLabels: { app: private } }, action: ALLOW, rules: [{ from: [{ source: { namespaces: [billing] } }] }] }',
    ) +
    istio(
      'AuthorizationPolicy',
      'shop',
      'server',
      '{ selector: { matchLabels: { app: server } }, action: ALLOW, rules: [{ from: [{ source: { namespaces: [istio-ingress, shop] } }] }] }',
    ),
};

/** Envoy Gateway, with addresses and accounts of its SecurityPolicies. */
export const ENVOY_GATEWAY: World = {
  outbound: 'ALLOW_ANY',
  clients: [{ namespace: '', from: 'outside', at: 'edge/eg' }, anybody('shop')],
  hosts: ['web.example.org', 'sub.web.example.org', 'cut.example.org', 'other.example.org'],
  ports: [80, 443],
  manifests:
    namespace('edge', '{}') +
    namespace('shop', '{}') +
    workload('shop', 'server') +
    service('shop', 'server', '10.0.0.1') +
    `apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: { name: eg }\nspec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }\n---\n` +
    object(
      'gateway.networking.k8s.io/v1',
      'Gateway',
      'edge',
      'eg',
      '{ gatewayClassName: eg, listeners: [{ name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }] }',
    ) +
    object(
      'gateway.networking.k8s.io/v1',
      'HTTPRoute',
      'shop',
      'web',
      '{ parentRefs: [{ name: eg, namespace: edge }], hostnames: [web.example.org], rules: [{ matches: [{ path: { type: PathPrefix, value: /a } }], backendRefs: [{ name: server, port: 80 }] }, { matches: [{ path: { type: Exact, value: /only }, method: POST }], backendRefs: [{ name: server, port: 80 }] }] }',
    ) +
    object(
      'gateway.networking.k8s.io/v1',
      'HTTPRoute',
      'shop',
      'cut',
      '{ parentRefs: [{ name: eg, namespace: edge }], hostnames: [cut.example.org], rules: [{ backendRefs: [{ name: server, port: 80 }] }] }',
    ) +
    object(
      'gateway.envoyproxy.io/v1alpha1',
      'SecurityPolicy',
      'shop',
      'cut',
      '{ targetRefs: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: cut }], authorization: { defaultAction: Deny, rules: [{ action: Allow, principal: { headers: [{ name: x-team, values: [blue] }] } }] } }',
    ),
};

/** Ambient: a waypoint before one service, ztunnel's policies before another. */
export const AMBIENT: World = {
  outbound: 'ALLOW_ANY',
  clients: TEAM_CLIENTS,
  hosts: ['server.shop.svc.cluster.local', 'private.billing.svc.cluster.local', 'api.example.com'],
  ports: [80, 8080, 443],
  manifests:
    TEAMS.replace(/istio-injection: enabled/g, 'istio.io/dataplane-mode: ambient') +
    workload('shop', 'server') +
    `apiVersion: v1\nkind: Service\nmetadata: { name: server, namespace: shop, labels: { istio.io/use-waypoint: waypoint } }\nspec: { clusterIP: 10.0.0.1, selector: { app: server }, ports: [{ name: http, port: 80 }] }\n---\n` +
    object(
      'gateway.networking.k8s.io/v1',
      'Gateway',
      'shop',
      'waypoint',
      '{ gatewayClassName: istio-waypoint, listeners: [{ name: mesh, port: 15008, protocol: HBONE }] }',
    ) +
    istio(
      'AuthorizationPolicy',
      'shop',
      'server',
      '{ targetRefs: [{ group: "", kind: Service, name: server }], action: ALLOW, rules: [{ from: [{ source: { namespaces: [shop] } }], to: [{ operation: { methods: [GET], paths: ["/public/*"] } }] }] }',
    ) +
    workload('billing', 'private') +
    service('billing', 'private', '10.0.0.2', '[{ name: http, port: 8080 }]') +
    istio(
      'AuthorizationPolicy',
      'billing',
      'private',
      '{ selector: { matchLabels: { app: private } }, action: ALLOW, rules: [{ from: [{ source: { principals: ["cluster.local/ns/shop/sa/payments"] } }] }] }',
    ),
};

/** No Istio at all. */
export const PLAIN: World = {
  outbound: 'ALLOW_ANY',
  clients: [{ namespace: 'shop', from: 'shop/web', labels: { app: 'web' } }],
  hosts: ['server.shop.svc.cluster.local', 'api.example.com'],
  ports: [80, 443],
  manifests:
    namespace('shop', '{}') +
    workload('shop', 'web') +
    workload('shop', 'server') +
    service('shop', 'server', '10.0.0.1'),
};

export function meshOf({ manifests, outbound }: World): Mesh {
  const { manifests: read, problems } = loadText(manifests);
  if (problems.length > 0) throw new Error(problems.map(({ what }) => what).join('\n'));
  return buildMesh(read, { outbound });
}
