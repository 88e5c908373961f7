import { loadText } from '../../../src/model/load';
import { buildMesh } from '../../../src/model/mesh';
import { realized } from './realized';

const WORLD = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: app}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: c, image: c, ports: [{name: web, containerPort: 8081}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: web}, {name: none, port: 81, targetPort: nowhere}, {name: tcp, port: 82}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db, namespace: app}
spec: {hosts: [db.example.com], ports: [{number: 5432, name: tcp, protocol: TCP}], resolution: DNS}`;

describe('manifests as a cluster runs them', () => {
  const mesh = buildMesh(loadText(WORLD).manifests, {});
  const { things, podOf, addressOf, standInFor } = realized(mesh, [{ namespace: 'app', labels: { tier: 'a' } }]);
  const of = (kind: string): any[] => things.filter((one) => one.kind === kind);

  it('have a Pod with an address for each workload, and one for who is shown by none', () => {
    const [shop, other] = of('Pod');
    expect([podOf({ namespace: 'app', name: 'shop' }), shop.metadata.name]).toEqual(['app/shop', 'shop']);
    expect(shop.metadata.labels).toEqual({ app: 'shop', 'security.istio.io/tlsMode': 'istio' });
    expect(standInFor('app', { tier: 'a' })).toBe(`app/${other.metadata.name}`);
    expect(new Set([shop.status.podIP, other.status.podIP]).size).toBe(2);
  });

  it('have Services with addresses, which lead to the ports that their Pods name', () => {
    const [service] = of('Service');
    const [slice] = of('EndpointSlice');
    expect(addressOf.get('cluster-ip-of:shop.app')).toBe(service.spec.clusterIP);
    expect(slice.endpoints[0].addresses).toEqual([of('Pod')[0].status.podIP]);
    expect(slice.ports).toEqual([
      { name: 'http', port: 8081, protocol: 'TCP' },
      { name: 'tcp', port: 82, protocol: 'TCP' },
    ]);
  });

  it('have what istiod allocates and makes by itself', () => {
    expect(of('ServiceEntry')[0].status.addresses).toEqual([{ host: 'db.example.com', value: '240.240.0.1' }]);
    expect(of('GatewayClass').map(({ metadata }) => metadata.name)).toEqual(['istio', 'istio-waypoint']);
  });
});
