/** An installation is read alike by everything that asks of it, whatever it is written in. */
import { check } from '../../src/check/check';
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { readMeshConfig } from '../../src/model/mesh-config';
import { judgedByLine } from '../../src/report/judged-by';

interface Settings {
  readonly mode: string;
  readonly timeout: string;
  readonly range: string;
}

const FORMS: Readonly<Record<string, (settings: Settings) => string>> = {
  IstioOperator: ({ mode, timeout, range }) => `
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: { name: mesh, namespace: istio-system }
spec:
  meshConfig: { outboundTrafficPolicy: { mode: ${mode} } }
  values: { meshConfig: { connectTimeout: ${timeout} }, global: { proxy: { includeIPRanges: ${range} } } }
`,
  'Helm values': ({ mode, timeout, range }) => `
meshConfig: { outboundTrafficPolicy: { mode: ${mode} }, connectTimeout: ${timeout} }
global: { proxy: { includeIPRanges: ${range} } }
`,
  'Helm values of a chart around it': ({ mode, timeout, range }) => `
istiod:
  meshConfig: { outboundTrafficPolicy: { mode: ${mode} }, connectTimeout: ${timeout} }
  global: { proxy: { includeIPRanges: ${range} } }
`,
  'Helm values of a chart around charts around it': ({ mode, timeout, range }) => `
replicas: 2
mesh:
  istiod:
    meshConfig: { outboundTrafficPolicy: { mode: ${mode} }, connectTimeout: ${timeout} }
    global: { proxy: { includeIPRanges: ${range} } }
`,
  HelmRelease: ({ mode, timeout, range }) => `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: istiod, namespace: istio-system }
spec:
  values:
    meshConfig: { outboundTrafficPolicy: { mode: ${mode} }, connectTimeout: ${timeout} }
    global: { proxy: { includeIPRanges: ${range} } }
`,
  'HelmRelease of a chart around it': ({ mode, timeout, range }) => `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: platform, namespace: istio-system }
spec:
  values:
    istiod:
      meshConfig: { outboundTrafficPolicy: { mode: ${mode} }, connectTimeout: ${timeout} }
      global: { proxy: { includeIPRanges: ${range} } }
`,
  'HelmRelease of a chart around charts around it': ({ mode, timeout, range }) => `
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: platform, namespace: istio-system }
spec:
  values:
    replicas: 2
    mesh:
      istiod:
        meshConfig: { outboundTrafficPolicy: { mode: ${mode} }, connectTimeout: ${timeout} }
        global: { proxy: { includeIPRanges: ${range} } }
`,
  'an Application of Argo CD': ({ mode, timeout, range }) => `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: istiod, namespace: argocd }
spec:
  destination: { server: https://kubernetes.default.svc, namespace: istio-system }
  source:
    chart: istiod
    helm:
      valuesObject:
        meshConfig: { outboundTrafficPolicy: { mode: ${mode} }, connectTimeout: ${timeout} }
        global: { proxy: { includeIPRanges: ${range} } }
`,
  'an Application of several charts, with a text and parameters': ({ mode, timeout, range }) => `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: platform, namespace: argocd }
spec:
  destination: { name: in-cluster, namespace: istio-system }
  sources:
    - { chart: redis, helm: { values: "replicas: 2" } }
    - chart: istiod
      helm:
        values: |
          meshConfig: { outboundTrafficPolicy: { mode: ALLOW_ANY }, connectTimeout: ${timeout} }
          global: { proxy: { includeIPRanges: ${range} } }
        parameters: [{ name: meshConfig.outboundTrafficPolicy.mode, value: ${mode} }]
`,
  'a HelmChart of k3s': ({ mode, timeout, range }) => `
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: { name: istiod, namespace: kube-system }
spec:
  chart: istiod
  targetNamespace: istio-system
  valuesContent: "meshConfig: { connectTimeout: ${timeout} }"
  set: { global.proxy.includeIPRanges: ${range}, meshConfig.outboundTrafficPolicy.mode: ${mode} }
`,
  "the Sail operator's Istio": ({ mode, timeout, range }) => `
apiVersion: sailoperator.io/v1
kind: Istio
metadata: { name: default }
spec:
  values:
    meshConfig: { outboundTrafficPolicy: { mode: ${mode} }, connectTimeout: ${timeout} }
    global: { proxy: { includeIPRanges: ${range} } }
`,
  'what it leaves in a cluster': ({ mode, timeout, range }) => `
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: "{ outboundTrafficPolicy: { mode: ${mode} }, connectTimeout: ${timeout} }"
---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio-sidecar-injector, namespace: istio-system }
data:
  values: '{ "global": { "proxy": { "includeIPRanges": "${range}" } } }'
`,
};
const AS_IT_IS: Settings = { mode: 'REGISTRY_ONLY', timeout: '10s', range: '10.0.0.0/8' };
const manifestsOf = (form: string, settings: Settings): ReturnType<typeof loadText>['manifests'] =>
  loadText(FORMS[form]?.(settings) ?? '').manifests;

