/** Changes that reach a host by another name than its own: an alias, an address, an endpoint in the cluster, a further entry. */
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

const NAMESPACES = ['app', 'edge']
  .map(
    (name) => `\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: {istio-injection: enabled}}`,
  )
  .join('');
const entry = (name: string, spec: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: app}
spec: {${spec}}`;
const alias = (name: string, target: string): string => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: app}
spec: {type: ExternalName, externalName: ${target}}`;
const server = (name: string, clusterIP: string): string => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: edge}
spec: {clusterIP: ${clusterIP}, selector: {app: ${name}}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: edge, labels: {app: ${name}}}
spec: {containers: [{name: app, image: app}]}
status: {podIP: 10.20.0.5}`;
const deny = `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: none, namespace: edge}
spec: {}`;
const HTTP = 'ports: [{number: 80, name: http, protocol: HTTP}]';

function between(was: string, is: string): readonly string[] {
  const sides = [was, is].map((yaml) => loadText(NAMESPACES + yaml).manifests);
  const found = diff(sides[0]!, sides[1]!, { mesh: { outbound: 'REGISTRY_ONLY' } });
  expect(found.undecided).toEqual([]);
  return found.changes.map(({ effect, to }) => `${effect} ${to}`);
}

describe('a change is told of', () => {
  const stock = entry('stock', `hosts: [stock.example.org], resolution: DNS, ${HTTP}`);

  it('a Service that is another name of a host outside', () => {
    const full = 'stock.app.svc.cluster.local';
    expect(between(stock + alias('stock', 'stock.example.org'), stock)).toContain(`narrowed http://${full}/`);
    // By a chain of them, too.
    const chain = alias('first', 'stock.app.svc.cluster.local') + alias('stock', 'stock.example.org');
    const changed = between(stock + chain, stock + chain.replace('externalName: stock.example.org', 'externalName: none.example.org')); // prettier-ignore
    expect(changed).toContain('narrowed http://first.app.svc.cluster.local/');
  });

  it('an entry whose host has another name', () => {
    expect(between(stock + alias('stock', 'stock.example.org'), alias('stock', 'stock.example.org'))).toEqual(
      expect.arrayContaining(['narrowed http://stock.example.org/', 'narrowed http://stock.app.svc.cluster.local/']),
    );
  });

  it('the shorter names of a Service whose whole name a route takes', () => {
    const route = `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: stock, namespace: app}
spec: {hosts: [stock.app.svc.cluster.local], http: [{directResponse: {status: 403}}]}`;
    expect(between(stock + route + alias('stock', 'stock.example.org'), stock + route)).toContain('narrowed http://stock.app/'); // prettier-ignore
  });

  it('the shorter names of a Service that a policy tells apart by the Host', () => {
    const byHost = (hosts: string): string =>
      server('web', '10.96.4.4') +
      deny.replace('{}', `{action: DENY, rules: [{to: [{operation: {hosts: ${hosts}}}]}]}`);
    const full = 'web.edge.svc.cluster.local';
    const all = byHost(`[${full}, web.edge.svc, web.edge, web]`);
    expect([...new Set(between(all, byHost(`[${full}, web.edge.svc, web]`)))]).toEqual(['widened http://web.edge/']);
    // The name alone is for clients in its own namespace.
    expect([...new Set(between(all, byHost(`[${full}, web.edge.svc, web.edge]`)))]).toEqual(['widened http://web/']);
    expect(between(byHost('["web.edge*"]'), byHost('["web.e*"]'))).toEqual([]);
  });

  it('an address that is asked for as a host', () => {
    const at = (more: string): string => entry('metadata', `hosts: [metadata.example.org], resolution: NONE, ${HTTP}${more}`); // prettier-ignore
    expect(between(at(', addresses: [203.0.113.7]'), at(''))).toEqual(['narrowed http://203.0.113.7/']);
  });

  it('an endpoint that is a Service, by its name or its address', () => {
    for (const address of ['10.96.4.4', 'web.edge.svc.cluster.local', 'web.edge']) {
      const resolution = address.startsWith('1') ? 'STATIC' : 'DNS';
      const news = entry('news', `hosts: [news.example.com], resolution: ${resolution}, ${HTTP}, endpoints: [{address: ${address}}]`); // prettier-ignore
      const mesh = news + server('web', '10.96.4.4');
      expect([address, between(mesh, mesh + deny)]).toEqual([address, expect.arrayContaining(['narrowed http://news.example.com/'])]); // prettier-ignore
    }
  });

  it('an endpoint that is a Pod', () => {
    const news = entry('news', `hosts: [news.example.com], resolution: STATIC, ${HTTP.replace('HTTP}', 'HTTP, targetPort: 8080}')}, endpoints: [{address: 10.20.0.5}]`); // prettier-ignore
    const mesh = news + server('web', '10.96.4.4');
    expect(between(mesh, mesh + deny)).toContain('narrowed http://news.example.com/');
  });
});

it('a host that is written in several cases is told once', () => {
  const entry = (name: string, host: string): string => `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: shop}
spec: {hosts: [${host}], location: MESH_EXTERNAL, resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}
`;
  const told = (now: string): readonly string[] =>
    diff([], loadText(now).manifests, { mesh: { outbound: 'REGISTRY_ONLY' } })
      .changes.filter(({ effect }) => effect === 'widened')
      .map(({ to }) => to);
  expect(told(entry('one', 'api.example.com') + entry('two', 'Api.example.com'))).toEqual(['http://api.example.com/']);
});
