/** The Pods, Services and EndpointSlices that random meshes run on. */
import { GATEWAYS, type Thing, pick } from './vocabulary';

export const servicePorts = pick(
  [{ name: 'http', port: 80, targetPort: 8080 }],
  [
    { name: 'http', port: 8080, targetPort: 8080 },
    { name: 'tcp', port: 3306, targetPort: 3306 },
  ],
  [{ name: 'web', port: 80, targetPort: 8080 }],
  [
    { name: 'https', port: 443, targetPort: 8443 },
    { name: 'grpc', port: 9000, targetPort: 9000 },
  ],
  [
    { name: 'any', port: 9000, targetPort: 9000 },
    { name: 'http', port: 80, targetPort: 8080 },
  ],
);

function pod(name: string, owner: string, ip: string, labels: object, annotations: object = {}): Thing {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: owner, labels, annotations },
    spec: { serviceAccountName: name, containers: [{ name: 'app', image: 'none' }] },
    status: { podIP: ip },
  };
}

function service(
  name: string,
  owner: string,
  clusterIP: string,
  selector: object,
  ports: readonly object[],
  seenBy = '',
): Thing {
  const annotations = seenBy === '' ? {} : { 'networking.istio.io/exportTo': seenBy };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: owner, annotations },
    spec: { clusterIP, selector, ports },
  };
}

function slice(
  name: string,
  owner: string,
  target: { readonly name: string; readonly ip: string } | undefined,
  ports: readonly { name: string; targetPort: number }[],
): Thing {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType: 'IPv4',
    metadata: { name: `${name}-1`, namespace: owner, labels: { 'kubernetes.io/service-name': name } },
    endpoints:
      target === undefined
        ? []
        : [
            {
              addresses: [target.ip],
              conditions: { ready: true },
              targetRef: { kind: 'Pod', name: target.name, namespace: owner },
            },
          ],
    ports: ports.map((port) => ({ name: port.name, port: port.targetPort, protocol: 'TCP' })),
  };
}

interface Base {
  readonly mapped: boolean;
  readonly shopPorts: readonly { name: string; port: number; targetPort: number }[];
  readonly shopRuns: boolean;
  readonly shopSeenBy: string;
  readonly shopInMesh: boolean;
  readonly headless: readonly { name: string; port: number; targetPort: number }[];
}

export function base({ mapped, shopPorts, shopRuns, shopSeenBy, shopInMesh, headless }: Base): readonly Thing[] {
  const mesh = { 'security.istio.io/tlsMode': 'istio' };
  const gatewayPorts = [
    { name: 'http2', port: 80, targetPort: mapped ? 8080 : 80 },
    { name: 'https', port: 443, targetPort: mapped ? 8443 : 443 },
    { name: 'tcp', port: 3306, targetPort: 3306 },
    { name: 'tls-alt', port: 8443, targetPort: mapped ? 9443 : 8443 },
  ];
  return [
    pod('sleep', 'app', '10.244.1.10', { app: 'sleep', tier: 'front', ...mesh }),
    pod('other', 'app', '10.244.1.11', { app: 'other', ...mesh }),
    pod('sleep', 'web', '10.244.1.20', { app: 'sleep', ...mesh }),
    ...GATEWAYS.flatMap((one, index) => [
      pod(one.name, one.namespace, one.ip, one.labels, { 'inject.istio.io/templates': 'gateway' }),
      service(one.name, one.namespace, `10.96.0.${50 + index}`, { app: one.labels.app }, gatewayPorts),
      slice(one.name, one.namespace, one, gatewayPorts),
    ]),
    pod('shop', 'app', '10.244.1.30', { app: 'shop', ...(shopInMesh ? mesh : { 'sidecar.istio.io/inject': 'false' }) }),
    service('shop', 'app', '10.96.0.60', { app: 'shop' }, shopPorts, shopSeenBy),
    slice('shop', 'app', shopRuns ? { name: 'shop', ip: '10.244.1.30' } : undefined, shopPorts),
    pod('store', 'web', '10.244.1.40', { app: 'store', version: 'v1', ...mesh }),
    service('store', 'web', '10.96.0.61', { app: 'store' }, [{ name: 'http', port: 80, targetPort: 8080 }]),
    slice('store', 'web', { name: 'store', ip: '10.244.1.40' }, [{ name: 'http', targetPort: 8080 }]),
    pod('head', 'web', '10.244.1.50', { app: 'head', ...mesh }),
    service('head', 'web', 'None', { app: 'head' }, headless),
    slice('head', 'web', { name: 'head', ip: '10.244.1.50' }, headless),
  ];
}
