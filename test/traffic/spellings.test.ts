/** A port in the Host that need not be there, or is missing, or is another one: policies tell it apart, and routes do not. */
import { diff } from '../../src/diff/diff';
import { register } from '../../src/list/register';
import { loadText } from '../../src/model/load';
import { buildMesh, type Mesh } from '../../src/model/mesh';
import { prove } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';
import { trace } from '../../src/trace';

const world = (
  rule: string,
  { port = 80, hostnames = 'hostnames: [www.example.com]', action = 'DENY' } = {},
): string => `
apiVersion: v1
kind: Namespace
metadata: { name: edge }
---
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { clusterIP: 10.0.0.1, selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { containers: [{ name: web, image: web }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: public, namespace: edge }
spec:
  gatewayClassName: istio
  listeners: [{ name: http, port: ${port}, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: shop }
spec: { parentRefs: [{ name: public, namespace: edge }], ${hostnames === '' ? '' : `${hostnames}, `}rules: [{ backendRefs: [{ name: web, port: 80 }] }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: closed, namespace: edge }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: public }]
  action: ${action}
  rules: [${rule}]
`;
const hosts = (...names: readonly string[]): string => `{ to: [{ operation: { hosts: [${names.map((name) => `'${name}'`).join(', ')}] } }] }`; // prettier-ignore
const meshOf = (yaml: string): Mesh => buildMesh(loadText(yaml).manifests);
const closed = (yaml: string) => {
  const forbid = 'forbid: { from: outside, to: { hosts: [www.example.com] } }';
  return prove(meshOf(yaml), readRules(`rules: [{ name: closed, ${forbid} }]`).rules)[0];
};
const changes = (was: string, is: string) => diff(loadText(was).manifests, loadText(is).manifests).changes;

describe('a port in the Host that clients need not name', () => {
  it('gets past a DENY of the name alone, which refutes that the host is closed', () => {
    const mesh = meshOf(world(hosts('www.example.com')));
    const { verdict, counterexample } = closed(world(hosts('www.example.com'))) ?? {};
    expect(verdict).toBe('refuted');
    expect(counterexample).toMatchObject({
      request: 'http://www.example.com/',
      headers: { host: 'www.example.com:80' },
    });
    expect(trace(mesh, { from: 'outside', at: 'edge/public', ...counterexample, address: undefined } as never).outcome).toBe('delivered'); // prettier-ignore
  });

  it.each([
    ['any port', hosts('www.example.com', 'www.example.com:*')],
    ['whatever follows', hosts('www.example.com*')],
    ['every host', '{}'],
  ])('does not get past one of %s', (_, rule) => expect(closed(world(rule))?.verdict).toBe('proved'));

  it('is another one than the port that is named beside the name', () => {
    const { counterexample } = closed(world(hosts('www.example.com', 'www.example.com:80'))) ?? {};
    expect(counterexample?.headers).toEqual({ host: 'www.example.com:1' });
  });

  it('is told by diff where a rule comes to take it, of a host and of one that no object names', () => {
    const [was, is] = [hosts('www.example.com'), hosts('www.example.com', 'www.example.com:*')];
    for (const hostnames of ['hostnames: [www.example.com]', '']) {
      const told = changes(world(was, { hostnames }), world(is, { hostnames }));
      expect(told.map(({ effect, request }) => [effect, request.headers])).toEqual([['narrowed', { host: 'www.example.com:80' }]]); // prettier-ignore
    }
  });

  it('is listed beside the requests without it', () => {
    const listed = register(meshOf(world(hosts('www.example.com'))), { from: 'outside' }).entries;
    expect(listed.map(({ requests }) => requests)).toEqual(['every request with :80 in the Host']);
  });
});

it('is missing where clients have to name it, and an ALLOW of the name alone lets that in', () => {
  const { verdict, counterexample } = closed(world(hosts('www.example.com'), { port: 8080, action: 'ALLOW' })) ?? {};
  expect(verdict).toBe('refuted');
  expect(counterexample).toMatchObject({
    request: 'http://www.example.com:8080/',
    headers: { host: 'www.example.com' },
  });
});
