/** Clusters whose names of Services end in something else than cluster.local. */
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { outcome, traceIn } from '../trace/text';

const VALUES = 'global: {proxy: {clusterDomain: cluster.example}}\n';
const OPERATOR = '{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: {name: mesh, namespace: istio-system}, spec: {values: {global: {proxy: {clusterDomain: cluster.example}}}}}\n'; // prettier-ignore
const INJECTOR = `{apiVersion: v1, kind: ConfigMap, metadata: {name: istio-sidecar-injector, namespace: istio-system}, data: {values: '{"global": {"proxy": {"clusterDomain": "cluster.example"}}}'}}\n`;
const ISTIOD = (args: string) => `{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: istio-system}, spec: {template: {spec: {containers: [{name: discovery, args: [discovery, ${args}, --keepaliveMaxServerConnectionAge, 30m]}]}}}}\n`; // prettier-ignore
const APP = `---
{apiVersion: v1, kind: Namespace, metadata: {name: app, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Service, metadata: {name: shop, namespace: app}, spec: {clusterIP: 10.96.0.10, selector: {app: shop}, ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: shop, namespace: app, labels: {app: shop}}, spec: {containers: [{name: shop, image: shop}]}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: shop, namespace: app}, spec: {hosts: [shop], http: [{route: [{destination: {host: shop}}]}]}}
---
{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: shop, namespace: app}, spec: {host: shop.app.svc.cluster.example, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}}
`;
const end = (installation: string, host: string): string =>
  outcome(traceIn(installation + APP, { outbound: 'REGISTRY_ONLY' })(`http://${host}/`));

describe('the domain of a cluster', () => {
  it.each([
    ['values of the chart', VALUES],
    ['an IstioOperator', OPERATOR],
    ['the configuration of injection', INJECTOR],
    ['arguments of istiod', ISTIOD('--domain, cluster.example')],
    ['one argument of istiod', ISTIOD('--domain=cluster.example')],
  ])('is read from %s', (_, installation) => {
    expect(buildMesh(loadText(installation + APP).manifests).config.clusterDomain).toBe('cluster.example');
    for (const host of ['shop', 'shop.app', 'shop.app.svc', 'shop.app.svc.cluster.example'])
      expect(end(installation, host)).toBe('delivered to shop.app.svc.cluster.example:80');
    expect(end(installation, 'shop.app.svc.cluster.local')).not.toMatch(/delivered/);
  });

  it('is cluster.local where nothing says it', () => {
    expect(end('', 'shop')).toBe('delivered to shop.app.svc.cluster.local:80');
  });

  it('is that of short names in check too', () => {
    const findings = check(loadText(VALUES + APP)).findings.filter(({ severity }) => severity !== 'info');
    expect(findings.map(({ id, what }) => `${id} ${what}`)).toEqual([]);
  });
});
