import { outcome, traceIn } from './text';

const edge = (validation: string, more = '', controller = 'gateway.envoyproxy.io/gatewayclass-controller'): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: eg }
spec: { controllerName: ${controller} }
---
apiVersion: v1
kind: Namespace
metadata: { name: envoy-gateway-system }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: app }
spec: { clusterIP: 10.96.0.10, selector: { app: web }, ports: [{ name: https, port: 443 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: app, labels: { app: web } }
spec: { containers: [{ name: web, image: web }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: app }
spec: { gatewayClassName: eg, listeners: [{ name: http, port: 8080, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: app }
spec: { parentRefs: [{ name: edge }], rules: [{ backendRefs: [{ name: web, port: 443 }] }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: web, namespace: app }
spec: { targetRefs: [{ group: "", kind: Service, name: web }], validation: { hostname: web.example.com, ${validation} } }
${more}`;
const ref = (kind: string, name: string): string => `caCertificateRefs: [{ group: "", kind: ${kind}, name: ${name} }]`;
const stored = (kind: string, data: string): string => `
---
apiVersion: v1
kind: ${kind}
metadata: { name: ca, namespace: app }
${data}`;
const ask = (yaml: string, release = '1.9') =>
  traceIn(yaml, { envoyGatewayVersion: release })('http://web.example.com:8080/', { from: 'outside', at: 'app/edge' });

describe('the authority of a BackendTLSPolicy at Envoy Gateway', () => {
  it.each([
    ['ca.crt', stored('ConfigMap', 'data: { ca.crt: x, more: y }')],
    ['tls.crt', stored('ConfigMap', 'data: { tls.crt: x, more: y }')],
    ['the only key', stored('ConfigMap', 'data: { roots.pem: x }')],
  ])('is read from %s', (_, more) => {
    const told = ask(edge(ref('ConfigMap', 'ca'), more));
    expect(outcome(told)).toMatch(/^delivered/);
    expect(told.notes?.join() ?? '').not.toContain('verifies the server');
  });

  it.each([
    ['an empty ConfigMap', edge(ref('ConfigMap', 'ca'), stored('ConfigMap', 'data: {}'))],
    ['other keys', edge(ref('ConfigMap', 'ca'), stored('ConfigMap', 'data: { a: x, b: y }'))],
    ['other keys of a Secret', edge(ref('Secret', 'ca'), stored('Secret', 'stringData: { a: x, b: y }'))],
    ['another kind', edge('caCertificateRefs: [{ group: example.org, kind: Vault, name: ca }]')],
    ['one of two', edge('caCertificateRefs: [{ group: "", kind: ConfigMap, name: gone }, { group: "", kind: ConfigMap, name: ca }]', stored('ConfigMap', 'data: {}'))],
  ])('makes 500 of %s', (_, yaml) => {
    const told = ask(yaml);
    expect(outcome(told)).toBe('direct_response 500 at envoy-gateway');
    expect(told.refusal?.by?.kind ?? told.refusal?.reason.kind).toMatch(/BackendTLSPolicy|backend-authority-not-usable/);
  }); // prettier-ignore

  it.each([['ConfigMap'], ['Secret']])('is assumed to be there where no manifest shows the %s, and the trace says so', (kind) => {
    const told = ask(edge(ref(kind, 'gone')));
    expect(outcome(told)).toMatch(/^delivered/);
    expect(told.notes?.join()).toContain(`no manifest shows ${kind} app/gone, by which BackendTLSPolicy app/web verifies the server`);
  }); // prettier-ignore

  it('is read from tls.crt since 1.9', () => {
    const yaml = edge(ref('ConfigMap', 'ca'), stored('ConfigMap', 'data: { tls.crt: x, more: y }'));
    expect(outcome(ask(yaml, '1.9'))).toMatch(/^delivered/);
    expect(outcome(ask(yaml, '1.8'))).toBe('direct_response 500 at envoy-gateway');
  });

  it('is not asked for where the system has it', () => {
    expect(outcome(ask(edge('wellKnownCACertificates: System')))).toMatch(/^delivered/);
  });
});

describe('the authority of a BackendTLSPolicy in Istio', () => {
  const istio = (validation: string, more = '', release = '1.32') =>
    traceIn(edge(validation, more, 'istio.io/gateway-controller') + MESH, { outbound: 'REGISTRY_ONLY', istioVersion: release }); // prettier-ignore
  const MESH = `
---
apiVersion: v1
kind: Namespace
metadata: { name: app, labels: { istio-injection: enabled } }
`;
  const outside = { from: 'outside', at: 'app/edge' };

  it.each([
    ['ca.crt', 'data: { ca.crt: x }'],
    ['cacert', 'data: { cacert: x, more: y }'],
  ])('is read from %s', (_, data) => {
    const told = istio(ref('ConfigMap', 'ca'), stored('ConfigMap', data))('http://web.example.com:8080/', outside);
    expect([outcome(told), told.hops[0]?.sends?.tls]).toEqual([expect.stringMatching(/^delivered/), 'SIMPLE']);
  });

  it.each([
    ['an empty ConfigMap', ref('ConfigMap', 'ca'), stored('ConfigMap', 'data: {}')],
    ['an empty key', ref('ConfigMap', 'ca'), stored('ConfigMap', 'data: { ca.crt: "" }')],
    ['the key that Envoy Gateway takes alone', ref('ConfigMap', 'ca'), stored('ConfigMap', 'data: { roots.pem: x }')],
    ['a Secret', ref('Secret', 'ca'), stored('Secret', 'stringData: { ca.crt: x }')],
    ['another kind', 'caCertificateRefs: [{ group: example.org, kind: Vault, name: ca }]', ''],
  ])('keeps a gateway from connecting where it is %s', (_, validation, more) => {
    const told = istio(validation, more)('http://web.example.com:8080/', outside);
    expect(outcome(told)).toBe('UF 503 at ingress-gateway');
    expect(told.refusal?.by).toEqual({ kind: 'BackendTLSPolicy', namespace: 'app', name: 'web', field: 'spec.validation.caCertificateRefs[0]' }); // prettier-ignore
  });

  it.each(['1.32', '1.30.4', '1.29', '1.29.7'])(
    'keeps a sidecar of %s from connecting where it cannot be read',
    (release) => {
      const told = istio(ref('ConfigMap', 'ca'), stored('ConfigMap', 'data: {}'), release)('http://web.app:443/');
      expect(outcome(told)).toBe('UF - at sidecar');
    },
  );

  it.each(['1.29.1', '1.29.6', '1.30.3'])(
    'has a sidecar of %s send plain text where it cannot be read, and the trace says so',
    (release) => {
      const told = istio(ref('ConfigMap', 'ca'), stored('ConfigMap', 'data: {}'), release)('http://web.app:443/');
      expect(told.hops[0]?.sends?.tls).not.toBe('SIMPLE');
      expect(told.notes.join()).toContain('names an authority that istiod cannot read');
    },
  );

  it('is the first reference alone', () => {
    const two = 'caCertificateRefs: [{ group: "", kind: ConfigMap, name: ca }, { group: "", kind: Secret, name: gone }]'; // prettier-ignore
    const told = istio(two, stored('ConfigMap', 'data: { ca.crt: x }'))('http://web.example.com:8080/', outside);
    expect(outcome(told)).toMatch(/^delivered/);
  });

  it('is assumed to be there where no manifest shows the ConfigMap, and the trace says so', () => {
    const told = istio(ref('ConfigMap', 'gone'))('http://web.example.com:8080/', outside);
    expect(outcome(told)).toMatch(/^delivered/);
    expect(told.notes.join()).toContain('no manifest shows ConfigMap app/gone, by which BackendTLSPolicy app/web verifies the server'); // prettier-ignore
  });
});
