import { outcome, traceIn } from './text';

const edge = (validation: string, more = ''): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: eg }
spec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }
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