describe.each(Object.keys(FORMS))('in %s', (form) => {
  it('what decides where requests go is found', () => {
    const { outbound, capture } = readMeshConfig(manifestsOf(form, AS_IT_IS), {});
    expect({ outbound, ranges: capture.includeRanges }).toEqual({ outbound: 'REGISTRY_ONLY', ranges: '10.0.0.0/8' });
  });

  it('what differs besides is told, by the name that users know', () => {
    const changed = manifestsOf(form, { ...AS_IT_IS, timeout: '1ms' });
    const { settings } = diff(manifestsOf(form, AS_IT_IS), changed);
    expect(settings.map(({ fields }) => fields)).toEqual([['meshConfig.connectTimeout']]);
  });
});

const withEnv = (value: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: istiod, namespace: istio-system }
spec:
  selector: { matchLabels: { app: istiod } }
  template:
    metadata: { labels: { app: istiod } }
    spec: { containers: [{ name: discovery, image: pilot, env: [{ name: PILOT_ENABLE_MYSTERY, value: "${value}" }] }] }
`;

it('a variable of istiod that nothing here reads is not decided, wherever it is set', () => {
  const { complete, undecided } = diff(loadText(withEnv('true')).manifests, loadText(withEnv('false')).manifests);
  expect(complete).toBe(false);
  expect(undecided.map(({ what }) => what)).toEqual([
    'Deployment istio-system/istiod is changed in env.PILOT_ENABLE_MYSTERY',
  ]);
});

const networks = (gateway: string): string => `
meshConfig: { rootNamespace: istio-system }
global: { meshNetworks: { away: { gateways: [{ address: ${gateway}, port: 15443 }] } } }
`;

it('networks of the mesh are not decided in the values of a chart either', () => {
  const { complete } = diff(loadText(networks('192.0.2.1')).manifests, loadText(networks('192.0.2.2')).manifests);
  expect(complete).toBe(false);
});

describe.each([
  ['an IstioOperator', (own: string) => `apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: { name: mesh, namespace: istio-system }\nspec: { compatibilityVersion: "1.30", values: { pilot: { env: { ${own} } } } }\n`],
  ['Helm values', (own: string) => `compatibilityVersion: "1.30"\npilot: { env: { ${own} } }\n`],
  ['a HelmRelease', (own: string) => `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: istiod, namespace: istio-system }\nspec: { values: { compatibilityVersion: "1.30", pilot: { env: { ${own} } } } }\n`],
  ['an Istio of the Sail operator', (own: string) => `apiVersion: sailoperator.io/v1\nkind: Istio\nmetadata: { name: default }\nspec: { values: { compatibilityVersion: "1.30", pilot: { env: { ${own} } } } }\n`],
])('compatibilityVersion in %s', (_where, written) => {
  const read = (own: string, istioVersion: string): readonly boolean[] => {
    const { keepsGatewaysApart, picksBestNamespace } = readMeshConfig(loadText(written(own)).manifests, { istioVersion });
    return [keepsGatewaysApart, picksBestNamespace];
  };

  it('has the defaults of that release, and what is written outweighs them', () => {
    expect(read('', '1.31')).toEqual([false, true]);
    expect(read("PILOT_ENABLE_STRICT_GATEWAY_MERGING: 'true'", '1.31')).toEqual([true, true]);
    expect(readMeshConfig([], { istioVersion: '1.31' })).toMatchObject({ keepsGatewaysApart: true, picksBestNamespace: true });
  });

  it('is said by check', () => {
    const { summary } = check(loadText(written('')), { istioVersion: '1.31' });
    expect(judgedByLine(summary.judgedBy)).toMatch(/Istio 1\.31 with the defaults of 1\.30 \(compatibilityVersion\)/);
  });
}); // prettier-ignore
