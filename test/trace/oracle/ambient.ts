/** Random meshes whose Services and entries are led through waypoints: what the others are made of, with what an ambient mesh adds. */
import fc from 'fast-check';
import { meshes } from './meshes';
import { type GeneratedMesh, maybe, pick, some, type Thing } from './vocabulary';

const GROUP = 'gateway.networking.k8s.io';
const GATEWAY_NAME = `${GROUP}/gateway-name`;
const USE = 'istio.io/use-waypoint';
/** By which istiod and the oracle know the Pods and Services of waypoints. */
export const MANAGED = 'gateway.istio.io/managed';
const OF_WAYPOINT = 'istio.io-mesh-controller';
const NAMESPACES = ['app', 'web', 'edge', 'istio-system'];

/** Each with its address. */
const WAYPOINTS = [
  { name: 'way', namespace: 'app', ip: '10.244.5.10' },
  { name: 'way', namespace: 'edge', ip: '10.244.5.11' },
] as const;

const asking = pick<Record<string, string>>(
  { [USE]: 'way' },
  { [USE]: 'way', [`${USE}-namespace`]: 'app' },
  { [USE]: 'way', [`${USE}-namespace`]: 'edge' },
  { [USE]: 'none' },
  { [USE]: 'absent' },
);

const gateway = fc.record({
  from: pick('All', 'All', 'Same'),
  traffic: pick(undefined, undefined, 'service', 'all', 'workload', 'none'),
});

function partsOf(
  at: (typeof WAYPOINTS)[number],
  { from, traffic }: { from: string; traffic: string | undefined },
): Thing[] {
  const { name, namespace, ip } = at;
  const labels = { [GATEWAY_NAME]: name, [MANAGED]: OF_WAYPOINT };
  const ports = [{ name: 'mesh', port: 15008, appProtocol: 'hbone' }];
  return [
    {
      apiVersion: `${GROUP}/v1`,
      kind: 'Gateway',
      metadata: { name, namespace, ...(traffic === undefined ? {} : { labels: { 'istio.io/waypoint-for': traffic } }) },
      spec: {
        gatewayClassName: 'istio-waypoint',
        listeners: [{ name: 'mesh', port: 15008, protocol: 'HBONE', allowedRoutes: { namespaces: { from } } }],
      },
      status: { addresses: [{ type: 'Hostname', value: `${name}.${namespace}.svc.cluster.local` }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels, annotations: {} },
      spec: { serviceAccountName: name, containers: [{ name: 'istio-proxy', image: 'none' }] },
      status: { podIP: ip },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace, labels },
      spec: { clusterIP: ip.replace('10.244', '10.96'), selector: { [GATEWAY_NAME]: name }, ports },
    },
  ];
}

const httpRoute = fc
  .record({
    parent: pick(
      { group: '', kind: 'Service', name: 'shop', namespace: 'app' },
      { group: '', kind: 'Service', name: 'store', namespace: 'web' },
      { group: '', kind: 'Service', name: 'shop', namespace: 'app', port: 80 },
      { group: 'networking.istio.io', kind: 'ServiceEntry', name: 'se0', namespace: 'app' },
    ),
    path: pick('/', '/v1', '/admin'),
    backend: pick(
      { name: 'shop', namespace: 'app', port: 80 },
      { name: 'store', namespace: 'web', port: 80 },
      { name: 'egw', namespace: 'edge', port: 80 },
    ),
  })
  .map(({ parent, path, backend }) => ({
    namespace: parent.namespace,
    spec: {
      parentRefs: [parent],
      rules: [{ matches: [{ path: { type: 'PathPrefix', value: path } }], backendRefs: [backend] }],
    },
  }));

/** Services and entries get labels in turn. */
function asked(thing: Thing, labels: readonly (Record<string, string> | undefined)[], at: number): Thing {
  const own = labels[at % Math.max(1, labels.length)];
  if (!['Service', 'ServiceEntry'].includes(thing.kind) || own === undefined) return thing;
  return { ...thing, metadata: { ...thing.metadata, labels: { ...(thing.metadata.labels as object), ...own } } };
}

export function ambientMeshes(requests: number): fc.Arbitrary<GeneratedMesh> {
  return fc
    .record({
      mesh: meshes(requests),
      waypoints: fc.tuple(gateway, gateway),
      namespaces: some(maybe(asking, 1, 2), 4, 4),
      labels: some(maybe(asking, 2, 1), 5, 5),
      routes: some(httpRoute, 0, 2),
    })
    .map(({ mesh, waypoints, namespaces, labels, routes }): GeneratedMesh => {
      const own = mesh.things.filter(({ kind }) => kind !== 'Namespace');
      return {
        ...mesh,
        things: [
          ...NAMESPACES.map((name, index): Thing => ({
            apiVersion: 'v1',
            kind: 'Namespace',
            metadata: { name, labels: { 'istio.io/dataplane-mode': 'ambient', ...namespaces[index] } },
          })),
          { apiVersion: `${GROUP}/v1`, kind: 'GatewayClass', metadata: { name: 'istio-waypoint' }, spec: { controllerName: 'istio.io/mesh-controller' } }, // prettier-ignore
          ...WAYPOINTS.flatMap((at, index) => partsOf(at, waypoints[index] ?? { from: 'All', traffic: undefined })),
          ...own.map((thing, index) => asked(thing, labels, index)),
          ...routes.map(({ namespace, spec }, index): Thing => ({
            apiVersion: `${GROUP}/v1`,
            kind: 'HTTPRoute',
            metadata: { name: `route${index}`, namespace },
            spec,
          })),
        ],
      };
    });
}
