import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diff } from '../../src/diff/diff';
import { loadSide } from '../../src/diff/revision';
import { loadText } from '../../src/model/load';
import type { Diff } from '../../src/diff/types';

const compare = (was: string, is: string): Diff => diff(loadText(was).manifests, loadText(is).manifests);
const SERVICE =
  'apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: shop }\nspec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }\n';

describe('a kind that nothing here reads', () => {
  it.each([
    ['helm.toolkit.fluxcd.io/v2', 'HelmRelease', 'helm template'],
    ['argoproj.io/v1alpha1', 'Application', 'Argo CD'],
    ['kustomize.toolkit.fluxcd.io/v1', 'Kustomization', 'kustomize build'],
    ['cilium.io/v2', 'CiliumNetworkPolicy', 'another controller'],
    ['projectcalico.org/v3', 'GlobalNetworkPolicy', 'another controller'],
    ['example.org/v1', 'EdgeRoute', 'example.org'],
  ])('is undecided where it changes: %s %s', (apiVersion, kind, why) => {
    const of = (value: string): string =>
      `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: x, namespace: shop }\nspec: { value: ${value} }\n`;
    const found = compare(of('a'), of('b'));
    expect({ complete: found.complete, objects: found.withoutEffect }).toEqual({ complete: false, objects: [] });
    expect(found.undecided).toEqual([
      expect.objectContaining({ what: `${kind} shop/x is changed`, why: expect.stringContaining(why) }),
    ]);
    expect(compare(of('a'), of('a')).undecided).toEqual([]);
  });

  it('is nothing to traffic if it is known to be so', () => {
    const of = (value: string): string =>
      `apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: x, namespace: shop }\nrules: [{ verbs: [${value}] }]\n`;
    expect(compare(of('get'), of('list'))).toMatchObject({ complete: true, undecided: [], changes: [] });
  });
});

describe('labels and annotations of such a kind', () => {
  const of = (apiVersion: string, kind: string, metadata: string): string =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: x, namespace: shop, ${metadata} }\nspec: {}\n`;

  it('are undecided too, since controllers take orders by them', () => {
    const service = (labels: string): string => of('serving.knative.dev/v1', 'Service', `labels: { ${labels} }`);
    const found = compare(service('networking.knative.dev/visibility: cluster-local'), service(''));
    expect(found.undecided).toEqual([expect.objectContaining({ what: 'Service shop/x is changed' })]);
  });

  it.each([
    ['serving.knative.dev/v1', 'Service', 'labels: { helm.sh/chart: x-1 }', 'labels: { helm.sh/chart: x-2 }'],
    ['helm.toolkit.fluxcd.io/v2', 'HelmRelease', 'labels: { team: a }', 'labels: { team: b }'],
  ])('are nothing where they are known to be for tools alone: %s %s', (apiVersion, kind, was, is) => {
    expect(compare(of(apiVersion, kind, was), of(apiVersion, kind, is)).undecided).toEqual([]);
  });
});

describe('a ConfigMap', () => {
  const of = (name: string, value: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { config: "${value}" }\n`.replace(
      /name: (\S+)\/(\S+)/,
      'namespace: $1, name: $2',
    );

  it.each([
    ['istio-system/istio-sidecar-injector', 'which Pods get a sidecar'],
    ['istio-system/istio-sidecar-injector-canary', 'which Pods get a sidecar'],
    ['istio-system/istio-cni-config', 'redirects'],
    ['kube-system/coredns', 'names resolve'],
    ['kube-system/cilium-config', 'NetworkPolicies'],
  ])('that configures what carries traffic is undecided: %s', (name, why) => {
    expect(compare(of(name, 'a'), of(name, 'b')).undecided).toEqual([expect.objectContaining({ why: expect.stringContaining(why) })]); // prettier-ignore
    expect(compare(of(name, 'a'), of(name, 'a')).undecided).toEqual([]);
  });

  it.each(['shop/web', 'shop/coredns', 'kube-system/web'])('of an application is nothing to traffic: %s', (name) => {
    expect(compare(of(name, 'a'), of(name, 'b'))).toMatchObject({ complete: true, undecided: [] });
  });
});

describe('a Gateway that no manifest shows', () => {
  it.each([
    [
      'VirtualService',
      'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: web, namespace: shop }\nspec: { hosts: [web.example.org], gateways: [edge/public], http: [{ route: [{ destination: { host: web } }] }] }\n',
    ],
    [
      'HTTPRoute',
      'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: { name: web, namespace: shop }\nspec: { hostnames: [web.example.org], parentRefs: [{ name: public, namespace: edge }], rules: [{ backendRefs: [{ name: web, port: 80 }] }] }\n',
    ],
  ])('is taken to admit a %s, on that condition', (_, route) => {
    const found = compare(SERVICE, `${SERVICE}---\n${route}`);
    expect(
      found.changes
        .filter(({ request }) => request.at === 'edge/public')
        .map(({ effect, from, to }) => [effect, from, to]),
    ).toContainEqual(['widened', ['outside, at edge/public, if that Gateway takes it'], 'http://web.example.org/']);
  });
});

describe('a kustomization', () => {
  const entry =
    'apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: { name: x }\nspec: { hosts: [x.example.com], exportTo: ["."], resolution: DNS, ports: [{ number: 443, name: tls, protocol: TLS }] }\n';
  let folder = '';
  const side = (name: string, files: Readonly<Record<string, string>>): string => {
    for (const [file, text] of Object.entries({ 'entry.yaml': entry, ...files })) {
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, name, file), text);
    }
    return join(folder, name);
  };
  const found = (was: string, is: string) =>
    diff(loadSide(was).manifests, loadSide(is).manifests, { mesh: { outbound: 'REGISTRY_ONLY' } });
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kustomize-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is built, so that what it changes is told, whether by itself or by its patches', () => {
    const plain = side('plain', { 'kustomization.yaml': 'namespace: shop\nresources: [entry.yaml]\n' });
    const moved = side('moved', { 'kustomization.yaml': 'namespace: payments\nresources: [entry.yaml]\n' });
    const patched = (to: string): Readonly<Record<string, string>> => ({
      'kustomization.yaml': 'resources: [entry.yaml]\npatches: [{ path: patch.yaml }]\n',
      'patch.yaml': `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: { name: x }\nspec: { exportTo: ["${to}"] }\n`,
    });
    for (const both of [found(plain, moved), found(side('a', patched('.')), side('b', patched('*')))]) {
      expect(both.changes).not.toEqual([]);
      expect(both.undecided).toEqual([]);
    }
    const same = side('same', { 'kustomization.yaml': '# the same\nresources: [entry.yaml]\nnamespace: shop\n' });
    expect(found(plain, same)).toMatchObject({ changes: [], undecided: [], complete: true });
  });

  it('is undecided where it takes up what nothing here shows, and does so otherwise than before', () => {
    const remote = (ref: string) => ({
      'kustomization.yaml': `resources: [entry.yaml, "https://git.example.com/base?ref=${ref}"]\n`,
    });
    const [was, is] = [side('one', remote('v1')), side('two', remote('v2'))];
    expect(found(was, is)).toMatchObject({ complete: false, undecided: [{}] });
    expect(found(was, side('three', remote('v1')))).toMatchObject({ complete: true, undecided: [] });
  });
});
