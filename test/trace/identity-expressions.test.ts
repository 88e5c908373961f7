/** What istiod writes of who calls into expressions for proxies, by patch releases: CVE-2026-39350, and the one after it (istio#59992). */
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { outcome, traceIn } from './text';

const pods = (name: string, namespace: string, account = name): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {serviceAccountName: ${account}, containers: [{name: ${name}, image: example/${name}}]}`;

const world = (label: string): string => `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {${label}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: team-a, labels: {${label}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {selector: {app: shop}, ports: [{name: http, port: 80}]}
${pods('shop', 'shop')}${pods('dot', 'team-a', 'my.app')}${pods('dash', 'team-a', 'my-app')}${pods('longer', 'team-a', 'my-app-2')}`;

const SIDECARS = world('istio-injection: enabled');
const AMBIENT = world('istio.io/dataplane-mode: ambient');

const policy = (source: string, action = 'ALLOW'): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: callers, namespace: shop}
spec: {action: ${action}, rules: [{from: [{source: ${source}}]}]}`;

const ACCOUNT = '{serviceAccounts: [team-a/my.app]}';
const SUFFIX = '{principals: ["*/sa/my.app"]}';
const NAMESPACE = '{namespaces: [team.a]}';
const DELIVERED = 'delivered to shop.shop.svc.cluster.local:80';
const REFUSED = 'RBAC 403 at sidecar';

const ask = (source: string, from: string, istioVersion: string, yaml = SIDECARS): string =>
  outcome(
    traceIn(yaml + policy(source), { istioVersion })('http://shop.shop.svc.cluster.local/', {
      from: `team-a/${from}`,
    }),
  );

describe('accounts with a dot in an AuthorizationPolicy', () => {
  it.each(['1.28.5', '1.29.0', '1.29.1'])('let others in with Istio %s', (release) => {
    expect(ask(ACCOUNT, 'dot', release)).toBe(DELIVERED);
    expect(ask(ACCOUNT, 'dash', release)).toBe(DELIVERED);
    expect(ask(ACCOUNT, 'longer', release)).toBe(REFUSED);
  });

  it.each(['1.28.6', '1.28', '1.29.2', '1.29', '1.30.0', '1.32'])('let nobody else in with Istio %s', (release) => {
    expect(ask(ACCOUNT, 'dot', release)).toBe(DELIVERED);
    expect(ask(ACCOUNT, 'dash', release)).toBe(REFUSED);
  });

  it.each([
    ['1.29.1', REFUSED],
    ['1.29.2', DELIVERED],
  ])('keep others out of a DENY with Istio %s', (release, expected) => {
    const yaml = SIDECARS + policy(ACCOUNT, 'DENY');
    const told = traceIn(yaml, { istioVersion: release })('http://shop.shop.svc.cluster.local/', {
      from: 'team-a/dash',
    });
    expect(outcome(told)).toBe(expected);
  });

  it('are texts to ztunnel with every release', () => {
    expect(ask(ACCOUNT, 'dot', '1.29.1', AMBIENT)).toBe(DELIVERED);
    expect(ask(ACCOUNT, 'dash', '1.29.1', AMBIENT)).toBe('RBAC - at ztunnel');
    expect(ask(SUFFIX, 'dash', '1.29.1', AMBIENT)).toBe('RBAC - at ztunnel');
  });

  it('are those of the policy where they name no namespace', () => {
    expect(ask('{serviceAccounts: [my.app]}', 'dash', '1.29.1')).toBe(REFUSED);
  });
});

describe('namespaces, and principals with a star in front', () => {
  it.each(['1.28.6', '1.29.1', '1.29.2'])('let others in with Istio %s', (release) => {
    expect(ask(SUFFIX, 'dash', release)).toBe(DELIVERED);
    expect(ask(NAMESPACE, 'dash', release)).toBe(DELIVERED);
    expect(ask('{principals: ["*/sa/my-app2*"]}', 'dash', release)).toBe(DELIVERED);
  });

  it.each(['1.28.7', '1.29.3', '1.29', '1.30.0', '1.32'])('let nobody else in with Istio %s', (release) => {
    expect(ask(SUFFIX, 'dot', release)).toBe(DELIVERED);
    expect(ask(SUFFIX, 'dash', release)).toBe(REFUSED);
    expect(ask(NAMESPACE, 'dash', release)).toBe(REFUSED);
    expect(ask('{principals: ["*/sa/my-app2*"]}', 'dash', release)).toBe(REFUSED);
  });
});

describe('another patch release', () => {
  // `dash` runs as the account that an expression takes in, and of what no manifest shows, an account may.
  it.each([
    [ACCOUNT, '1.29.1', '1.29.2', 'team-a/dash'],
    [SUFFIX, '1.29.2', '1.29.3', 'team-a/dash'],
    [NAMESPACE, '1.29.2', '1.29.3', 'team-a'],
  ])('closes what %s let in besides, from %s to %s', (source, istioVersion, after, who) => {
    const { manifests } = loadText(SIDECARS + policy(source));
    const { changes } = diff(manifests, manifests, {
      mesh: { istioVersion },
      meshAfter: { istioVersion: after },
      exhaustive: true,
    });
    expect(changes.map(({ effect }) => effect)).toContain('narrowed');
    expect(changes.flatMap(({ from }) => from)).toContain(who);
    expect(JSON.stringify(changes)).not.toContain('longer');
  });

  it('closes it for accounts that no manifest shows', () => {
    const { manifests } = loadText(SIDECARS.replaceAll('my-app', 'another') + policy(ACCOUNT));
    const { changes } = diff(manifests, manifests, { mesh: { istioVersion: "1.29.1" }, meshAfter: { istioVersion: "1.29.2" }, exhaustive: true }); // prettier-ignore
    expect(JSON.stringify(changes)).toContain('serviceaccount=my-app');
  });
});
