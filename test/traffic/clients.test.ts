import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace/index';
import { clientClasses } from '../../src/traffic/clients';
import { nameClients } from '../../src/traffic/client-names';

const LOCKED = { outbound: 'REGISTRY_ONLY' } as const;
const service = (spec: string, exportTo = '["."]'): string => `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: api, namespace: shop }
spec:
  hosts: [api.example.com]
  resolution: DNS
  exportTo: ["*"]
  ports: [{ number: 80, name: http, protocol: HTTP }, { number: 443, name: tls, protocol: TLS }, { number: 5432, name: tcp, protocol: TCP }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: api, namespace: shop }
spec:
  hosts: [api.example.com]
  exportTo: ${exportTo}
${spec}
`;
const http = (match: string): string => `  http:
    - match: [${match}]
      fault: { abort: { httpStatus: 418, percentage: { value: 100 } } }
      route: [{ destination: { host: api.example.com } }]
    - route: [{ destination: { host: api.example.com } }]
`;
const policy = (from: string): string => `---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: web }
spec: { template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: web, ports: [{ containerPort: 80 }] }] } } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: web, namespace: web }
spec:
  action: ALLOW
  rules: [${from}]
`;

function changesOf(was: string, is: string): readonly string[] {
  return diff(loadText(was).manifests, loadText(is).manifests, { mesh: LOCKED }).changes.flatMap(({ effect, from }) =>
    from.map((one) => `${effect} ${one}`),
  );
}

describe('clients that only objects tell apart', () => {
  it.each([
    ['http, in its own namespace', '["."]', 'shop/app=wake'],
    ['http, where it is exported to', '[team]', 'team/app=wake'],
    ['http, everywhere', '["*"]', 'any other namespace/app=wake'],
  ])('are seen by sourceLabels: %s', (_, exportTo, who) => {
    const [was, is] = ['sleep', 'wake'].map((app) => service(http(`{ sourceLabels: { app: ${app} } }`), exportTo));
    expect(changesOf(was ?? '', is ?? '')).toContain(`narrowed ${who}`);
  });

  it.each([
    [
      'tls',
      '  tls:\n    - match: [{ port: 443, sniHosts: [api.example.com], SOURCE }]\n      route: [{ destination: { host: nowhere.example.com } }]\n',
    ],
    [
      'tcp',
      '  tcp:\n    - match: [{ port: 5432, SOURCE }]\n      route: [{ destination: { host: nowhere.example.com } }]\n',
    ],
  ])('are seen by sourceLabels and sourceNamespace of %s routes', (_, route) => {
    const of = (source: string): string => service(route.replace('SOURCE', source), '["*"]');
    expect(changesOf(of('sourceLabels: { app: a }'), of('sourceLabels: { app: b }')).join()).toMatch(/app=b/);
    expect(changesOf(of('sourceNamespace: a'), of('sourceNamespace: b')).join()).toMatch(/\bb\b/);
  });

  it('are seen where two selectors meet in one Pod', () => {
    const sidecar = (host: string): string => `---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: db, namespace: shop }
spec:
  workloadSelector: { labels: { tier: db } }
  egress: [{ hosts: ["${host}"] }]
`;
    const route = service(http('{ sourceLabels: { app: a } }'));
    const found = diff(
      loadText(route + sidecar('./nothing.example')).manifests,
      loadText(route + sidecar('./*')).manifests,
      {
        mesh: LOCKED,
      },
    ).changes;
    expect(found.map(({ effect, from, to }) => `${effect} ${from.join(' + ')} ${to}`)).toContain(
      'widened shop/tier=db http://api.example.com/',
    );
    const mesh = buildMesh(loadText(route + sidecar('./*')).manifests, {});
    const classes = clientClasses(mesh, mesh);
    expect(classes.map(({ request }) => request.labels)).toContainEqual({ app: 'a', tier: 'db' });
  });

  it.each([
    [
      'a principal',
      '{ principals: [cluster.local/ns/team/sa/a] }',
      '{ principals: [cluster.local/ns/team/sa/b] }',
      'widened team/serviceaccount=b',
    ],
    [
      'a principal of any namespace',
      '{ principals: ["*/sa/a"] }',
      '{ principals: ["*/sa/b"] }',
      'widened any other namespace/serviceaccount=b',
    ],
    [
      'a family of accounts',
      '{ principals: ["cluster.local/ns/team/sa/x*"] }',
      '{ principals: ["cluster.local/ns/team/sa/y*"] }',
      'widened team/serviceaccount=y*',
    ],
    ['a family of namespaces', '{ namespaces: ["old-*"] }', '{ namespaces: ["new-*"] }', 'widened new-any'],
    [
      'a notNamespaces',
      '{ namespaces: ["*"], notNamespaces: [a] }',
      '{ namespaces: ["*"], notNamespaces: [b] }',
      'widened a',
    ],
  ])('are seen by %s', (_, was, is, wanted) => {
    const of = (source: string): string => policy(`{ from: [{ source: ${source} }] }`);
    expect(changesOf(of(was), of(is))).toContain(wanted);
  });

  it('are seen by expressions of a NetworkPolicy', () => {
    const of = (value: string): string => `${policy('{}')}---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: web }
spec:
  podSelector: { matchLabels: { app: web } }
  policyTypes: [Ingress]
  ingress:
    - from: [{ namespaceSelector: {}, podSelector: { matchExpressions: [{ key: role, operator: In, values: [${value}] }] } }]
`;
    expect(changesOf(of('a'), of('b'))).toContain('widened any other namespace/role=b');
  });

  it('are followed in namespaces that a tool names later', () => {
    const of = (host: string): string =>
      service(http('{ sourceLabels: { app: a } }'))
        .replace(/shop/g, "'${team}'")
        .replace('hosts: [api.example.com]', `hosts: [${host}]`)
        .replace('["*"]', '["."]');
    expect(changesOf(of('api.example.com'), of('other.example.com')).join()).toMatch(/widened \$\{team\}/);
  });

  it('in ambient namespaces notice entries that are exported to others', () => {
    const ambient =
      '---\napiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }\n';
    const entry = (host: string): string => `${ambient}---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: db, namespace: data }
spec: { hosts: [${host}], resolution: DNS, exportTo: ["."], ports: [{ number: 5432, name: tcp, protocol: TCP }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: rest, namespace: shop }
spec: { podSelector: {}, policyTypes: [Egress], egress: [] }
`;
    const found = diff(loadText(entry('db.example.com')).manifests, loadText(entry('db2.example.com')).manifests);
    expect(found.summary.requestsCompared).toBeGreaterThan(0);
    expect(found.changes.flatMap(({ from }) => from)).toEqual(expect.arrayContaining(['shop']));
  });

  it('are named shortly: a label stands for those that have others beside it', () => {
    const mesh = buildMesh(
      loadText(service(http('{ sourceLabels: { app: a } }, { sourceLabels: { tier: b } }'))).manifests,
      {},
    );
    const all = clientClasses(mesh, mesh);
    const some = all.filter(({ request }) => request.labels?.app === 'a');
    expect(some).toHaveLength(2);
    expect(nameClients(some, all)).toEqual(['shop/app=a']);
  });
});

