/** Whom policies of action CUSTOM ask: istiod looks the provider's service up by its whole host name, and denies where it finds none. */
import { outcome, traceIn } from './text';

const world = (service: string, more = ''): string => `
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: { name: mesh, namespace: istio-system }
spec: { meshConfig: { extensionProviders: [{ name: opa, envoyExtAuthzGrpc: { service: '${service}', port: 9191 } }${more}] } }
---
apiVersion: v1
kind: Namespace
metadata: { name: app, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: app }
spec: { clusterIP: 10.0.0.1, selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: app, labels: { app: web } }
spec: { containers: [{ name: web, image: web }] }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: authz, namespace: app }
spec: { hosts: [authz.local], ports: [{ number: 9191, name: grpc, protocol: GRPC }], resolution: STATIC, endpoints: [{ address: 127.0.0.1 }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask, namespace: app }
spec: { action: CUSTOM, provider: { name: opa }, rules: [{ to: [{ operation: { paths: [/x] } }] }] }
`;
const asked = (service: string, more?: string) => traceIn(world(service, more))('http://web.app/x');

it.each([
  ['the whole name of a Service', 'web.app.svc.cluster.local'],
  ['a namespace before it', 'app/web.app.svc.cluster.local'],
  ['the host of a ServiceEntry', 'authz.local'],
  ['a host that another repository may declare', 'authz.example.com'],
  ['a Service of a namespace that no manifest shows', 'opa.policy.svc.cluster.local'],
])('asks by %s', (_, service) => expect(outcome(asked(service))).toBe('unknown'));

it.each([
  ['the short name of a Service', 'web', 'web.app.svc.cluster.local'],
  ['its name and namespace', 'web.app', 'web.app.svc.cluster.local'],
  ['a Service that is not there', 'opa.app.svc.cluster.local', null],
  ['another namespace before it', 'other/web.app.svc.cluster.local', null],
])('denies where the provider has %s', (_, service, meant) => {
  const told = asked(service);
  expect(outcome(told)).toBe('RBAC 403 at sidecar');
  expect(told.refusal?.reason).toMatchObject({ kind: 'no-authorizer', providers: ['opa'], problem: { is: 'no-service', service, meant } }); // prettier-ignore
});

it('denies where two providers have the name', () => {
  const twice = asked('authz.local', ', { name: opa, envoyExtAuthzHttp: { service: authz.local, port: 9191 } }');
  expect(outcome(twice)).toBe('RBAC 403 at sidecar');
  expect(twice.refusal?.reason).toMatchObject({ problem: { is: 'named-twice' } });
});

it('lets pass what no rule is for', () =>
  expect(outcome(traceIn(world('web'))('http://web.app/y'))).toBe('delivered to web.app.svc.cluster.local:80'));

it('asks a provider that values and an IstioOperator both say, which are of one mesh', () => {
  const provider = '{ name: opa, envoyExtAuthzGrpc: { service: web.app.svc.cluster.local, port: 9191 } }';
  const both = `${world('web.app.svc.cluster.local')}
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: { name: other, namespace: istio-system }
spec: { meshConfig: { extensionProviders: [${provider}] } }
`;
  expect(outcome(traceIn(both)('http://web.app/x'))).toBe('unknown');
});
