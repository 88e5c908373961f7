/** TLS that DestinationRules originate: for whom, and for whom not. */
import { ids, judge, NAMESPACES } from './judged';

describe('a DestinationRule that originates TLS, and is not looked up', () => {
  const mesh = (namespace: string): string => `${NAMESPACES}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: gw}
spec: {hosts: [api.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP, targetPort: 443}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: api, namespace: ${namespace}}
spec: {host: api.example.com, exportTo: ['*'], trafficPolicy: {tls: {mode: SIMPLE, sni: api.example.com}}}`;

  it('is the fault, and not the entry', () => {
    const [found] = judge(mesh('platform')).filter(({ id }) => id === 'EDGE302');
    expect([found?.object?.kind, found?.field]).toEqual(['DestinationRule', 'metadata.namespace']);
    expect(found?.fix).toContain('gw (the namespace of the service)');
    for (const namespace of ['gw', 'istio-system']) expect(ids(mesh(namespace))).not.toContain('EDGE302 error');
  });

  it('is found by a wildcard too', () => {
    const wild = mesh('platform').replace('spec: {host: api.example.com, exp', "spec: {host: '*.example.com', exp");
    const [found] = judge(wild).filter(({ id }) => id === 'EDGE302');
    expect([found?.object?.kind, found?.field]).toEqual(['DestinationRule', 'metadata.namespace']);
  });

  it('is the one that an older rule of its namespace takes the place of', () => {
    const older = `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a-pool, namespace: gw, creationTimestamp: "2020-01-01T00:00:00Z"}
spec: {host: api.example.com, trafficPolicy: {connectionPool: {tcp: {maxConnections: 9}}}}`;
    const [found] = judge(mesh('gw') + older).filter(({ id }) => id === 'EDGE302');
    expect([found?.object?.name, found?.field]).toEqual(['api', 'spec.trafficPolicy']);
    expect(found?.fix).toContain('DestinationRule gw/a-pool');
  });
});

describe('HTTP on port 443', () => {
  const mesh = (tls: string, protocol = 'HTTP'): string => `${NAMESPACES}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: app}
spec: {hosts: [api.example.com], resolution: DNS, ports: [{number: 443, name: http, protocol: ${protocol}}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: api, namespace: app}
spec: {host: api.example.com, trafficPolicy: {${tls}}}`;
  const found = (yaml: string): readonly string[] => ids(yaml).filter((one) => one.startsWith('EDGE114'));

  it('is no more than an info where proxies add TLS for every client', () => {
    const added = 'portLevelSettings: [{port: {number: 443}, tls: {mode: SIMPLE, sni: api.example.com}}]';
    expect(found(mesh(added))).toEqual(['EDGE114 info']);
    expect(found(mesh(added, 'GRPC'))).toEqual(['EDGE114 info']);
    // Clients of another namespace have no such rule.
    const other = `
---
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: gw, labels: {app: job}}
spec: {containers: [{name: job, image: job}]}`;
    const kept = mesh(added).replace('spec: {host: api', "spec: {exportTo: ['.'], host: api") + other;
    expect(found(mesh(added) + other)).toEqual(['EDGE114 info']);
    expect(found(kept)).toEqual(['EDGE114 warning']);
  });

  it('is a warning where they do not', () => {
    expect(found(mesh('tls: {mode: DISABLE}'))).toEqual(['EDGE114 warning']);
    expect(found(mesh('portLevelSettings: [{port: {number: 80}, tls: {mode: SIMPLE}}]'))).toEqual(['EDGE114 warning']);
  });
});

describe('TLS that a DestinationRule originates for some workloads alone', () => {
  const pod = (name: string): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: app}
spec: {selector: {matchLabels: {app: ${name}}}, template: {metadata: {labels: {app: ${name}}}, spec: {containers: [{name: c, image: c}]}}}`;
  const world = (selected: string): string => `${NAMESPACES}${pod('pay')}${pod('web')}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank, namespace: app}
spec: {hosts: [bank.example.net], location: MESH_EXTERNAL, resolution: DNS, exportTo: [.], ports: [{number: 80, name: http, protocol: HTTP, targetPort: 443}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: bank, namespace: app}
spec:
  host: bank.example.net
  workloadSelector: {matchLabels: {app: ${selected}}}
  trafficPolicy: {tls: {mode: MUTUAL, credentialName: bank, sni: bank.example.net, subjectAltNames: [bank.example.net]}}`;
  const web = `
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: web, namespace: app}
spec: {workloadSelector: {labels: {app: web}}, egress: [{hosts: [istio-system/*]}]}`;

  it('is no error for the others, which may call the host and need not', () => {
    const [found] = judge(world('pay')).filter(({ id }) => id === 'EDGE302');
    expect(found).toMatchObject({ severity: 'warning', object: { name: 'bank' }, field: 'spec.workloadSelector' });
    expect(ids(world('pay') + web).join()).not.toContain('EDGE302');
  });

  it('is one where it is for nobody', () => expect(ids(world('nobody'))).toContain('EDGE302 error'));
});
