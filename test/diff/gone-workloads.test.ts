import { diff } from '../../src/diff/diff';
import { parseLine } from '../../src/cli/request-line';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace/index';

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

/** What `trace` says of the witness of a change with the manifests of each side alone, and what the witness has to be told beside. */
function traced(was: string, is: string): unknown {
  const found = diff(loadText(was).manifests, loadText(is).manifests).changes.find(({ to }) => to.startsWith('http://api.')); // prettier-ignore
  const line = JSON.stringify(found?.request);
  const outcomes = [was, is].map((one) => trace(buildMesh(loadText(one).manifests), parseLine(line, 1)).outcome);
  return { outcomes, known: found?.request.known, assumed: found?.request.assumed };
}

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
  it('is gone for trace too, which is told by the witness what the other side shows', () => {
    const deployment = ['Deployment/edge/egress'];
    expect(traced(ROUTES + SERVICE + DEPLOYMENT, ROUTES + SERVICE)).toEqual({
      outcomes: ['delivered', 'refused'],
      known: deployment,
    });
    expect(traced(ROUTES + SERVICE, ROUTES + SERVICE + DEPLOYMENT)).toEqual({
      outcomes: ['refused', 'delivered'],
      known: deployment,
    });
    expect(traced(ROUTES + SERVICE + DEPLOYMENT, ROUTES)).toEqual({
      outcomes: ['delivered', 'refused'],
      known: ['Service/edge/egress'],
    });
  });

  it('is not gone where an IstioOperator has it installed on the other side', () => {
    const operator = `
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: { name: mesh, namespace: istio-system }
spec: { components: { egressGateways: [{ name: egress, namespace: edge, enabled: true, label: { istio: egress } }] } }
`;
    expect(told(ROUTES + operator, ROUTES + operator + SERVICE + DEPLOYMENT)).not.toContain('widened');
  });
});

describe("the Service of a gateway that neither side shows, and one side's routes send to", () => {
  /** The first rule takes all, so that the second one is of no effect but for naming the gateway. */
  const named = ROUTES.replace('  http:\n', '  http:\n    - route: [{ destination: { host: api.example.com } }]\n');
  const unnamed = named.replace(/ {4}- match: \[\{ gateways: \[mesh\] \}\]\n.*\n/, '');

  it('is there before and after', () => {
    expect(named).toContain('host: egress.edge');
    expect(unnamed).not.toContain('host: egress.edge');
    for (const [was, is] of [
      [named, unnamed],
      [unnamed, named],
    ] as const)
      expect(diff(loadText(was).manifests, loadText(is).manifests)).toMatchObject({ changes: [], complete: true });
  });

  it('has the ports that the routes of either side ask for', () => {
    const { changes } = diff(loadText(named).manifests, loadText(named.replaceAll('{ number: 80 }', '{ number: 9000 }')).manifests); // prettier-ignore
    expect(changes).toEqual([]);
  });
});

const ROUTE = `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: shop }
spec: { hosts: [shop.example.com], gateways: [infra/public], http: [{ route: [{ destination: { host: web } }] }] }
`;
const PUBLIC = `
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: public, namespace: infra }
spec: { selector: { istio: public }, servers: [{ hosts: ['*'], port: { number: 80, name: http, protocol: HTTP } }] }
`;

describe('a witness from outside', () => {
  const outcomes = (was: string, is: string): unknown => {
    const [first] = diff(loadText(was).manifests, loadText(is).manifests).changes;
    const line = JSON.stringify(first?.request);
    return [was, is].map((one) => trace(buildMesh(loadText(one).manifests), parseLine(line, 1)).outcome);
  };

  it('is refused on the side without its Gateway', () => {
    expect(outcomes(ROUTE + PUBLIC, ROUTE)).toEqual(['delivered', 'refused']);
  });

  it('enters at a Gateway that neither side shows, as the change says', () => {
    const without = ROUTE.replace('gateways: [infra/public]', 'gateways: [mesh]');
    expect(outcomes(without, ROUTE)).toEqual(['refused', 'delivered']);
  });
});
