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

  it('is left open for a host outside if it has addresses of IPv6 alone', () => {
    const six = policy('app', '{matchLabels: {app: sleep}}', '[{to: [{ipBlock: {cidr: "::/0"}}]}]');
    expect(outcome(traceIn(MESH + six)(SITE, { from: 'app/sleep' }))).toBe('unknown');
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

describe('a workload in the network of its node', () => {
  const onNode = (name: string) =>
    MESH.replace(`spec: {containers: [{name: ${name},`, (text) => text.replace('{', '{hostNetwork: true, '));
  const WEB = 'tcp://web.app.svc.cluster.local:9000';
  const shut = (app: string, type: string) => `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shut, namespace: app}
spec: {podSelector: {matchLabels: {app: ${app}}}, policyTypes: [${type}]}
`;
  const ask = (mesh: string) => outcome(traceIn(mesh)(WEB, { from: 'app/sleep' }));

  it('is held by no NetworkPolicy of its own', () => {
    expect(ask(MESH + shut('sleep', 'Egress'))).toBe('UF - at sidecar');
    expect(ask(onNode('sleep') + shut('sleep', 'Egress'))).toContain('delivered');
    expect(ask(MESH + shut('web', 'Ingress'))).toBe('UF - at sidecar');
    expect(ask(onNode('web') + shut('web', 'Ingress'))).toContain('delivered');
  });

  it('is no Pod to those of others, and may be on their own node', () => {
    expect(ask(onNode('sleep') + shut('web', 'Ingress'))).toBe('unknown');
    expect(ask(onNode('web') + policy('app', '{matchLabels: {app: sleep}}', '[{to: [{podSelector: {}}]}]'))).toBe(
      'unknown',
    );
  });
});

describe('a NetworkPolicy that leaves DNS out', () => {
  const notes = (egress: string, address?: string) =>
    traceIn(MESH + policy('app', '{}', egress))(SITE, { from: 'app/sleep', ...(address && { address }) }).notes;
  const said: unknown = expect.stringContaining('NetworkPolicy app/out lets it not ask DNS for one');
  const WEB = '{ports: [{port: 443}]}';

  it('is named beside what a request does that goes by name', () => {
    expect(notes(`[${WEB}]`)).toContainEqual(said);
    expect(notes(`[${WEB}, {ports: [{port: 53, protocol: TCP}]}]`)).toContainEqual(said);
    expect(notes(`[${WEB}, {ports: [{port: 53, protocol: UDP}], to: [{podSelector: {}}]}]`)).toContainEqual(said);
  });

  it('is not, where the address is told or DNS may be asked', () => {
    expect(notes(`[${WEB}]`, '93.184.216.34')).not.toContainEqual(said);
    expect(notes(`[${WEB}, {ports: [{port: 53, protocol: UDP}]}]`)).not.toContainEqual(said);
    expect(notes(`[${WEB}, {ports: [{port: dns, protocol: UDP}]}]`)).not.toContainEqual(said);
    expect(notes(`[${WEB}, {to: [{namespaceSelector: {}}]}]`)).not.toContainEqual(said);
    expect(notes('[{}]')).not.toContainEqual(said);
  });
});

describe('a NetworkPolicy without policyTypes', () => {
  const written = (spec: string) => `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: app}
spec: {podSelector: {}, ${spec}}
`;
  const ask = (spec: string) => outcome(traceIn(MESH + written(spec))(SITE, { from: 'app/sleep' }));

  it('is for traffic that leaves only if it has a rule for that, as the API server fills it in', () => {
    expect(ask('egress: []')).toBe('delivered to site.example.com:443');
    expect(ask('egress: [{ports: [{port: 80}]}]')).toBe('UF - at sidecar');
    expect(ask('policyTypes: [], egress: []')).toBe('delivered to site.example.com:443');
    expect(ask('policyTypes: [Egress]')).toBe('UF - at sidecar');
  });
});

describe('a NetworkPolicy at a gateway that clients outside dial', () => {
  const GATEWAY = `
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: v1
kind: Pod
metadata:
  name: front
  namespace: edge
  labels: {istio: front, sidecar.istio.io/inject: 'true'}
  annotations: {inject.istio.io/templates: gateway}
spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: edge}
spec: {selector: {istio: front}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: in, namespace: edge}
spec:
  selector: {istio: front}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [web.example.com]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: in, namespace: edge}
spec:
  hosts: [web.example.com]
  gateways: [edge/in]
  http: [{directResponse: {status: 200}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: in, namespace: edge}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [RULE]}
`;
  const ask = (rule: string) =>
    traceIn(GATEWAY.replace('RULE', rule))('http://web.example.com/', { from: 'outside', at: 'edge/in' });

  it('lets them pass where any address may', () => {
    expect(outcome(ask('{ports: [{port: 8080}]}'))).not.toContain('NetworkPolicy');
    expect(outcome(ask('{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}'))).not.toContain('NetworkPolicy');
  });

  it('drops what they send where it admits Pods alone, or another port', () => {
    expect(outcome(ask('{from: [{namespaceSelector: {}}]}'))).toContain('NetworkPolicy');
    expect(outcome(ask('{ports: [{port: 80}]}'))).toContain('NetworkPolicy');
  });

  it('is taken to let the load balancer pass where it goes by addresses', () => {
    const seen = ask('{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}');
    expect(outcome(seen)).not.toContain('NetworkPolicy');
    expect(seen.notes).toEqual([expect.stringMatching(/^assumed that NetworkPolicies let the client/)]);
  });
});

describe('a NetworkPolicy for some of the Pods of a Service', () => {
  const pod = (name: string): string => `
---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: shop, labels: { app: web, track: ${name} } }
spec: { containers: [{ name: web, image: web, ports: [{ containerPort: 80 }] }] }`;
  const closed = (track: string): string => `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed, namespace: shop }
spec: { podSelector: { matchLabels: { track: ${track} } }, policyTypes: [Ingress] }`;
  const world = (injected: string): string => `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { ${injected} } }
---
apiVersion: v1
kind: Pod
metadata: { name: sleep, namespace: shop, labels: { app: sleep } }
spec: { containers: [{ name: c, image: c }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { clusterIP: 10.96.0.9, selector: { app: web }, ports: [{ name: http, port: 80 }] }
${pod('a')}${pod('b')}`;
  const apart = (injected: string, track: string): object | undefined =>
    traceIn(world(injected) + closed(track))('http://web.shop/', { from: 'shop/sleep' }).noted.find(({ kind }) => kind === 'endpoints-apart'); // prettier-ignore

  it.each(['istio-injection: enabled', 'istio.io/dataplane-mode: ambient', 'plain: "1"'])(
    'is said of the one that is followed and of the others: %s',
    (injected) => {
      expect(apart(injected, 'b')).toMatchObject({ workload: 'a', passes: true, others: ['shop/b'] });
      expect(apart(injected, 'a')).toMatchObject({ workload: 'a', passes: false, others: ['shop/b'] });
      expect(apart(injected, 'none')).toBeUndefined();
    },
  );
});
