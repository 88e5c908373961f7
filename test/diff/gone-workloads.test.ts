import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

const ROUTES = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: api, namespace: edge }
spec: { hosts: [api.example.com], location: MESH_EXTERNAL, resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: egress, namespace: edge }
spec: { selector: { istio: egress }, servers: [{ hosts: ['*'], port: { number: 80, name: http, protocol: HTTP } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: api, namespace: edge }
spec:
  hosts: [api.example.com]
  gateways: [mesh, egress]
  http:
    - match: [{ gateways: [mesh] }]
      route: [{ destination: { host: egress.edge.svc.cluster.local, port: { number: 80 } } }]
    - match: [{ gateways: [egress] }]
      route: [{ destination: { host: api.example.com } }]
`;
const SERVICE = `
---
apiVersion: v1
kind: Service
metadata: { name: egress, namespace: edge }
spec: { selector: { istio: egress }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
`;
const DEPLOYMENT = `
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: egress, namespace: edge }
spec:
  selector: { matchLabels: { istio: egress } }
  template:
    metadata: { labels: { istio: egress }, annotations: { inject.istio.io/templates: gateway } }
    spec: { containers: [{ name: istio-proxy, image: auto }] }
`;
/** A gateway in a namespace of others, which no manifest has, before or after. */
const CONTROL_PLANE = `
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: other, namespace: edge }
spec:
  selector: { matchLabels: { app: other } }
  template: { metadata: { labels: { app: other } }, spec: { containers: [{ name: other, image: other }] } }
`;

function told(was: string, is: string): readonly string[] {
  const { changes } = diff(loadText(was).manifests, loadText(is).manifests);
  return [...new Set(changes.filter(({ to }) => to.startsWith('http://api.')).map(({ effect }) => effect))];
}

describe('a workload that one side shows', () => {
  it('is gone where the other side does not, though its Service is there', () => {
    expect(told(ROUTES + SERVICE + DEPLOYMENT, ROUTES + SERVICE)).toEqual(['narrowed']);
    expect(told(ROUTES + SERVICE, ROUTES + SERVICE + DEPLOYMENT)).toEqual(['widened']);
  });

  it('is gone with its Service, and no gateway is assumed in their place', () => {
    expect(told(ROUTES + SERVICE + DEPLOYMENT, ROUTES)).toEqual(['narrowed']);
    expect(told(ROUTES, ROUTES + SERVICE + DEPLOYMENT)).toEqual(['widened']);
  });

  it('is assumed where neither side shows it', () => {
    expect(told(ROUTES + SERVICE, ROUTES + SERVICE)).toEqual([]);
    expect(told(ROUTES, ROUTES + CONTROL_PLANE)).toEqual([]);
  });
});
