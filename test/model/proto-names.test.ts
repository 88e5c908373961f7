import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { proxySettings } from '../../src/model/proxy-config';

const meshOf = (text: string) =>
  buildMesh(
    loadText(
      `{apiVersion: v1, kind: ConfigMap, metadata: {name: istio, namespace: istio-system}, data: {mesh: ${JSON.stringify(text)}}}`,
    ).manifests,
  );
const CLIENT = { namespace: 'app', labels: {} };

describe('the mesh configuration under the names of its message', () => {
  it('is read as under those of JSON', () => {
    const { config } = meshOf('{outbound_traffic_policy: {mode: REGISTRY_ONLY}, trust_domain: mesh.example, path_normalization: {normalization: MERGE_SLASHES}, default_service_export_to: [.]}');
    expect(config).toMatchObject({ outbound: 'REGISTRY_ONLY', trustDomain: 'mesh.example', pathNormalization: 'MERGE_SLASHES', defaultServiceExportTo: ['.'] });
  });

  it('keeps the keys that its users choose', () => {
    const { config } = meshOf('{discovery_selectors: [{match_labels: {of_the_mesh: "yes"}}]}');
    expect(config.discoverySelectors).toEqual([{ matchLabels: { of_the_mesh: 'yes' } }]);
  });

  it('is that of a proxy too', () => {
    const mesh = meshOf('{default_config: {gateway_topology: {num_trusted_proxies: 2}}}');
    expect(proxySettings(mesh, { ...CLIENT, annotations: {} }).trustedProxies).toBe(2);
    const own = { 'proxy.istio.io/config': '{gateway_topology: {num_trusted_proxies: 3}}' };
    expect(proxySettings(mesh, { ...CLIENT, annotations: own }).trustedProxies).toBe(3);
  });
}); // prettier-ignore
