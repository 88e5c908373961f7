import { Mesh } from '../../src/model/mesh';
import { loadText } from '../../src/model/load';
import { trace } from '../../src/trace';

const GATEWAY = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: public, namespace: ingress }
spec:
  selector: { istio: ingress }
  servers:
    - { port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ingress, namespace: ingress }
spec:
  selector: { matchLabels: { istio: ingress } }
  template:
    metadata:
      labels: { istio: ingress }
      annotations: { inject.istio.io/templates: gateway }
    spec: { containers: [{ name: istio-proxy, image: auto }] }
---
apiVersion: v1
kind: Service
metadata: { name: ingress, namespace: ingress }
spec:
  selector: { istio: ingress }
  ports: [{ name: http, port: 80 }]
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: root, namespace: ingress }
spec:
  hosts: [shop.example.com]
  gateways: [public]
  http:
    - match: [{ uri: { prefix: /cart } }]
      delegate: { name: cart, namespace: shop }
    - match: [{ uri: { prefix: /list } }]
      route: [{ destination: { host: web.shop.svc.cluster.local } }]
---
`;

const delegate = (name: string, spec: string): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: shop }
spec: ${spec}
`;
const TO_WEB = 'route: [{ destination: { host: web.shop.svc.cluster.local } }]';

const refusal = (extra: string, path: string) =>
  trace(new Mesh(loadText(GATEWAY + extra, 'mesh.yaml').manifests), {
    from: 'outside',
    at: 'ingress/public',
    request: `http://shop.example.com${path}`,
  }).refusal;

describe('a request whose rule names a delegate that istiod leaves out', () => {
  it.each([
    ['is not there', delegate('basket', `{ http: [{ ${TO_WEB} }] }`)],
    ['is not exported to namespace ingress', delegate('cart', `{ exportTo: ['.'], http: [{ ${TO_WEB} }] }`)],
    ['has hosts', delegate('cart', `{ hosts: [shop.example.com], http: [{ ${TO_WEB} }] }`)],
    ['is not within', delegate('cart', `{ http: [{ match: [{ uri: { prefix: /v2 } }], ${TO_WEB} }] }`)],
  ])('is refused, and the cause names root and delegate: it %s', (cause, extra) => {
    const { status, what, by } = refusal(extra, '/cart/1')!;
    expect(status).toBe(404);
    expect(what).toContain('VirtualService ingress/root hands its http[0] over to VirtualService shop/cart');
    expect(what).toContain(cause);
    expect(by).toEqual({ kind: 'VirtualService', namespace: 'ingress', name: 'root', field: 'spec.http[0].delegate' });
  });

  it('is not blamed for a path that no rule is for', () => {
    expect(refusal(delegate('basket', `{ http: [{ ${TO_WEB} }] }`), '/other')!.what).not.toContain('hands its');
  });
});
