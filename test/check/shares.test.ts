/** Routes that send requests several ways: what becomes of each share and of copies, not of the greatest alone. */
import { ids, judge, NAMESPACES } from './judged';

const server = (name: string, port = 80): string => `
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: app, labels: {app: ${name}}}
spec: {containers: [{name: web, image: web}]}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: app}
spec: {selector: {app: ${name}}, ports: [{name: http, port: ${port}, targetPort: 8080}]}`;

const OUTSIDE = `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: app}
spec: {hosts: [api.example.com], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS}`;

const EMPTY = `
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: app}
spec: {selector: {app: nobody}, ports: [{name: http, port: 80}]}`;

const world = (http: string): string => `${NAMESPACES}${server('a')}${server('b', 8080)}${OUTSIDE}${EMPTY}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: app}
spec: {hosts: [a], http: [{${http}}]}`;

const errors = (yaml: string): readonly string[] => ids(yaml).filter((one) => one.endsWith('error'));

const canary = (destination: string): string =>
  world(`route: [{destination: {host: a, port: {number: 80}}, weight: 90}, {destination: ${destination}, weight: 10}]`);

describe('a destination of less weight', () => {
  it.each([
    ['a subset that nothing defines', '{host: b, port: {number: 8080}, subset: v2}', 'EDGE213'],
    ['a port that the Service lacks, as none is named', '{host: b}', 'EDGE211'],
    ['a Service that is not there', '{host: nobody, port: {number: 80}}', 'EDGE211'],
    ['a Service without Pods', '{host: empty, port: {number: 80}}', 'EDGE214'],
    ['a TLS port outside', '{host: api.example.com, port: {number: 443}}', 'EDGE302'],
  ])('is followed like the greatest: %s', (_, destination, id) => {
    const found = judge(canary(destination)).filter(({ severity }) => severity === 'error');
    expect(found.map((one) => one.id)).toEqual([id]);
    expect(found[0]?.what).toMatch(/^10 of 100 parts of http:\/\/a\.app\.svc\.cluster\.local:80\/ from /);
  });

  it('is no fault where it arrives', () => {
    expect(errors(canary('{host: b, port: {number: 8080}}'))).toEqual([]);
  });
});

describe('a copy', () => {
  it('that nobody takes is a warning, as nobody waits for its answer', () => {
    const mirrored = world('route: [{destination: {host: a}}], mirrors: [{destination: {host: empty, port: {number: 80}}}]'); // prettier-ignore
    const [found, ...others] = judge(mirrored).filter(({ id }) => id === 'EDGE214');
    expect([found?.severity, others]).toEqual(['warning', []]);
    expect(found?.what).toContain('the copy of http://a.app.svc.cluster.local:80/ from ');
  });
});

describe('a route of the Gateway API for the mesh', () => {
  const route = (backends: string, parent = '{group: "", kind: Service, name: a}', matches = ''): string => `${NAMESPACES}${server('a')}${server('b', 8080)}${OUTSIDE}${EMPTY}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: a, namespace: app}
spec: {parentRefs: [${parent}], rules: [{${matches}backendRefs: [${backends}]}]}`; // prettier-ignore

  it('is followed from its clients', () => {
    const tls = '{group: networking.istio.io, kind: Hostname, name: api.example.com, port: 443}';
    expect(errors(route('{name: empty, port: 80}'))).toEqual(['EDGE214 error']);
    expect(errors(route(tls))).toEqual(['EDGE302 error']);
    expect(errors(route('{name: b, port: 8080}'))).toEqual([]);
  });

  it('is followed by what its matches ask for', () => {
    const matches = 'matches: [{path: {type: PathPrefix, value: /v2}, headers: [{name: x-canary, value: "1"}]}], ';
    const found = judge(route('{name: empty, port: 80}', undefined, matches)).filter(({ id }) => id === 'EDGE214');
    expect(found.map(({ what }) => what)).toEqual([expect.stringContaining('http://a.app.svc.cluster.local:80/v2')]);
  });

  it('has its smaller shares followed too', () => {
    const found = judge(route('{name: b, port: 8080, weight: 9}, {name: empty, port: 80, weight: 1}'));
    expect(found.find(({ id }) => id === 'EDGE214')?.what).toContain('1 of 10 parts of http://a.app.svc');
  });
});

describe('a route to an ExternalName Service', () => {
  const alias = (ports: string, called: number): string => `${NAMESPACES}${server('a', called)}${server('b', 8080)}
---
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: app}
spec: {type: ExternalName, externalName: b.app.svc.cluster.local${ports}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: app}
spec: {hosts: [a], http: [{route: [{destination: {host: alias, port: {number: 8080}}}]}]}`;

  it('leads to the host that it stands for on ports that the Service has', () => {
    expect(errors(alias(', ports: [{name: http, port: 80}]', 80))).toEqual([]);
  });

  it.each([
    ['on others', ', ports: [{name: http, port: 80}]', 81],
    ['where it has none', '', 80],
  ])('leads nowhere %s', (_, ports, called) => {
    const found = judge(alias(ports, called)).filter(({ severity }) => severity === 'error');
    expect(found.map(({ id }) => id)).toEqual(['EDGE210']);
    expect(found[0]?.what).toContain(`without port ${called}`);
    expect(found[0]?.fix).toBe('Write host: b.app.svc.cluster.local.');
  });
});
