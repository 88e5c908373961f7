import { outcome, traceIn } from './text';

/** A Gateway of a team for the same egress Pods, in the mesh's mutual TLS, with a route for one host. */
function team(name: string, port: number): string {
  return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: ${name}, namespace: edge }
spec:
  selector: { istio: egress }
  servers: [{ hosts: [${name}/*], port: { number: ${port}, name: https, protocol: HTTPS }, tls: { mode: ISTIO_MUTUAL } }]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: api, namespace: ${name} }
spec: { hosts: [${name}.example.com], location: MESH_EXTERNAL, resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: hop-of-${name}, namespace: edge }
spec:
  host: egress.edge.svc.cluster.local
  subsets: [{ name: ${name}, trafficPolicy: { tls: { mode: ISTIO_MUTUAL } } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: api, namespace: ${name} }
spec:
  hosts: [${name}.example.com]
  gateways: [mesh, edge/${name}]
  http:
    - match: [{ gateways: [mesh] }]
      route: [{ destination: { host: egress.edge.svc.cluster.local, port: { number: ${port} }, subset: ${name} } }]
    - match: [{ gateways: [edge/${name}] }]
      route: [{ destination: { host: ${name}.example.com, port: { number: 80 } } }]
---`;
}

const egress = `
apiVersion: v1
kind: Service
metadata: { name: egress, namespace: edge }
spec: { selector: { istio: egress }, ports: [{ name: http, port: 80, targetPort: 8080 }, { name: more, port: 81, targetPort: 8081 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: egress, namespace: edge, labels: { istio: egress }, annotations: { inject.istio.io/templates: gateway } }
spec: { containers: [{ name: istio-proxy, image: auto }] }
`;

describe('servers of two Gateways for the same Pods, which nothing in TLS tells apart', () => {
  it('make a listener that Envoy refuses on one port, whose refusal names both', () => {
    const told = traceIn(team('shop', 80) + team('billing', 80) + egress)('http://shop.example.com/', {
      from: 'shop/web',
    });
    expect(outcome(told)).toBe('UF 503 at egress-gateway');
    expect(told.refusal?.reason).toEqual({
      kind: 'chains-match-alike',
      listener: '0.0.0.0_8080',
      matched: 'everything',
      servers: ['Gateway edge/billing spec.servers[0]', 'Gateway edge/shop spec.servers[0]'],
    });
  });

  it('are both served on ports of their own', () => {
    const follow = traceIn(team('shop', 80) + team('billing', 81) + egress);
    for (const name of ['shop', 'billing'])
      expect(outcome(follow(`http://${name}.example.com/`, { from: `${name}/web` }))).toBe(
        `delivered to ${name}.example.com:80`,
      );
  });
});
