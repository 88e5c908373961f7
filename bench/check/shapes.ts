/** Meshes that are large in other ways than by the documents' pattern: each of some number of what makes it large. */

export interface Shape {
  readonly name: string;
  readonly what: string;
  readonly manifests: (n: number) => string;
}

const NETWORKING = 'networking.istio.io/v1';
const GATEWAY_API = 'gateway.networking.k8s.io/v1';

function object(apiVersion: string, kind: string, namespace: string, name: string, spec: string, labels = ''): string {
  const where = namespace === '' ? '' : `, namespace: ${namespace}`;
  const body = spec === '' ? '' : `\nspec: ${spec}`;
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}${where}${labels}}${body}`;
}

const namespace = (name: string): string =>
  object('v1', 'Namespace', '', name, '', ', labels: {istio-injection: enabled}');

const WEB = '[{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}]';

function entry(home: string, host: string, ports = WEB, more = ''): string {
  const spec = `{hosts: ["${host}"], location: MESH_EXTERNAL, resolution: ${host.startsWith('*') ? 'NONE' : 'DNS'}, ports: ${ports}${more}}`;
  return object(NETWORKING, 'ServiceEntry', home, host.replace('*', 'wild'), spec);
}

/** A Deployment and its Service. */
function server(home: string, name: string): string[] {
  const pod = `{metadata: {labels: {app: ${name}}}, spec: {containers: [{name: app, image: app}]}}`;
  return [
    object('apps/v1', 'Deployment', home, name, `{selector: {matchLabels: {app: ${name}}}, template: ${pod}}`),
    object(
      'v1',
      'Service',
      home,
      name,
      `{selector: {app: ${name}}, ports: [{name: http, port: 80, targetPort: 8080}]}`,
    ),
  ];
}

function gateway(name: string): string[] {
  const labels = `{istio: ${name}, app: istio-${name}, sidecar.istio.io/inject: "true"}`;
  const pod = `{metadata: {labels: ${labels}, annotations: {inject.istio.io/templates: gateway}}, spec: {containers: [{name: istio-proxy, image: auto}]}}`;
  const ports = '[{name: http2, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]';
  return [
    object(
      'apps/v1',
      'Deployment',
      'istio-system',
      name,
      `{selector: {matchLabels: {istio: ${name}}}, template: ${pod}}`,
    ),
    object('v1', 'Service', 'istio-system', name, `{selector: {istio: ${name}}, ports: ${ports}}`),
  ];
}

function routesAt(className: string, n: number, more: (at: number) => string[]): string[] {
  const listener = '{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}';
  return [
    namespace('app'),
    object(GATEWAY_API, 'Gateway', 'app', 'gw', `{gatewayClassName: ${className}, listeners: [${listener}]}`),
    ...times(n, (at) => [
      ...server('app', `s${at}`),
      object(GATEWAY_API, 'HTTPRoute', 'app', `r${at}`, `{parentRefs: [{name: gw}], hostnames: [h${at}.example.com], rules: [{backendRefs: [{name: s${at}, port: 80}]}]}`), // prettier-ignore
      ...more(at),
    ]),
  ];
}

function times(n: number, make: (at: number) => string | string[]): string[] {
  return Array.from({ length: n }, (_, at) => make(at)).flat();
}

const HOP = 'egress.istio-system.svc.cluster.local';

export const SHAPES: readonly Shape[] = [
  {
    name: 'teams',
    what: 'namespaces, each with an entry of its own beside ten entries that all share',
    manifests: (n) =>
      text([
        ...times(10, (at) => entry('shared', `h${at}.example.com`)),
        ...times(n, (at) => [
          namespace(`t${at}`),
          ...server(`t${at}`, 'app'),
          entry(`t${at}`, `own${at}.example.com`, WEB, ', exportTo: ["."]'),
        ]),
      ]),
  },
  {
    name: 'passthrough',
    what: 'hosts passed through an egress gateway by SNI, each with a Gateway, subset and VirtualService',
    manifests: (n) =>
      text([
        namespace('app'),
        ...gateway('egress'),
        ...times(n, (at) => {
          const host = `h${at}.example.com`;
          const match = (who: string): string => `match: [{gateways: [${who}], port: 443, sniHosts: [${host}]}]`;
          return [
            entry('app', host, '[{number: 443, name: tls, protocol: TLS}]'),
            object(NETWORKING, 'Gateway', 'app', `g${at}`, `{selector: {istio: egress}, servers: [{port: {number: 443, name: tls, protocol: TLS}, hosts: [${host}], tls: {mode: PASSTHROUGH}}]}`), // prettier-ignore
            object(NETWORKING, 'DestinationRule', 'app', `d${at}`, `{host: ${HOP}, subsets: [{name: s${at}}]}`),
            object(NETWORKING, 'VirtualService', 'app', `v${at}`, `{hosts: [${host}], gateways: [mesh, g${at}], tls: [{${match('mesh')}, route: [{destination: {host: ${HOP}, subset: s${at}, port: {number: 443}}}]}, {${match(`g${at}`)}, route: [{destination: {host: ${host}, port: {number: 443}}}]}]}`), // prettier-ignore
          ];
        }),
      ]),
  },
  {
    name: 'wildcards',
    what: 'wildcard hosts with TLS routes',
    manifests: (n) =>
      text(
        times(n, (at) => {
          const host = `"*.h${at}.example.com"`;
          return [
            entry('app', `*.h${at}.example.com`, '[{number: 443, name: tls, protocol: TLS}]'),
            object(NETWORKING, 'VirtualService', 'app', `v${at}`, `{hosts: [${host}], tls: [{match: [{port: 443, sniHosts: [${host}]}], route: [{destination: {host: ${host}, port: {number: 443}}}]}]}`), // prettier-ignore
          ];
        }),
      ),
  },
  {
    name: 'policies',
    what: 'hosts, each with an AuthorizationPolicy at the gateway',
    manifests: (n) =>
      text([
        ...gateway('egress'),
        ...times(n, (at) => [
          entry('istio-system', `h${at}.example.com`),
          object('security.istio.io/v1', 'AuthorizationPolicy', 'istio-system', `a${at}`, `{selector: {matchLabels: {istio: egress}}, rules: [{from: [{source: {principals: [cluster.local/ns/app/sa/a${at}]}}], to: [{operation: {hosts: [h${at}.example.com]}}]}]}`), // prettier-ignore
        ]),
      ]),
  },
  {
    name: 'ingress',
    what: 'Gateways of one ingress gateway, each with a certificate, a VirtualService and a Deployment',
    manifests: (n) =>
      text([
        namespace('app'),
        ...gateway('ingress'),
        ...times(n, (at) => [
          ...server('app', `s${at}`),
          object(NETWORKING, 'Gateway', 'istio-system', `g${at}`, `{selector: {istio: ingress}, servers: [{port: {number: 443, name: https-${at}, protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: c${at}}, hosts: [h${at}.example.com]}]}`), // prettier-ignore
          object(NETWORKING, 'VirtualService', 'app', `v${at}`, `{hosts: [h${at}.example.com], gateways: [istio-system/g${at}], http: [{route: [{destination: {host: s${at}.app.svc.cluster.local, port: {number: 80}}}]}]}`), // prettier-ignore
        ]),
      ]),
  },
  {
    name: 'gateway api',
    what: 'HTTPRoutes of one Gateway of class istio, each with a Deployment',
    manifests: (n) => text(routesAt('istio', n, () => [])),
  },
  {
    name: 'envoy gateway',
    what: 'HTTPRoutes of one Gateway of class eg, each with a Deployment and a SecurityPolicy',
    manifests: (n) =>
      text(
        routesAt('eg', n, (at) => [
          object('gateway.envoyproxy.io/v1alpha1', 'SecurityPolicy', 'app', `p${at}`, `{targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r${at}}], cors: {allowOrigins: ["https://a.example.com"]}}`), // prettier-ignore
        ]),
      ),
  },
];

function text(objects: readonly string[]): string {
  return `${objects.join('\n---\n')}\n`;
}
