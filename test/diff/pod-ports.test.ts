/** Policies on ports of Pods that no Service leads to: no request that is followed gets there, and diff does not call it decided. */
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

const POD = `
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: 10.0.0.9, selector: {app: web}, ports: [{name: http, port: 80, targetPort: serve}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web, ports: [{name: serve, containerPort: 8080}, {containerPort: 9999}]}]}}}}
`;
const policy = (apiVersion: string, kind: string, spec: string): string =>
  `---\n{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: p, namespace: shop}, spec: {${spec}}}\n`;
const SELECTOR = 'selector: {matchLabels: {app: web}}';

const compared = (was: string, is: string) => diff(loadText(POD + was).manifests, loadText(POD + is).manifests);

describe('a policy on a port of Pods', () => {
  it.each([
    ['PeerAuthentication', (port: number) => policy('security.istio.io/v1', 'PeerAuthentication', `${SELECTOR}, mtls: {mode: PERMISSIVE}, portLevelMtls: {${port}: {mode: STRICT}}`)],
    ['AuthorizationPolicy', (port: number) => policy('security.istio.io/v1', 'AuthorizationPolicy', `${SELECTOR}, action: DENY, rules: [{to: [{operation: {ports: ["${port}"]}}]}]`)],
  ] as const)('is decided where a Service leads there, and else told as not decided: %s', (_, of) => {
    expect(compared('', of(8080))).toMatchObject({ complete: true, undecided: [] });
    expect(compared('', of(8080)).changes).not.toEqual([]);
    const { changes, complete, undecided } = compared('', of(9999));
    expect([changes, complete]).toEqual([[], false]);
    expect(undecided[0]?.what).toContain('connections to port 9999 of the Pods of');
  }); // prettier-ignore

  it('is not decided for what a NetworkPolicy newly lets in there', () => {
    const lets = (...ports: number[]): string =>
      policy('networking.k8s.io/v1', 'NetworkPolicy', `podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [${ports.map((port) => `{port: ${port}}`).join()}]}]`); // prettier-ignore
    expect(compared(lets(8080), lets(8080, 9999)).undecided[0]?.what).toContain('port 9999');
    expect(compared(lets(8080), lets(8080)).complete).toBe(true);
  });
});

const ambient = (labels: string, waypointFor = 'service'): string => `
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient${labels}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: 10.0.0.9, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]}}}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: wp, namespace: shop, labels: {istio.io/waypoint-for: ${waypointFor}}}, spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}}
---
{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: strict, namespace: shop}, spec: {mtls: {mode: STRICT}}}
`;

describe('who dials ambient Pods past the waypoint of their Service', () => {
  it('is left undecided where a policy is another to them', () => {
    const only = policy('security.istio.io/v1', 'AuthorizationPolicy', `${SELECTOR}, rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/wp]}}]}]`); // prettier-ignore
    const between = (mesh: string) => diff(loadText(mesh + only).manifests, loadText(mesh).manifests);
    const bypassed = between(ambient(', istio.io/use-waypoint: wp'));
    expect([bypassed.changes, bypassed.complete]).toEqual([[], false]);
    expect(bypassed.undecided[0]?.why).toContain('past the waypoint');
    const direct = between(ambient(''));
    expect([direct.changes.length > 0, direct.complete]).toEqual([true, true]);
  });

  it('is decided where the policy is the same to them, in other words', () => {
    const of = (from: string): string => policy('security.istio.io/v1', 'AuthorizationPolicy', `${SELECTOR}, rules: [{from: [${from}]}]`); // prettier-ignore
    const accounts = ['wp', 'client'].map((name) => `cluster.local/ns/shop/sa/${name}`);
    const source = (...names: string[]): string => `{source: {principals: [${names.join()}]}}`;
    const mesh = ambient(', istio.io/use-waypoint: wp');
    const between = (was: string, is: string) => diff(loadText(mesh + was).manifests, loadText(mesh + is).manifests);
    const one = of(source(...accounts));
    for (const other of [of(source(...[...accounts].reverse())), of(accounts.map((name) => source(name)).join())])
      expect(between(one, other)).toMatchObject({ changes: [], complete: true });
    const fewer = between(one, of(source(accounts[0]!)));
    expect(fewer).toMatchObject({ changes: [], complete: false });
    expect(fewer.undecided[0]?.why).toMatch(
      /past the waypoint .*serviceaccount=client, before: by ztunnel; .*now: refused/,
    );
    const allowsAll = policy(
      'networking.k8s.io/v1',
      'NetworkPolicy',
      'podSelector: {}, policyTypes: [Ingress], ingress: [{}]',
    );
    expect(between('', allowsAll)).toMatchObject({ changes: [], complete: true });
  });

  it('is left undecided where a waypoint is for Pods from now on', () => {
    const labels = ', istio.io/use-waypoint: wp';
    const between = (was: string, is: string) =>
      diff(loadText(ambient(labels, was)).manifests, loadText(ambient(labels, is)).manifests);
    expect(between('service', 'all').undecided[0]?.what).toContain(
      'Pods that ask for waypoint shop/wp by their own addresses',
    );
    expect(between('all', 'workload').changes).not.toEqual([]);
  });

  it('is no account of a waypoint, whose Pods call nobody by themselves', () => {
    const mesh = ambient(', istio.io/use-waypoint: wp');
    const only = policy('security.istio.io/v1', 'AuthorizationPolicy', `${SELECTOR}, rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/wp]}}]}]`); // prettier-ignore
    const off = mesh.replace('dataplane-mode: ambient', 'dataplane-mode: none');
    const { changes } = diff(loadText(mesh + only).manifests, loadText(off + only).manifests);
    expect(changes.flatMap(({ from }) => from).join()).not.toContain('serviceaccount=wp');
  });
});
