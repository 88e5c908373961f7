import { Chart, Testing } from 'cdk8s';
import { MeshMembership } from '../../src/mesh/mesh-membership';
import { MeshNamespace } from '../../src/mesh/mesh-namespace';
import { MutualTls, PeerAuthentication } from '../../src/mesh/peer-authentication';
import { PeerScope } from '../../src/mesh/peer-scope';

interface Rendered {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec?: Record<string, unknown>;
}

function chart(): Chart {
  return new Chart(Testing.app(), 'edge', { namespace: 'shop' });
}

const render = (of: Chart) => of.toJson() as Rendered[];

/** What synthesis would report, by construct path. */
function problems(of: Chart): string {
  return of.node.root.node
    .findAll()
    .flatMap((node) => node.node.validate().map((problem) => `[${node.node.path}] ${problem}`))
    .join('\n');
}

describe('a namespace', () => {
  it.each([
    ['a sidecar by default', undefined, { 'istio-injection': 'enabled' }],
    ['a sidecar of a revision', MeshMembership.revision('stable'), { 'istio.io/rev': 'stable' }],
    ['ambient mode', MeshMembership.ambient(), { 'istio.io/dataplane-mode': 'ambient' }],
    ['no word about the mesh', MeshMembership.none(), undefined],
    ['an opt-out', MeshMembership.optedOut(), { 'istio-injection': 'disabled' }],
  ])('carries the label for %s', (_, membership, labels) => {
    const edge = chart();
    new MeshNamespace(edge, 'Shop', { membership });
    expect(render(edge)[0]).toEqual({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', ...(labels && { labels }) },
    });
  });

  it('refuses a label that would decide about the mesh behind the back of membership', () => {
    const edge = chart();
    new MeshNamespace(edge, 'Shop', { labels: { 'istio.io/rev': 'canary', team: 'shop' } });
    expect(problems(edge)).toContain('[edge/Shop] label "istio.io/rev" is given in `labels`');
    expect(problems(edge)).not.toContain('"team"');
  });

  it('can be made once only in a mesh', () => {
    const edge = chart();
    new MeshNamespace(edge, 'A', { name: 'shop' });
    new MeshNamespace(edge, 'B', { name: 'shop', membership: MeshMembership.none() });
    expect(problems(edge)).toContain('namespace "shop" is made by both edge/A and edge/B');
  });
});

describe('peer authentication', () => {
  it('is STRICT for the whole mesh as "default" in the root namespace', () => {
    const edge = chart();
    new PeerAuthentication(edge, 'Strict', { appliesTo: PeerScope.mesh() });
    expect(render(edge)[0]).toMatchObject({
      apiVersion: 'security.istio.io/v1',
      metadata: { name: 'default', namespace: 'istio-system' },
      spec: { mtls: { mode: 'STRICT' } },
    });
  });

  it('lets a port of some workloads differ', () => {
    const edge = chart();
    const appliesTo = PeerScope.workloads(
      'envoy-gateway-system',
      { app: 'controller' },
      { ports: { 9443: MutualTls.DISABLE } },
    );
    new PeerAuthentication(edge, 'Webhook', { appliesTo });
    expect(render(edge)[0]).toMatchObject({
      metadata: { name: 'webhook', namespace: 'envoy-gateway-system' },
      spec: {
        selector: { matchLabels: { app: 'controller' } },
        mtls: { mode: 'STRICT' },
        portLevelMtls: { 9443: { mode: 'DISABLE' } },
      },
    });
  });

  it('refuses two objects for one scope, and names both', () => {
    const edge = chart();
    new PeerAuthentication(edge, 'A', { appliesTo: PeerScope.inNamespace('shop') });
    new PeerAuthentication(edge, 'B', { appliesTo: PeerScope.inNamespace('shop'), mode: MutualTls.PERMISSIVE });
    expect(problems(edge)).toContain('namespace shop has both edge/A (STRICT) and edge/B (PERMISSIVE)');
  });

  it('refuses workloads without labels and ports that are none', () => {
    const edge = chart();
    new PeerAuthentication(edge, 'A', {
      appliesTo: PeerScope.workloads('shop', {}, { ports: { http: MutualTls.DISABLE } }),
    });
    expect(problems(edge)).toContain('workloads are chosen by no label');
    expect(problems(edge)).toContain('is not a port number');
  });
});