describe('hosts below .invalid', () => {
  it('are carriers of routes, and are told as no host of a change', () => {
    const of = (name: string): string =>
      service(http('{ sourceLabels: { app: a } }')).replaceAll('api.example.com', name);
    const found = diff(
      loadText(of('one.mesh-edge.invalid')).manifests,
      loadText(of('two.mesh-edge.invalid')).manifests,
      {
        mesh: LOCKED,
      },
    );
    expect(found.changes.map(({ to }) => to).filter((to) => to.includes('invalid'))).toEqual([]);
  });
});

describe('clients that a NetworkPolicy selects by labels which they lack', () => {
  const mesh = (spec: string): string => `${service('')}---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: pay, namespace: shop}, spec: {selector: {matchLabels: {app: pay}}, template: {metadata: {labels: {app: pay}}, spec: {containers: [{name: c}]}}}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: held, namespace: shop}, spec: {podSelector: {${spec}}, policyTypes: [Egress]}}
`;
  const rest = 'matchExpressions: [{key: app, operator: NotIn, values: [pay]}]';

  it.each([
    ['that have none', `${rest}, matchLabels: {tier: none}`, rest, 'shop'],
    ['that have others', rest, `${rest}, matchLabels: {tier: front}`, 'shop/tier=front'],
    ['that lack one alone', 'matchLabels: {tier: none}', 'matchExpressions: [{key: app, operator: DoesNotExist}]', 'shop'],
  ])('are followed where no manifest shows a Pod that it selects: those %s', (_, was, is, who) => {
    const classes = clientClasses(buildMesh(loadText(mesh(was)).manifests, LOCKED), buildMesh(loadText(mesh(is)).manifests, LOCKED)); // prettier-ignore
    const names = classes.flatMap(({ members }) => members.map(({ namespace, name }) => (name === null ? namespace : `${namespace}/${name}`))); // prettier-ignore
    expect(names).toContain(who);
  }); // prettier-ignore

  it('are not asked for where a Pod that is shown has what the selector asks for', () => {
    const all = mesh('matchExpressions: [{key: app, operator: NotIn, values: [web]}]');
    const classes = clientClasses(buildMesh(loadText(all).manifests), buildMesh(loadText(all).manifests));
    expect(classes.flatMap(({ members }) => members)).not.toContainEqual({ namespace: 'shop', name: null });
  });
});

describe('clients that no manifest shows', () => {
  const namespace = (name: string, label: string): string => `
---
apiVersion: v1
kind: Namespace
metadata: { name: ${name}, labels: { ${label} } }`;
  const mesh = (mode: string): string => `
---
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data: { mesh: "outboundTrafficPolicy: { mode: ${mode} }" }`;
  const changes = (namespaces: string): readonly string[] =>
    diff(loadText(namespaces + mesh('REGISTRY_ONLY')).manifests, loadText(namespaces + mesh('ALLOW_ANY')).manifests).changes.flatMap(({ from }) => from); // prettier-ignore
  const ambient = namespace('shop', 'istio.io/dataplane-mode: ambient');

  it('are in ambient mode where all that is shown is, and have sidecars else', () => {
    expect(changes(ambient)).toEqual([]);
    expect(changes(ambient + namespace('old', 'istio-injection: enabled'))).toContain('any other namespace');
    expect(changes(namespace('old', 'istio-injection: enabled'))).not.toEqual([]);
  });

  it('are enrolled by a label of their own', () => {
    const { manifests } = loadText(ambient);
    const kinds = (labels: Readonly<Record<string, string>>): readonly string[] =>
      trace(buildMesh(manifests), { from: 'else', request: 'http://any.example/', labels }).hops.map(({ proxy }) => proxy.kind); // prettier-ignore
    expect(kinds({ 'istio.io/dataplane-mode': 'ambient' })).toEqual(['ztunnel']);
    expect(kinds({ 'istio.io/dataplane-mode': 'ambient', 'sidecar.istio.io/inject': 'true' })).toEqual(['sidecar']);
    expect(kinds({})).toEqual(['sidecar']);
  });
});
