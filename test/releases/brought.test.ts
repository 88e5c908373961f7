/** What each release brought is taken by it, and told by its name where an older one judges, however the release is known. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { check } from '../../src/check/check';
import { readConfiguration } from '../../src/check/configuration';
import type { Finding } from '../../src/check/finding';
import { releaseTitle } from '../../src/check/schema/other-releases';
import { loadText } from '../../src/model/load';
import type { MeshOptions } from '../../src/model/mesh-options';
import { COMPONENTS, type Component, EXPERIMENTAL } from '../../src/model/releases';

interface Brought {
  readonly needs: string;
  readonly title: string;
  /** What the release before does with it. */
  readonly older: 'drops' | 'refuses' | 'ignores';
  readonly field: string;
  readonly object: Readonly<Record<string, unknown>>;
}

const OPTION = { istio: 'istioVersion', gatewayApi: 'gatewayApiVersion', envoyGateway: 'envoyGatewayVersion', kubernetes: 'kubernetesVersion' } as const; // prettier-ignore
const SAID = { drops: /silently drops|drops the field/, refuses: /refuses/, ignores: /./ } as const;

const brought = (component: Component, file: string): readonly (Brought & { readonly component: Component })[] =>
  (load(readFileSync(join(__dirname, 'brought', file), 'utf8')) as readonly Brought[]).map((one) => ({ ...one, component })); // prettier-ignore

const ALL = [...brought('istio', 'istio.yaml'), ...brought('gatewayApi', 'gateway-api.yaml'), ...brought('envoyGateway', 'envoy-gateway.yaml'), ...brought('kubernetes', 'kubernetes.yaml')]; // prettier-ignore

function before(component: Component, release: string): string {
  const names = COMPONENTS[component].releases.map(({ name }) => name);
  const channel = release.endsWith(EXPERIMENTAL) ? EXPERIMENTAL : '';
  return `${names[names.indexOf(release.replace(EXPERIMENTAL, '')) + 1] ?? ''}${channel}`;
}

/** Ways in which a repository tells a release. */
const SHOWN: Readonly<Record<string, readonly ((release: string) => string)[]>> = {
  istio: [
    (release) => `{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: {name: mesh}, spec: {tag: ${release}.2-distroless}}`,
    (release) => `{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: istiod}, spec: {source: {chart: istiod, targetRevision: ${release}.6}}}`,
    (release) => `{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: istio-system}, spec: {selector: {matchLabels: {app: istiod}}, template: {metadata: {labels: {app: istiod}}, spec: {containers: [{name: discovery, image: "registry.example/istio/pilot:${release}.5"}]}}}}`,
    (release) => `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio.io/rev: ${release.replace('.', '-')}-6}}}`,
  ],
  gatewayApi: [
    (release) => `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: gatewayclasses.gateway.networking.k8s.io, annotations: {gateway.networking.k8s.io/bundle-version: v${release.replace(EXPERIMENTAL, '')}.0, gateway.networking.k8s.io/channel: ${release.endsWith(EXPERIMENTAL) ? 'experimental' : 'standard'}}}, spec: {group: gateway.networking.k8s.io, scope: Cluster, names: {kind: GatewayClass, plural: gatewayclasses}, versions: []}}`,
  ],
  kubernetes: [
    (release) => `{apiVersion: v1, kind: Node, metadata: {name: one}, status: {nodeInfo: {kubeletVersion: v${release}.2}}}`,
  ],
  envoyGateway: [
    (release) => `{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: eg, namespace: envoy-gateway-system}, spec: {interval: 1h, chart: {spec: {chart: gateway-helm, version: v${release}.1, sourceRef: {kind: HelmRepository, name: eg}}}}}`,
    (release) => `{apiVersion: apps/v1, kind: Deployment, metadata: {name: envoy-gateway, namespace: envoy-gateway-system}, spec: {selector: {matchLabels: {app: eg}}, template: {metadata: {labels: {app: eg}}, spec: {containers: [{name: envoy-gateway, image: "registry.example/envoyproxy/gateway:v${release}.0"}]}}}}`,
    (release) => `{apiVersion: source.toolkit.fluxcd.io/v1, kind: OCIRepository, metadata: {name: eg, namespace: envoy-gateway-system}, spec: {interval: 1h, url: "oci://registry.example/envoyproxy/gateway-helm", ref: {tag: v${release}.3}}}`,
  ],
}; // prettier-ignore

/** By an option, by mesh-edge.yaml, and by each way in which manifests show a release. */
function ways(component: Component, release: string): readonly (readonly [string, string, MeshOptions])[] {
  const configured = readConfiguration(`${OPTION[component]}: "${release}"\n`, 'mesh-edge.yaml').mesh;
  return [
    ['an option', '', { [OPTION[component]]: release }],
    ['mesh-edge.yaml', '', configured],
    ...(SHOWN[component] ?? []).map((show, at) => [`manifest ${at}`, `\n---\n${show(release)}`, {}] as const),
  ];
}

const about = (findings: readonly Finding[], { object }: Brought): readonly Finding[] =>
  findings.filter((finding) => finding.object?.kind === object.kind);
const words = ({ id, severity, what, why, field }: Finding): string => `${id} ${severity} ${field}: ${what} | ${why}`;

describe.each(ALL.map((one) => [`${releaseTitle(one.component, one.needs)}: ${one.title}`, one] as const))('%s', (_, one) => {
  it('is taken by the release', () => {
    for (const [way, shown, options] of ways(one.component, one.needs)) {
      const { findings } = check(loadText(`${JSON.stringify(one.object)}${shown}`), options);
      const wrong = about(findings, one).filter(({ severity, what }) => severity === 'error' || /needs /.test(what));
      expect([way, ...wrong.map(words)]).toEqual([way]);
    }
  });

  it('is told under the release before', () => {
    for (const [way, shown, options] of ways(one.component, before(one.component, one.needs))) {
      const { findings } = check(loadText(`${JSON.stringify(one.object)}${shown}`), options);
      const told = about(findings, one).filter(({ field }) => field === one.field);
      const said = told.map(words).join('\n');
      expect([way, said]).toEqual([way, expect.stringContaining(releaseTitle(one.component, one.needs))]);
      expect(said).toMatch(SAID[one.older]);
    }
  });
}); // prettier-ignore
