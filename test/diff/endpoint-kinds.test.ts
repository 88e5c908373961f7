/** Endpoints of one Service that policies set apart: a proxy chooses among all of them. */
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { Mesh } from '../../src/model/mesh';
import { prove } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';
import { trace } from '../../src/trace';

const deployment = (name: string, version: string, port = 8080): string => `---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { matchLabels: { app: web, version: ${version} } }
  template:
    metadata: { labels: { app: web, version: ${version} } }
    spec: { containers: [{ name: web, image: web, ports: [{ name: http, containerPort: ${port} }] }] }
`;
const WORLD = `apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: http }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: client, namespace: shop }
spec:
  selector: { matchLabels: { app: client } }
  template: { metadata: { labels: { app: client } }, spec: { containers: [{ name: client, image: client }] } }
${deployment('web-1', 'a')}${deployment('web-2', 'b')}`;
const policy = (version: string, action = 'DENY'): string => `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: some, namespace: shop }
spec: { selector: { matchLabels: { version: ${version} } }, action: ${action}, rules: [{}] }
`;
const network = (version: string): string => `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: some, namespace: shop }
spec: { podSelector: { matchLabels: { version: ${version} } }, policyTypes: [Ingress] }
`;
const compare = (was: string, is: string): ReturnType<typeof diff> =>
  diff(loadText(was).manifests, loadText(is).manifests);
const mesh = (text: string): Mesh => new Mesh(loadText(text).manifests);

describe('endpoints of one Service', () => {
  it.each([
    ['AuthorizationPolicy', policy('b')],
    ['NetworkPolicy', network('b')],
  ])('that a %s comes to select are followed, each kind by itself', (_kind, object) => {
    for (const sides of [
      [WORLD + object, WORLD],
      [WORLD, WORLD + object],
    ] as const) {
      const found = compare(...sides);
      expect(found.changes).toEqual([]);
      expect(found.complete).toBe(false);
      expect(found.undecided.map(({ to, why }) => `${to} ${why}`)).toEqual(
        expect.arrayContaining([expect.stringMatching(/^http:.* endpoint shop\/web-2 \(one of several\).*refused/)]),
      );
    }
  });

  it('are told of as changes where the first of them fares otherwise', () => {
    expect(compare(WORLD, WORLD + policy('a')).changes.map(({ effect }) => effect)).toContain('narrowed');
  });

  it('are no doubt where a policy that sets them apart makes no difference, or stays', () => {
    expect(compare(WORLD, WORLD + policy('b', 'ALLOW')).undecided).toEqual([]);
    const annotated = (WORLD + policy('b')).replace(
      'name: web, namespace',
      'name: web, labels: { team: x }, namespace',
    );
    expect(compare(WORLD + policy('b'), annotated).undecided).toEqual([]);
  });

  it('that join are followed', () => {
    const before = WORLD.replace(deployment('web-2', 'b'), '');
    const found = compare(before + policy('a'), WORLD + policy('a'));
    expect(found.undecided.map(({ why }) => why)).toEqual(
      expect.arrayContaining([expect.stringMatching(/endpoint shop\/web-2.* before: refused .*; now: directly/)]),
    );
  });

  it('have a rule refuted by any of them', () => {
    const { rules } = readRules(
      'rules: [{ name: closed, forbid: { from: "*", to: { hosts: [web.shop.svc.cluster.local] } } }]',
    );
    const closed = WORLD.replace(deployment('web-2', 'b'), '') + policy('a');
    expect(prove(mesh(WORLD + policy('a')), rules)[0]).toMatchObject({ verdict: 'refuted' });
    expect(prove(mesh(closed), rules)[0]).toMatchObject({ verdict: 'proved' });
  });

  it('are noted in a trace where they end otherwise', () => {
    const noted = (text: string): unknown =>
      trace(mesh(text), { from: 'shop/client', request: 'http://web/' }).noted.find(({ kind }) => kind === 'endpoints-differ'); // prettier-ignore
    expect(noted(WORLD + policy('b'))).toMatchObject({ passes: true, others: ['shop/web-2'] });
    expect(noted(WORLD + policy('a'))).toMatchObject({ passes: false, others: ['shop/web-2'] });
    expect(noted(WORLD + policy('b', 'ALLOW'))).toBeUndefined();
    expect(noted(WORLD)).toBeUndefined();
  });
});
