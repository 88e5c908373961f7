/** What differs and shows in no way that a request takes is told as what it is, and never as "no effect". */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { diff } from '../../src/diff/diff';
import { bearingOf, KINDS } from '../../src/diff/field-bearings';
import type { Diff } from '../../src/diff/types';
import { loadText } from '../../src/model/load';

const SCHEMAS = join(__dirname, '../../src/check/schemas');
const definitions = JSON.parse(readFileSync(join(SCHEMAS, 'definitions.json'), 'utf8'));

/** Every field of a kind's spec, as the API server knows it. */
function fieldsOf(kind: string): readonly string[] {
  const [group = '', name = ''] = kind.split('/');
  const found = new Set<string>();
  const walk = (given: any, path: string, depth: number): void => {
    const schema = given?.$ref === undefined ? (given ?? {}) : { ...definitions[given.$ref], ...given };
    const inner = Object.entries(schema.properties ?? {});
    if (depth > 16) return;
    for (const [field, one] of inner) walk(one, path === '' ? field : `${path}.${field}`, depth + 1);
    if (schema.items !== undefined) return walk(schema.items, path, depth + 1);
    if (inner.length > 0) return;
    if (typeof schema.additionalProperties === 'object')
      return walk(schema.additionalProperties, `${path}.any`, depth + 1);
    if (path !== '') found.add(path);
  };
  const { schemas } = JSON.parse(readFileSync(join(SCHEMAS, group || 'core', `${name}.json`), 'utf8'));
  for (const schema of schemas) walk(schema.properties?.spec, '', 0);
  return [...found];
}

/** Fields that nothing reads, known one by one: a release that brings another has to be looked at. */
const UNREAD: Readonly<Record<string, RegExp>> = {
  'networking.istio.io/ServiceEntry': /^endpoints\.network$/,
  'networking.istio.io/WorkloadEntry': /^network$/,
  'networking.istio.io/WorkloadGroup': /^template\.network$/,
  'networking.istio.io/ProxyConfig': /^environmentVariables\./,
  'gateway.networking.k8s.io/Gateway': /^(defaultScope|listeners\.filters\.)/,
  'gateway.networking.k8s.io/ListenerSet': /^listeners\.filters\./,
  'gateway.networking.k8s.io/HTTPRoute': /^useDefaultGateways$/,
  'gateway.networking.k8s.io/GRPCRoute': /^useDefaultGateways$/,
  'gateway.networking.k8s.io/TLSRoute': /^useDefaultGateways$/,
  'gateway.networking.k8s.io/TCPRoute': /^useDefaultGateways$/,
  'gateway.networking.k8s.io/UDPRoute': /./,
  'gateway.networking.x-k8s.io/XBackend': /./,
  'gateway.networking.x-k8s.io/XMesh': /./,
  'gateway.envoyproxy.io/HTTPRouteFilter': /^matches\./,
  'gateway.envoyproxy.io/EnvoyProxy':
    /^(bootstrap|dynamicModules|luaValidation|extraArgs|mergeBackends|preserveRouteOrder|provider\.kubernetes\.\w+\.patch)/,
};

describe.each(KINDS)('of %s', (kind) => {
  it('each field is followed, told, or known to bear on no traffic', () => {
    const unread = fieldsOf(kind).filter((field) => bearingOf(kind, field) === 'unread');
    expect(unread.filter((field) => UNREAD[kind]?.test(field) !== true)).toEqual([]);
  });
});

const MESH = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: stock, namespace: shop }
spec: { selector: { app: stock }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: stock, namespace: shop }
spec:
  selector: { matchLabels: { app: stock } }
  template: { metadata: { labels: { app: stock } }, spec: { containers: [{ name: stock, image: stock }] } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: stock, namespace: shop }
spec:
  hosts: [stock]
  http:
    - match: [{ uri: { prefix: /slow } }]
      timeout: 60s
      route: [{ destination: { host: stock } }]
    - timeout: 10s
      route: [{ destination: { host: stock } }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: stock, namespace: shop }
