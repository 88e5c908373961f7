/** Requests that go past the gateway: what is advised says for whom something opens, and names what keeps the others. */
import { ids, judge } from './judged';

const GATEWAY = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Namespace
metadata: { name: other, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Namespace
metadata: { name: calm, labels: { istio.io/dataplane-mode: ambient } }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: gw, namespace: edge }
spec:
  selector: { istio: gw }
  servers: [{ port: { number: 443, name: tls, protocol: TLS }, hosts: [api.example.com], tls: { mode: PASSTHROUGH } }]
---
apiVersion: v1
kind: Service
metadata: { name: gw, namespace: edge }
spec: { selector: { istio: gw }, ports: [{ name: tls, port: 443 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: gw, namespace: edge }
spec:
  selector: { matchLabels: { istio: gw } }
  template:
    metadata: { labels: { istio: gw, sidecar.istio.io/inject: 'true' }, annotations: { inject.istio.io/templates: gateway } }
    spec: { containers: [{ name: istio-proxy, image: auto }] }
`;

const workload = (name: string, namespace: string): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${namespace} }
spec: { selector: { matchLabels: { app: ${name} } }, template: { metadata: { labels: { app: ${name} } }, spec: { containers: [{ name: a, image: a }] } } }
`;

const entry = (exportTo = "['*']"): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: api, namespace: edge }
spec: { hosts: [api.example.com], exportTo: ${exportTo}, ports: [{ number: 443, name: tls, protocol: TLS }], resolution: DNS }
`;

const TO_HOST = `{ match: [{ gateways: [gw], port: 443, sniHosts: [api.example.com] }], route: [{ destination: { host: api.example.com, port: { number: 443 } } }] }`;
const toGateway = (gateways: string, source = ''): string =>
  `{ match: [{ ${gateways}port: 443, sniHosts: [api.example.com]${source} }], route: [{ destination: { host: gw.edge.svc.cluster.local, port: { number: 443 } } }] }`;
const rules = (name: string, gateways: string, own: readonly string[], exportTo = "['*']"): string => `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: edge }
spec: { hosts: [api.example.com], exportTo: ${exportTo}, gateways: [${gateways}], tls: [${own.join(', ')}] }
`;
const both = (source = '', exportTo?: string): string =>
  rules('api', 'mesh, gw', [toGateway('gateways: [mesh], ', source), TO_HOST], exportTo);

const advice = (yaml: string, outbound: 'ALLOW_ANY' | 'REGISTRY_ONLY' = 'ALLOW_ANY'): readonly string[] =>
  judge(GATEWAY + yaml, { outbound })
    .filter(({ id }) => id === 'EDGE201')
    .map(({ severity, what, fix }) => `${severity}: ${what} -> ${fix}`);

describe('requests that go past the egress gateway', () => {
  it('are those of callers that a rule for others leaves where they are, if the host is in their sight', () => {
    const yaml = entry() + both(', sourceLabels: { app: pay }') + workload('pay', 'shop') + workload('web', 'shop');
    expect(advice(yaml, 'REGISTRY_ONLY')).toEqual([
      expect.stringMatching(/^warning: .* from shop\/web .* -> If shop\/web is not meant to call the host, take it out of its sight/), // prettier-ignore
    ]);
  });

  it('are led by exportTo of the rule, where that leaves their namespace out', () => {
    expect(advice(entry() + both('', "['.']") + workload('pay', 'shop'))).toEqual([
      expect.stringContaining('If shop is meant to call the host, add it to exportTo of VirtualService edge/api. If not'), // prettier-ignore
    ]);
  });

  it('are those of a Sidecar that leaves the rule out', () => {
    const sidecar = `
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: own, namespace: shop }
spec: { egress: [{ hosts: ['./*'] }] }
`;
    expect(advice(entry() + both() + workload('pay', 'shop') + sidecar)).toEqual([
      expect.stringContaining('Set outboundTrafficPolicy of Sidecar shop/own to REGISTRY_ONLY. If its workloads'),
    ]);
  });

  it.each([
    ['TCP', 'Declare port 80 of ServiceEntry edge/plain with protocol HTTP, if that is what clients send.'],
    ['TLS', 'Write http[0] under tls, with sniHosts, since port 80 of ServiceEntry edge/plain is TLS.'],
  ])('are those of a port of %s, where rules for HTTP count for nothing', (protocol, fix) => {
    const declared = (as: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: plain, namespace: edge }
spec: { hosts: [plain.example.com], addresses: [240.0.0.9], ports: [{ number: 80, name: port, protocol: ${as} }], resolution: DNS }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: plain, namespace: edge }
spec:
  hosts: [plain.example.com]
  gateways: [mesh, plain]
  http:
    - { match: [{ gateways: [mesh], port: 80 }], route: [{ destination: { host: gw.edge.svc.cluster.local, port: { number: 80 } } }] }
    - { match: [{ gateways: [plain], port: 80 }], route: [{ destination: { host: plain.example.com, port: { number: 80 } } }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: plain, namespace: edge }
spec: { selector: { istio: gw }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [plain.example.com] }] }
`;
    const told = (as: string): readonly string[] =>
      judge(
        GATEWAY.replace(
          'ports: [{ name: tls, port: 443 }]',
          'ports: [{ name: tls, port: 443 }, { name: http, port: 80 }]',
        ) +
          declared(as) +
          workload('pay', 'shop'),
      ).flatMap((one) => (one.id === 'EDGE201' ? [one.fix] : []));
    expect(told(protocol)).toEqual([fix]);
    expect(told('HTTP')).toEqual([]);
  });

  it('are those of ztunnel, which reads no VirtualService', () => {
    expect(advice(entry() + both() + workload('x', 'calm'))).toEqual([
      expect.stringMatching(/leaves from ztunnel.* -> Bind the host's ServiceEntry to a waypoint/),
    ]);
  });

  it('are those of a namespace that lets everything out, told once for all hosts, whichever VirtualService leads the others', () => {
    const apart =
      entry("['.', shop]") +
      rules('in', 'mesh', [toGateway('', ', sourceLabels: { app: pay }')], "['.', shop]") +
      rules('out', 'edge/gw', [TO_HOST.replace('gateways: [gw], ', '')], "['.']");
    const yaml = apart + apart.replace(/api\.example/g, 'b.example').replace(/name: (api|in|out)/g, 'name: $1-b');
    const [found, ...more] = advice(yaml + workload('pay', 'shop') + workload('redis', 'other'));
    expect(more).toEqual([]);
    expect(found).toMatch(/^warning: https:\/\/api\.example\.com:443\/ from other\/redis leaves from the sidecar, past gateway edge\/gw, and so may requests for 1 other host/); // prettier-ignore
    expect(found).toContain('-> Set outboundTrafficPolicy to REGISTRY_ONLY for other');
    expect(advice(yaml + workload('pay', 'shop') + workload('redis', 'other'), 'REGISTRY_ONLY')).toEqual([]);
    expect(ids(GATEWAY + yaml + workload('pay', 'shop'))).not.toContain('EDGE201 warning');
    const third =
      '\n---\napiVersion: v1\nkind: Namespace\nmetadata: { name: third, labels: { istio-injection: enabled } }\n';
    const [both, ...none] = advice(
      yaml + third + workload('pay', 'shop') + workload('redis', 'other') + workload('x', 'third'),
    );
    expect(none).toEqual([]);
    expect(both).toContain('(and from 1 more namespace)');
    expect(both).toContain('REGISTRY_ONLY for other, third');
  });

  it('are led by the rule, where the Pods that it leads to are no gateway', () => {
    const [found] = judge(
      GATEWAY.replace(', annotations: { inject.istio.io/templates: gateway }', '').replace(
        'name: istio-proxy',
        'name: app',
      ) +
        entry() +
        both() +
        workload('pay', 'shop'),
    ).filter(({ id }) => id === 'EDGE201');
    expect(found?.what).toContain('from shop/pay is led to gw.edge.svc.cluster.local by tls[0] of VirtualService edge/api, and no Pods there run Gateway edge/gw'); // prettier-ignore
    expect(found?.fix).toContain('give those Pods the template of a gateway');
  });
});
