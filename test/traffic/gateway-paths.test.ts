import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { pathsOf } from '../../src/traffic/explore';
import { MESH, onGateway, policy } from '../trace/envoy-gateway-world';

const other = `
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: other, namespace: app}
spec: {gatewayClassName: eg, listeners: [{name: http, port: 80, protocol: HTTP}]}`;

/** How paths are explored at a port of a Gateway. */
function formAt(yaml: string, gateway: string, port: number): string {
  const mesh = buildMesh(loadText(MESH + other + yaml).manifests);
  return pathsOf([mesh], { from: 'outside', at: `app/${gateway}` }, { scheme: 'http', host: 'www.example.com', port });
}

describe('paths at a Gateway of Envoy Gateway are explored', () => {
  const keeps = 'path: {disableMergeSlashes: true}';

  it('without slashes beside each other, which it merges', () => {
    expect(formAt('', 'front', 80)).toBe('MERGED, FOLDED');
  });

  it('with them where its ClientTrafficPolicy keeps them, and at no other Gateway', () => {
    const yaml = policy('ClientTrafficPolicy', `${onGateway()}, ${keeps}`);
    expect([formAt(yaml, 'front', 80), formAt(yaml, 'other', 80)]).toEqual(['BASE, FOLDED', 'MERGED, FOLDED']);
  });

  it('with them at the listener that keeps them, and at no other', () => {
    const yaml = policy('ClientTrafficPolicy', `${onGateway('other')}, ${keeps}`);
    expect([formAt(yaml, 'front', 80), formAt(yaml, 'front', 8080)]).toEqual(['MERGED, FOLDED', 'BASE, FOLDED']);
  });
});
