import { check } from '../../src/check/check';
import type { Finding } from '../../src/check/finding';
import { loadText } from '../../src/model/load';
import type { MeshOptions } from '../../src/model/mesh-options';

const judge = (yaml: string, options: MeshOptions = {}): readonly Finding[] => check(loadText(yaml), options).findings;
const ids = (yaml: string, options?: MeshOptions): readonly string[] =>
  judge(yaml, options).map(({ id, severity }) => `${id} ${severity}`);

const NAMESPACES = ['app', 'gw'].map(
  (name) => `
---
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {istio-injection: enabled}}`,
).join(''); // prettier-ignore

describe('routes of the mesh', () => {
  const route = (parents: string): string => `${NAMESPACES}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: app}
spec: {selector: {app: cart}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: gw}
spec: {selector: {app: other}, ports: [{name: http, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart, namespace: app}
spec: {parentRefs: [${parents}], rules: [{backendRefs: [{name: other, namespace: gw, port: 80}]}]}`;

  it('need no ReferenceGrant; those of gateways do', () => {
    const mesh = '{group: "", kind: Service, name: cart, port: 80}';
    expect(ids(route(mesh))).not.toContain('EDGE803 error');
    expect(ids(route('{name: front}'))).toContain('EDGE803 error');
    expect(ids(route(`${mesh}, {name: front}`))).toContain('EDGE803 error');
  });
});

describe('a host without endpoints', () => {
  const db = `${NAMESPACES}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db, namespace: app}
spec:
  hosts: [db.example.com]
  addresses: [192.0.2.40]
  resolution: STATIC
  ports: [{number: 5432, name: tcp, protocol: TCP}]`;
  const rule = (match: string): string => `
---
apiVersion: v1
kind: Service
metadata: {name: pool, namespace: app}
spec: {selector: {app: pool}, ports: [{name: tcp, port: 5432}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: db, namespace: app}
spec:
  hosts: [db.example.com]
  tcp: [{match: [{${match}}], route: [{destination: {host: pool.app.svc.cluster.local, port: {number: 5432}}}]}]`;

  it('is no fault where rules lead some of its clients elsewhere, and holds the others', () => {
    expect(ids(db)).toContain('EDGE214 error');
    expect(ids(db + rule('port: 5432, sourceLabels: {app: books}'))).not.toContain('EDGE214 error');
    expect(ids(db + rule('port: 5433, sourceLabels: {app: books}'))).toContain('EDGE214 error');
  });
});

describe('gateways of one name in both APIs', () => {
  it('are each followed by their own routes', () => {
    const both = `${NAMESPACES}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [front.example.org]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: front, namespace: app}
spec: {hosts: [front.example.org], gateways: [front], http: [{route: [{destination: {host: cart}}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: app}
spec: {selector: {app: cart}, ports: [{name: http, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}`;
    expect(ids(both).filter((id) => id.endsWith('error'))).toEqual([]);
  });
});
