/** Gateways and waypoints that have another name than before: requests are the same, and what else changed is told as such. */
import { diff } from '../../src/diff/diff';
import type { Diff } from '../../src/diff/types';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace/index';

const object = (api: string, kind: string, namespace: string, name: string, spec: string, labels = '{}'): string =>
  `---\napiVersion: ${api}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: ${namespace}, labels: ${labels} }\nspec: ${spec}\n`;
const namespace = (name: string, labels: string): string =>
  `---\napiVersion: v1\nkind: Namespace\nmetadata: { name: ${name}, labels: ${labels} }\n`;
const workload = (name: string): string =>
  object('apps/v1', 'Deployment', 'shop', name, `{ selector: { matchLabels: { app: ${name} } }, template: { metadata: { labels: { app: ${name} } }, spec: { serviceAccountName: ${name}, containers: [{ name: a, image: a, ports: [{ containerPort: 8080 }] }] } } }`) +
  object('v1', 'Service', 'shop', name, `{ selector: { app: ${name} }, ports: [{ name: http, port: 80, targetPort: 8080 }] }`); // prettier-ignore
const policy = (spec: string): string => object('security.istio.io/v1', 'AuthorizationPolicy', 'shop', 'p', spec);

function between(was: string, is: string): Diff {
  const sides = [loadText(was).manifests, loadText(is).manifests] as const;
  const found = diff(...sides, { mesh: { outbound: 'REGISTRY_ONLY' } });
  // What is told does as it says where either side is traced by itself.
  for (const { request, was: before, is: after } of found.changes) {
    const alone = sides.map((side) => trace(buildMesh(side, { outbound: 'REGISTRY_ONLY' }), request).outcome);
    expect(alone).toEqual([before.outcome, after.outcome]);
  }
  return found;
}

function nothingBetween(was: string, is: string): void {
  const { changes, undecided, complete } = between(was, is);
  expect({ changes, undecided, complete }).toEqual({ changes: [], undecided: [], complete: true });
}

describe.each([
  ['whose Pods are shown', object('apps/v1', 'Deployment', 'edge', 'door', '{ selector: { matchLabels: { istio: door } }, template: { metadata: { labels: { istio: door }, annotations: { inject.istio.io/templates: gateway } }, spec: { containers: [{ name: istio-proxy, image: auto }] } } }')],
  ['whose Pods no manifest shows', ''],
])('a Gateway of Istio %s', (_how, pods) => {
  const mesh = namespace('shop', '{ istio-injection: enabled }') + workload('web') + workload('cart') + pods;
  const gateway = (name: string, hosts: string, at = 'edge'): string => object('networking.istio.io/v1', 'Gateway', at, name, `{ selector: { istio: door }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ${hosts} }] }`);
  const route = (gateways: string, hosts = '[shop.example.com]', rules = ''): string => object('networking.istio.io/v1', 'VirtualService', 'shop', 'public', `{ hosts: ${hosts}, gateways: ${gateways}, http: [${rules} { route: [{ destination: { host: web } }] }] }`);
  const was = mesh + gateway('public', '[shop.example.com]') + route('[edge/public]');

  it('is the same by another name, and in another namespace', () => {
    nothingBetween(was, mesh + gateway('front', '[shop.example.com]') + route('[edge/front]'));
    nothingBetween(was, mesh + gateway('front', '[shop.example.com]', 'shop') + route('[front]'));
  });

  it('is the same as two, or as one of two', () => {
    const one = mesh + gateway('public', '[a.example.com, b.example.com]') + route('[edge/public]', '[a.example.com, b.example.com]');
    const two = mesh + gateway('public', '[a.example.com]') + gateway('front', '[b.example.com]') + route('[edge/public, edge/front]', '[a.example.com, b.example.com]');
    nothingBetween(one, two);
    nothingBetween(two, one);
  });

  it('is told with what else changes', () => {
    const closed = mesh + gateway('front', '[shop.example.com]') + route('[edge/front]', undefined, '{ match: [{ uri: { prefix: /admin } }], directResponse: { status: 403 } },');
    expect(between(was, closed).changes).toMatchObject([{ effect: 'narrowed', to: 'http://shop.example.com/admin', from: ['outside, at edge/front (before: edge/public)'] }]);
    expect(between(closed, was).changes).toMatchObject([{ effect: 'widened', to: 'http://shop.example.com/admin' }]);
    const other = mesh + gateway('front', '[other.example.com]') + route('[edge/front]');
    expect(between(was, other).changes).toMatchObject([{ effect: 'narrowed', to: 'http://shop.example.com/' }]);
  });

  it('is told where the routes have the old name still', () => {
    expect(between(was, mesh + gateway('front', '[shop.example.com]') + route('[edge/public]')).changes).toMatchObject([{ effect: 'narrowed', to: 'http://shop.example.com/' }]);
  });

  it('is another where it has other Pods', () => {
    const others = mesh + gateway('front', '[shop.example.com]').replace('istio: door', 'istio: other') + route('[edge/front]');
    expect(between(was, others).changes.map(({ effect }) => effect).sort()).toEqual(['narrowed', 'widened']);
  });
}); // prettier-ignore

