/** Who calls others is one rule: what `check` follows and what `diff`, `list` and `prove` follow are the same callers. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { acceptedMesh } from '../../src/check/accepted';
import { load, loadText } from '../../src/model/load';
import type { Mesh } from '../../src/model/mesh';
import { clientClasses } from '../../src/traffic/clients';
import { senders } from '../../src/traffic/senders';
import { callsOthers } from '../../src/traffic/who-calls';

const ROOT = join(__dirname, '..', '..');
const DIST = readdirSync(join(ROOT, 'dist'), { withFileTypes: true }).filter((one) => one.isDirectory()).map(({ name }) => name); // prettier-ignore

interface Callers {
  /** `NAMESPACE/WORKLOAD` of those that manifests show and that are in the mesh. */
  readonly shown: readonly string[];
  /** Namespaces of the mesh of which no caller is shown, and that objects are written for. */
  readonly unshown: readonly string[];
}

const isMeshed = (mesh: Mesh, namespace: string, name: string): boolean =>
  ['sidecar', 'ztunnel'].includes(mesh.workloads.called(namespace, name)?.membership ?? '');

/** As `diff`, `list` and `prove` have them. */
function ofClasses(mesh: Mesh): Callers {
  const members = clientClasses(mesh, mesh)
    .filter(({ at, isUnnamed }) => at === undefined && isUnnamed !== true)
    .flatMap((one) => one.members);
  const shown = members.filter(({ namespace, name }) => name !== null && isMeshed(mesh, namespace, name));
  const rest = members.filter(({ namespace, name }) => name === null && mesh.membershipIn(namespace) !== 'none');
  return {
    shown: shown.map(({ namespace, name }) => `${namespace}/${name ?? ''}`),
    unshown: rest.map(({ namespace }) => namespace),
  };
}

/** As `check` has them: one of them stands for those that nothing tells apart. */
function ofCheck(mesh: Mesh): Callers {
  const all = senders(mesh);
  return {
    shown: all.filter(({ isAssumed }) => !isAssumed).map(({ from }) => from),
    unshown: all.filter(({ isAssumed }) => isAssumed).map(({ namespace }) => namespace),
  };
}

const namespaceOf = (name: string): string => name.split('/')[0] ?? '';
const unique = (names: readonly string[]): readonly string[] => [...new Set(names)].sort();

function expectAgreement(mesh: Mesh): void {
  const [classes, check] = [ofClasses(mesh), ofCheck(mesh)];
  expect(check.shown.filter((one) => !classes.shown.includes(one))).toEqual([]);
  expect(unique(check.shown.map(namespaceOf))).toEqual(unique(classes.shown.map(namespaceOf)));
  expect(unique(check.unshown).filter((one) => !classes.unshown.includes(one))).toEqual([]);
}

describe('in the manifests of', () => {
  it.each(DIST)('%s, check follows the callers that diff follows', (name) => {
    expectAgreement(acceptedMesh(load([join(ROOT, 'dist', name)]).manifests));
  });
});

const WORLD = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Namespace
metadata: { name: quiet, labels: { istio.io/dataplane-mode: ambient } }
---
apiVersion: v1
kind: Namespace
metadata: { name: edge, labels: { istio-injection: enabled } }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: out, namespace: edge }
spec: { selector: { app: out }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }] }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: news, namespace: quiet }
spec: { hosts: [news.example.com], exportTo: [".", "shop", "kube-system"], ports: [{ number: 80, name: http, protocol: HTTP }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec: { selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: web, image: web }] } } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: resting, namespace: shop }
spec: { replicas: 0, selector: { matchLabels: { app: resting } }, template: { metadata: { labels: { app: resting } }, spec: { containers: [{ name: app, image: app }] } } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: out, namespace: edge }
spec: { selector: { matchLabels: { app: out } }, template: { metadata: { labels: { app: out } }, spec: { containers: [{ name: istio-proxy, image: auto }] } } }
`;

describe('of workloads and namespaces', () => {
  const mesh = acceptedMesh(loadText(WORLD).manifests);

  it('check and diff agree on each', () => {
    expectAgreement(mesh);
  });

  it('one that runs an application calls others; one at rest, and proxies alone, do not', () => {
    expect(mesh.workloads.all.filter(callsOthers).map(({ name }) => name)).toEqual(['web']);
    expect(ofCheck(mesh).shown).toEqual(['shop/web']);
  });

  it('one that is served by ztunnel may hold callers, and one of Kubernetes itself holds none', () => {
    expect(ofCheck(mesh).unshown).toEqual(['quiet']);
    expect(ofClasses(mesh).unshown).toContain('quiet');
  });

  it('an application that a Gateway selects by mistake calls others as before', () => {
    const mistaken = acceptedMesh(loadText(WORLD.replace('selector: { app: out }, servers', 'selector: { app: web }, servers')).manifests); // prettier-ignore
    expectAgreement(mistaken);
    expect(ofCheck(mistaken).shown).toEqual(['shop/web']);
  });
});
