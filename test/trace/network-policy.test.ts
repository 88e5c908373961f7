import { outcome, traceIn } from './text';

const policy = (namespace: string, labels: string, egress: string) => `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: ${namespace}}
spec:
  podSelector: ${labels}
  policyTypes: [Egress]
  egress: ${egress}
`;

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: sleep, namespace: app, labels: {app: sleep}}
spec: {containers: [{name: sleep, image: sleep}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: app}
spec: {selector: {app: web}, ports: [{name: tcp, port: 9000}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: app, labels: {app: web}}
spec: {containers: [{name: web, image: web}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: site, namespace: app}
spec:
  hosts: [site.example.com]
  resolution: DNS
  ports: [{number: 443, name: tls, protocol: TLS}]
`;

const SITE = 'https://site.example.com/';
const PRIVATE = '10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16';
const internet = (except: string) =>
  policy('app', '{matchLabels: {app: sleep}}', `[{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [${except}]}}]}]`);

describe('a NetworkPolicy that allows addresses', () => {
  const ask = (except: string, request = SITE, address?: string) =>
    outcome(traceIn(MESH + internet(except))(request, { from: 'app/sleep', ...(address && { address }) }));

  it('is taken to let hosts outside pass if it leaves out private addresses only', () => {
    expect(ask('')).toBe('delivered to site.example.com:443');
    expect(ask(`${PRIVATE}, 169.254.169.254/32, 100.64.0.0/10`)).toBe('delivered to site.example.com:443');
  });

  it('is left open for a host outside if addresses of the internet are left out', () => {
    expect(ask('8.8.0.0/16')).toBe('unknown');
  });

  it('is judged by the address that the name is said to have', () => {
    expect(ask(PRIVATE, SITE, '10.1.2.3')).toBe('UF - at sidecar');
    expect(ask('8.8.0.0/16', SITE, '8.8.8.8')).toBe('UF - at sidecar');
    expect(ask('8.8.0.0/16', SITE, '93.184.216.34')).toBe('delivered to site.example.com:443');
  });

  it('is taken to let no Pod pass if it leaves out the addresses that clusters use', () => {
    const web = 'tcp://web.app.svc.cluster.local:9000';
    expect(ask(PRIVATE, web)).toBe('UF - at sidecar');
    expect(ask('169.254.169.254/32', web)).toBe('delivered to web.app.svc.cluster.local:9000');
    expect(ask('10.0.0.0/8', web)).toBe('unknown');
  });
});
