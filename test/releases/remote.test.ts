/** Releases that the addresses of fetched definitions name. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkWorlds } from '../../src/check/worlds';
import { diff } from '../../src/diff/diff';
import { releaseNamedBy } from '../../src/model/remote-releases';
import { findWorlds } from '../../src/model/worlds';

const GATEWAY_API = 'https://github.com/kubernetes-sigs/gateway-api/releases/download';

describe('an address', () => {
  it.each([
    [`${GATEWAY_API}/v1.5.1/standard-install.yaml`, 'gatewayApi v1.5.1'],
    [`${GATEWAY_API}/v1.4.1/experimental-install.yaml`, 'gatewayApi v1.4.1/experimental'],
    ['https://raw.githubusercontent.com/kubernetes-sigs/gateway-api/v1.6.3/config/crd/standard/gateway.networking.k8s.io_gateways.yaml', 'gatewayApi v1.6.3'],
    ['github.com/kubernetes-sigs/gateway-api/config/crd/experimental?ref=v1.5.0', 'gatewayApi v1.5.0/experimental'],
    ['git@github.com:kubernetes-sigs/gateway-api.git//config/crd?ref=v1.5.0&timeout=90s', 'gatewayApi v1.5.0'],
    ['https://github.com/envoyproxy/gateway/releases/download/v1.8.1/install.yaml', 'envoyGateway v1.8.1'],
  ])('names a release: %s', (address, named) => {
    const { component, stated } = releaseNamedBy(address) ?? {};
    expect(`${component} ${stated}`).toBe(named);
  }); // prettier-ignore

  it.each([
    'github.com/kubernetes-sigs/gateway-api/config/crd?ref=main',
    'https://github.com/kubernetes-sigs/gateway-api-inference-extension/releases/download/v1.5.0/manifests.yaml',
    'https://example.org/mirror/gateway-api/v1.4.1/experimental-install.yaml',
  ])('names none: %s', (address) => expect(releaseNamedBy(address)).toBeUndefined());
});

describe('a kustomization that fetches the Gateway API', () => {
  const folders: string[] = [];
  afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

  function fetching(version: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'mesh-edge-remote-'));
    folders.push(folder);
    writeFileSync(join(folder, 'kustomization.yaml'), `resources: [route.yaml, "${GATEWAY_API}/${version}-install.yaml"]\n`); // prettier-ignore
    writeFileSync(
      join(folder, 'route.yaml'),
      '{apiVersion: gateway.networking.k8s.io/v1alpha2, kind: TLSRoute, metadata: {name: db, namespace: app}, spec: {parentRefs: [{name: edge}], hostnames: [db.example.com], rules: [{backendRefs: [{name: db, port: 443}]}]}}\n',
    );
    return folder;
  }

  it.each([
    ['v1.4.1/experimental', '1.4/experimental', []],
    ['v1.4.1/standard', '1.4', ['TLSRoute v1alpha2 needs the experimental channel of Gateway API 1.4']],
  ])('is judged by the release that it names: %s', (version, release, wanted) => {
    const { findings, summary } = checkWorlds(findWorlds([fetching(version)]));
    expect(findings.filter(({ id }) => id === 'EDGE004').map(({ what }) => what)).toEqual(wanted);
    expect(summary.judgedBy.find(({ component }) => component === 'Gateway API')).toMatchObject({ release, from: 'manifests' }); // prettier-ignore
    expect(summary.objects).toBe(1);
  });

  it('has no objects of that in a diff', () => {
    const sides = ['v1.4.1/experimental', 'v1.5.1/experimental'].map((version) => findWorlds([fetching(version)]));
    const [was = [], is = []] = sides.map((worlds) => worlds.flatMap(({ loaded }) => loaded.manifests));
    const { undecided, withoutEffect } = diff(was, is);
    expect([undecided, withoutEffect]).toEqual([[], []]);
  });
});
