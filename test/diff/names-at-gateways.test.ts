import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

/** A gateway for every name, and an entry for one name, which is none of the gateway's. */
const MESH = `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: public, namespace: shop }
spec: { selector: { istio: public }, servers: [{ hosts: ['*'], port: { number: 80, name: http, protocol: HTTP } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: shop }
spec: { hosts: ['*'], gateways: [public], http: [{ route: [{ destination: { host: web } }] }] }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: api, namespace: shop }
spec: { hosts: [api.example.com], location: MESH_EXTERNAL, resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }] }
---
`;
const denied = (path: string): string => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: denied, namespace: istio-system }
spec: { selector: { matchLabels: { istio: public } }, action: DENY, rules: [{ to: [{ operation: { hosts: [api.example.com], paths: ['${path}'] } }] }] }
`;

// No manifest shows the Pods of the gateway: the policy is for those that the Gateway selects, wherever they are.
it('requests at a gateway that is for every name are told for names that objects elsewhere are about', () => {
  const [was, is] = ['/a', '/b'].map((path) => loadText(MESH + denied(path)).manifests);
  const { changes, complete, withoutEffect } = diff(was ?? [], is ?? []);
  expect(withoutEffect).toEqual([]);
  expect(complete).toBe(true);
  expect(changes.map(({ effect, request }) => `${effect} ${request.request}`).sort()).toEqual([
    'narrowed http://api.example.com/b',
    'widened http://api.example.com/a',
  ]);
});
