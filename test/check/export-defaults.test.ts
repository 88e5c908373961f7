import { ids, NAMESPACES } from './judged';

/** What the mesh has objects exported to that say nothing, by kind. */
const mesh = (defaults: string): string =>
  `${NAMESPACES}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: istio, namespace: istio-system}, data: {mesh: '${defaults}'}}\n---`;
const entry = (namespace: string, port: number, protocol: string, more = ''): string => `
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: out, namespace: ${namespace}}, spec: {hosts: [api.example.com], ${more}location: MESH_EXTERNAL, resolution: DNS, ports: [{number: ${port}, name: a, protocol: ${protocol}}]}}
---`;
const rule = (namespace: string, host: string): string => `
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: v, namespace: ${namespace}}, spec: {hosts: [api.example.com], http: [{route: [{destination: {host: ${host}}}]}]}}
---`;
const OWN = 'defaultServiceExportTo: ["."]';

describe('objects that say nothing of who sees them', () => {
  it('clash where the mesh exports them to everybody', () => {
    const found = ids(mesh('defaultConfig: {}') + entry('app', 80, 'HTTP') + entry('gw', 80, 'TCP')).join();
    expect(found).toContain('EDGE112');
    expect(ids(mesh('{}') + rule('app', 'a.example.com') + rule('gw', 'b.example.com')).join()).toContain('EDGE208');
  });

  it('do not where the mesh exports them to their own namespaces', () => {
    const found = ids(mesh(OWN) + entry('app', 80, 'HTTP') + entry('gw', 80, 'TCP')).join();
    expect(found).not.toContain('EDGE112');
    const rules = rule('app', 'a.example.com') + rule('gw', 'b.example.com');
    expect(ids(mesh('defaultVirtualServiceExportTo: ["."]') + rules).join()).not.toContain('EDGE208');
  });

  it('clash again where one is exported all the same', () =>
    expect(ids(mesh(OWN) + entry('app', 80, 'HTTP', "exportTo: ['*'], ") + entry('gw', 80, 'TCP')).join()).toContain('EDGE112')); // prettier-ignore
});
