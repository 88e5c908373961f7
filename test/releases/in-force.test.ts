import { buildMesh } from '../../src/model/mesh';
import { loadText } from '../../src/model/load';
import type { MeshOptions } from '../../src/model/mesh-options';
import type { Component } from '../../src/model/releases';
import { releasesInForce } from '../../src/model/releases-in-force';

const inForce = (component: Component, yaml: string, options: MeshOptions = {}) =>
  releasesInForce(loadText(yaml).manifests, options)[component];

describe('the release that manifests are judged by', () => {
  it.each<[string, Component, string, string]>([
    ['a tag of an IstioOperator', 'istio', '1.30', '{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: {name: i}, spec: {tag: 1.30.2}}'],
    ['a version of Sail', 'istio', '1.31', '{apiVersion: sailoperator.io/v1, kind: Istio, metadata: {name: default}, spec: {version: v1.31-latest}}'],
    ['an image of istiod', 'istio', '1.28', '{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod}, spec: {template: {spec: {containers: [{image: "example.org/istio/pilot:1.28.3-distroless"}]}}}}'],
    ['an image of a proxy', 'istio', '1.29', '{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{image: "example.org/istio/proxyv2:1.29.2@sha256:00"}]}}'],
    ['a revision label', 'istio', '1.30', '{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {istio.io/rev: 1-30-1}}}'],
    ['Helm values', 'istio', '1.29', '{global: {tag: 1.29.1, proxy: {}}, meshConfig: {}}'],
    ['a HelmRelease', 'istio', '1.31', '{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: istiod}, spec: {chart: {spec: {chart: istiod, version: 1.31.x}}}}'],
    ['an Application of Argo CD', 'envoyGateway', '1.8', '{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: eg}, spec: {sources: [{chart: gateway-helm, targetRevision: v1.8.0}]}}'],
    ['a chart that depends on another', 'istio', '1.29', '{apiVersion: v2, name: mesh, version: 0.4.0, dependencies: [{name: istiod, version: 1.29.1}]}'],
    ['a patch range of a dependency', 'istio', '1.31', '{apiVersion: v2, name: mesh, version: 0.4.0, dependencies: [{name: istiod, version: ~1.31.0}]}'],
    ['bounds of a dependency', 'istio', '1.30', '{apiVersion: v2, name: mesh, version: 0.4.0, dependencies: [{name: istiod, version: ">=1.30.2 <1.31.0"}]}'],
    ['a span of a dependency', 'envoyGateway', '1.8', '{apiVersion: v2, name: edge, version: 0.4.0, dependencies: [{name: gateway-helm, version: v1.8.0 - v1.8.3}]}'],
    ['a template of Applications', 'istio', '1.30', '{apiVersion: argoproj.io/v1alpha1, kind: ApplicationSet, metadata: {name: istiod}, spec: {template: {spec: {source: {chart: istiod, targetRevision: 1.30.*}}}}}'],
    ['the tag of a chart by its name', 'istio', '1.30', '{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: mesh}, spec: {source: {chart: istiod, helm: {values: "global: {tag: 1.30.1}"}}}}'],
    ['the tag of a chart around it', 'istio', '1.30', '{apiVersion: helm.cattle.io/v1, kind: HelmChart, metadata: {name: mesh}, spec: {chart: mesh, valuesContent: "istiod: {global: {tag: 1.30.1}, meshConfig: {}}"}}'],
    ['a tag of istiod alone', 'istio', '1.29', '{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: mesh}, spec: {values: {pilot: {tag: 1.29.3-distroless}}}}'],
    ['what a chart rendered', 'istio', '1.31', '{apiVersion: v1, kind: ServiceAccount, metadata: {name: istiod, labels: {helm.sh/chart: istiod-1.31.2}}}'],
    ['what the chart of Envoy Gateway rendered', 'envoyGateway', '1.9', '{apiVersion: v1, kind: ServiceAccount, metadata: {name: envoy-gateway, labels: {helm.sh/chart: gateway-helm-v1.9.1}}}'],
    ['a revision with a word behind it', 'istio', '1.31', '{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {istio.io/rev: 1-31-2-canary}}}'],
    ['a CRD of the experimental channel alone', 'gatewayApi', '1.7/experimental', '{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: xbackends.gateway.networking.x-k8s.io, annotations: {gateway.networking.k8s.io/bundle-version: v1.7.0, gateway.networking.k8s.io/channel: experimental}}, spec: {group: gateway.networking.x-k8s.io}}'],
    ['an image of Envoy Gateway', 'envoyGateway', '1.7', '{apiVersion: apps/v1, kind: Deployment, metadata: {name: envoy-gateway}, spec: {template: {spec: {containers: [{image: "example.org/envoyproxy/gateway:v1.7.2"}]}}}}'],
    ['a CRD of the experimental channel', 'gatewayApi', '1.4/experimental', '{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: gateways.gateway.networking.k8s.io, annotations: {gateway.networking.k8s.io/bundle-version: v1.4.1, gateway.networking.k8s.io/channel: experimental}}, spec: {group: gateway.networking.k8s.io}}'],
    ['a CRD of the standard channel', 'gatewayApi', '1.6', '{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: gateways.gateway.networking.k8s.io, annotations: {gateway.networking.k8s.io/bundle-version: v1.6.0, gateway.networking.k8s.io/channel: standard}}, spec: {group: gateway.networking.k8s.io}}'],
    ['the repository of an Application', 'gatewayApi', '1.4/experimental', '{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: crds}, spec: {source: {repoURL: "https://github.com/kubernetes-sigs/gateway-api", path: config/crd/experimental, targetRevision: v1.4.1}}}'],
    ['a GitRepository, whichever channel is applied of it', 'gatewayApi', '1.5/experimental', '{apiVersion: source.toolkit.fluxcd.io/v1, kind: GitRepository, metadata: {name: crds}, spec: {url: "https://github.com/kubernetes-sigs/gateway-api.git", ref: {tag: v1.5.1}}}'],
    ['a Node', 'kubernetes', '1.35', '{apiVersion: v1, kind: Node, metadata: {name: n}, status: {nodeInfo: {kubeletVersion: v1.35.4}}}'],
  ])('is found in %s', (_, component, release, yaml) => {
    expect(inForce(component, yaml)).toMatchObject({ release, from: 'manifests', isModelled: true });
  }); // prettier-ignore

  it('is the one that was asked for, whatever the manifests show', () => {
    const yaml =
      '{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: {name: i}, spec: {tag: 1.30.2}}';
    expect(inForce('istio', yaml, { istioVersion: '1.29.1' })).toMatchObject({ release: '1.29', from: 'option' });
  });

  it('is the newest where nobody says anything, of both channels of the Gateway API', () => {
    const yaml = '{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {istio.io/rev: canary}}}';
    expect(inForce('istio', yaml)).toMatchObject({ release: '1.32', from: 'default' });
    expect(inForce('gatewayApi', yaml)).toMatchObject({ release: '1.7/experimental', from: 'default' });
  });

  it('is that of the control plane where proxies lag behind it', () => {
    const yaml = `{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{image: "istio/proxyv2:1.28.0"}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod}, spec: {template: {spec: {containers: [{image: "istio/pilot:1.31.0"}]}}}}`;
    expect(inForce('istio', yaml)).toMatchObject({ release: '1.31', others: [] });
  });

  it('is the nearest to one that is not modelled, and says so', () => {
    expect(inForce('istio', '', { istioVersion: '1.27.1' })).toMatchObject({ release: '1.28', isModelled: false });
    expect(inForce('istio', '', { istioVersion: '1.40' })).toMatchObject({ release: '1.32', isModelled: false });
  });

  it.each([
    ['a dependency that several releases meet', '{apiVersion: v2, name: mesh, version: 0.4.0, dependencies: [{name: istiod, version: ^1.30.0}]}'],
    ['bounds that several releases are within', '{apiVersion: v2, name: mesh, version: 0.4.0, dependencies: [{name: istiod, version: ">=1.29.0 <1.32.0"}]}'],
    ['a revision of another kind', '{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {istio.io/rev: 2024-11-30}}}'],
    ['another chart', '{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, labels: {helm.sh/chart: gateway-1.28.0}}}'],
    ['the tag of another chart of a HelmRelease', '{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: forge}, spec: {chart: {spec: {chart: forge}}, values: {global: {tag: 1.29.0}, web: {global: {tag: 1.29.0}}}}}'],
    ['the tag of another chart of an Application', '{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: forge}, spec: {source: {chart: forge, helm: {valuesObject: {global: {tag: 1.29.0}}}}}}'],
    ['the tag of another HelmChart', '{apiVersion: helm.cattle.io/v1, kind: HelmChart, metadata: {name: forge}, spec: {chart: forge, set: {global.tag: 1.29.0}}}'],
    ['an image that is named by its digest', '{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod}, spec: {template: {spec: {containers: [{image: "istio/pilot@sha256:1280"}]}}}}'],
  ])('is not told by %s', (_, yaml) => {
    expect(inForce('istio', yaml)).toMatchObject({ release: '1.32', from: 'default' });
  }); // prettier-ignore

  it('is known to the mesh', () => {
    expect(buildMesh([], { istioVersion: '1.30' }).config.releases.istio.release).toBe('1.30');
  });
});