spec: { host: stock, trafficPolicy: { outlierDetection: { consecutive5xxErrors: 5 } } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data: { mesh: "connectTimeout: 10s" }
`;
const between = (was: string, is: string): Diff => diff(loadText(was).manifests, loadText(is).manifests);
const replaced = (what: string, by: string): Diff => {
  expect(MESH).toContain(what);
  return between(MESH, MESH.replace(what, by));
};

describe('of Envoy Gateway, diff tells', () => {
  const GATEWAY = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: eg }
spec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: door, namespace: shop }
spec: { gatewayClassName: eg, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: stock, namespace: shop }
spec: { parentRefs: [{ name: door }], rules: [{ backendRefs: [{ name: stock, port: 80 }] }] }
---
${MESH}`;
  const policy = (kind: string, target: string, spec: string): string => `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ${kind}
metadata: { name: it, namespace: shop }
spec: { targetRefs: [{ group: gateway.networking.k8s.io, ${target} }], ${spec} }
`;

  it('headers with underscores that are taken otherwise, as not decided', () => {
    const taking = (how: string): string => GATEWAY + policy('ClientTrafficPolicy', 'kind: Gateway, name: door', how);
    const [plain, allowing] = [taking('http2: {}'), taking('headers: { withUnderscoresAction: Allow }')];
    const found = between(plain, allowing);
    expect(found.complete).toBe(false);
    expect(found.undecided.map(({ what }) => what)).toEqual(['requests with a header whose name has an underscore']);
    expect(between(plain, taking('headers: { withUnderscoresAction: RejectRequest }')).complete).toBe(true);
  });

  it('origins that answers name, which alter no way', () => {
    const cors = (origin: string): string => GATEWAY + policy('SecurityPolicy', 'kind: HTTPRoute, name: stock', `cors: { allowOrigins: ["${origin}"] }`); // prettier-ignore
    const found = between(cors('https://one.example'), cors('https://two.example'));
    expect(found).toMatchObject({ changes: [], complete: true, settings: [{ fields: ['cors.allowOrigins[]'] }] });
  });
});

describe('diff tells, with no change of traffic, of', () => {
  it.each([
    ['a timeout', 'timeout: 10s', 'timeout: 1ms', ['http[].timeout']],
    ['retries', 'timeout: 10s', 'timeout: 10s\n      retries: { attempts: 0 }', ['http[].retries.attempts']],
    ['limits', 'consecutive5xxErrors: 5', 'consecutive5xxErrors: 1', ['trafficPolicy.outlierDetection.consecutive5xxErrors']],
    ['load balancing', 'outlierDetection: {', 'loadBalancer: { simple: RANDOM }, outlierDetection: {', ['trafficPolicy.loadBalancer.simple']],
    ['a setting of the whole mesh', 'connectTimeout: 10s', 'connectTimeout: 1ms', ['meshConfig.connectTimeout']],
    ['which endpoints a Service has', 'selector: { app: stock },', 'selector: { app: stock }, internalTrafficPolicy: Local,', ['internalTrafficPolicy']],
  ])('%s', (_what, was, is, fields) => {
    const found = replaced(was, is);
    expect(found).toMatchObject({ changes: [], complete: true, undecided: [], settings: [{ decided: true, fields }] });
    expect(found.notes).toHaveLength(1);
    expect(found.summary.objects.withoutEffect).toBe(0);
  }); // prettier-ignore

  it.each([
    ['a Service that is opened to clients outside', 'selector: { app: stock },', 'type: LoadBalancer, selector: { app: stock },', /clients outside/],
    ['aborts of a share of the requests', 'timeout: 10s', 'fault: { abort: { httpStatus: 500, percentage: { value: 10 } } }', /share/],
    ['an authority of the whole mesh', 'connectTimeout: 10s', "connectTimeout: 10s\\ncaCertificates: [{ pem: other }]", /trusts/],
    ['a setting that nothing here reads', 'connectTimeout: 10s', 'connectTimeout: 10s\\ninboundTrafficPolicy: { mode: LOCALHOST }', /reads/],
  ])('what may decide who gets through, as not decided: %s', (_what, was, is, why) => {
    const found = replaced(was, is);
    expect(found.changes).toEqual([]);
    expect(found.complete).toBe(false);
    expect(found.undecided.some((one) => why.test(one.why))).toBe(true);
  }); // prettier-ignore

  it.each([0, 100])('no share of the requests where an abort is of %s percent of them', (value) => {
    const found = replaced('timeout: 10s', `fault: { abort: { httpStatus: 500, percentage: { value: ${value} } } }`);
    expect(found.complete).toBe(true);
    expect(found.changes.length > 0).toBe(value === 100);
  });

  it('two timeouts that are swapped, and of none that moves with its rule or object', () => {
    const swapped = MESH.replace('timeout: 60s', 'timeout: 1s')
      .replace('timeout: 10s', 'timeout: 60s')
      .replace('timeout: 1s', 'timeout: 10s');
    expect(between(MESH, swapped).settings).toHaveLength(1);
    expect(between(MESH, MESH.replace('kind: VirtualService\nmetadata: { name: stock', 'kind: VirtualService\nmetadata: { name: other')).settings).toEqual([]); // prettier-ignore
  });
});

it('a default that is written out is no change of whom one trusts, and another value is', () => {
  const gateway = (tls: string): string => `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: web, namespace: shop }
spec:
  gatewayClassName: istio
  listeners: [{ name: https, port: 443, protocol: HTTPS, tls: { certificateRefs: [{ name: cert${tls} }] } }]
`;
  const short = gateway('');
  expect(between(short, gateway(', group: "", kind: Secret'))).toMatchObject({ complete: true, settings: [], summary: { objects: { withoutEffect: 1 } } }); // prettier-ignore
  expect(between(short, gateway(', kind: ConfigMap')).undecided).not.toEqual([]);
});