it('a request that enters by the name of Pods that no manifest shows names their Gateway', () => {
  const door = object('networking.istio.io/v1', 'Gateway', 'edge', 'public', '{ selector: { istio: ingressgateway }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }] }'); // prettier-ignore
  const told = trace(buildMesh(loadText(door).manifests), { from: 'outside', at: 'istio-system/istio-ingressgateway', request: 'http://a.example.com/' }); // prettier-ignore
  expect(told.noted).toContainEqual(expect.objectContaining({ kind: 'gateway-pods', gateway: 'edge/public' }));
});

describe('a waypoint', () => {
  const mesh = (uses: string): string =>
    namespace('shop', `{ istio.io/dataplane-mode: ambient, istio.io/use-waypoint: ${uses} }`) + workload('web') + workload('cart'); // prettier-ignore
  const waypoint = (name: string): string =>
    object('gateway.networking.k8s.io/v1', 'Gateway', 'shop', name, '{ gatewayClassName: istio-waypoint, listeners: [{ name: mesh, port: 15008, protocol: HBONE }] }'); // prettier-ignore
  const gets = (target: string): string => policy(`{ targetRefs: [${target}], rules: [{ to: [{ operation: { methods: [GET] } }] }] }`); // prettier-ignore
  const atService = gets('{ kind: Service, group: "", name: web }');
  const atGateway = (name: string): string =>
    gets(`{ kind: Gateway, group: gateway.networking.k8s.io, name: ${name} }`);

  it('is the same by another name', () => {
    nothingBetween(mesh('wp') + waypoint('wp'), mesh('point') + waypoint('point'));
    nothingBetween(mesh('wp') + waypoint('wp') + atService, mesh('point') + waypoint('point') + atService);
    nothingBetween(mesh('wp') + waypoint('wp') + atGateway('wp'), mesh('point') + waypoint('point') + atGateway('point')); // prettier-ignore
  });

  it('is told where a policy has the old name still, or who it is for', () => {
    const was = mesh('wp') + waypoint('wp') + atGateway('wp');
    const forgotten = between(was, mesh('point') + waypoint('point') + atGateway('wp')).changes;
    expect(forgotten.map(({ effect }) => effect)).toEqual(forgotten.map(() => 'widened'));
    expect(forgotten).not.toEqual([]);
    expect(between(was, mesh('wp') + waypoint('point') + atGateway('point')).changes).not.toEqual([]);
  });

  it('is told where a policy names its identity', () => {
    const pods = policy('{ selector: { matchLabels: { app: web } }, rules: [{ from: [{ source: { principals: ["cluster.local/ns/shop/sa/wp"] } }] }] }'); // prettier-ignore
    const found = between(mesh('wp') + waypoint('wp') + pods, mesh('point') + waypoint('point') + pods).changes;
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ effect }) => effect === 'narrowed')).toBe(true);
  });
});

describe('another name of', () => {
  const mesh = namespace('shop', '{ istio-injection: enabled }') + workload('web') + workload('cart');
  const ingress = (name: string, path = '/'): string =>
    object('networking.k8s.io/v1', 'Ingress', 'shop', name, `{ ingressClassName: istio, rules: [{ host: shop.example.com, http: { paths: [{ path: ${path}, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }] }`); // prettier-ignore

  it('an Ingress is none of its requests', () => {
    nothingBetween(mesh + ingress('web'), mesh + ingress('shop'));
    const [change, ...others] = between(mesh + ingress('web'), mesh + ingress('shop', '/cart')).changes;
    expect([change?.effect, change?.from, others]).toEqual(['narrowed', ['outside, at Ingress shop/shop (before: Ingress shop/web)'], []]); // prettier-ignore
  });

  it('a workload is none of who answers, unless it is another', () => {
    const renamed = (more: string): string =>
      mesh.replace('name: web, namespace: shop, labels: {} }\nspec: { selector: { matchLabels', 'name: website, namespace: shop, labels: {} }\nspec: { selector: { matchLabels').replace('serviceAccountName: web', `serviceAccountName: ${more}`); // prettier-ignore
    expect(renamed('web')).not.toBe(mesh);
    nothingBetween(mesh, renamed('web'));
    expect(between(mesh, renamed('website')).changes).not.toEqual([]);
  });
});
