/** The few names that random meshes are made of, so that their objects meet. */
import fc from 'fast-check';

export interface Thing {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string } & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface Ask {
  readonly from: string;
  readonly scheme: 'http' | 'https' | 'tls' | 'tcp';
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** Of the client's TLS. @default the host */
  readonly sni?: string;
  /** With the query. */
  readonly path: string;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of a request from outside: the Gateway whose Pod `from` is. */
  readonly at?: string;
  /** The port that it then has on the Pod. */
  readonly podPort?: number;
}

export interface GeneratedMesh {
  readonly outbound: 'REGISTRY_ONLY' | 'ALLOW_ANY';
  /** What else the mesh's configuration says. */
  readonly config: object;
  readonly things: readonly Thing[];
  readonly asks: readonly Ask[];
}

const NAMESPACES = ['app', 'web', 'edge', 'istio-system'] as const;
export const HOSTS = ['api.example.com', 'www.example.com', 'example.com', 'db.partner.io', 'a.b.partner.io'] as const;
const WILD = ['*.example.com', '*.partner.io', '*.com', '*.b.partner.io'] as const;
const INSIDE = ['shop.app.svc.cluster.local', 'store.web.svc.cluster.local', 'head.web.svc.cluster.local'] as const;
export const GATEWAYS = [
  {
    namespace: 'edge',
    name: 'egw',
    ip: '10.244.2.10',
    labels: { istio: 'egressgateway', app: 'egw' },
    host: 'egw.edge.svc.cluster.local',
  },
  {
    namespace: 'istio-system',
    name: 'istio-egressgateway',
    ip: '10.244.3.10',
    labels: { istio: 'egressgateway', app: 'istio-egressgateway' },
    host: 'istio-egressgateway.istio-system.svc.cluster.local',
  },
] as const;

export const pick = <T>(...items: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...items);
export const maybe = <T>(arbitrary: fc.Arbitrary<T>, weight = 1, none = 1): fc.Arbitrary<T | undefined> =>
  fc.oneof({ arbitrary, weight }, { arbitrary: fc.constant(undefined), weight: none });
export const some = <T>(arbitrary: fc.Arbitrary<T>, min: number, max: number): fc.Arbitrary<T[]> =>
  fc.array(arbitrary, { minLength: min, maxLength: max });

export const namespace = pick(...NAMESPACES);
const outsideHost = fc.oneof({ arbitrary: pick(...HOSTS), weight: 4 }, { arbitrary: pick(...WILD), weight: 1 });
export const anyHost = fc.oneof({ arbitrary: outsideHost, weight: 5 }, { arbitrary: pick(...INSIDE), weight: 1 });
export const gatewayHost = pick(...GATEWAYS.map((gateway) => gateway.host));
export const exportTo = maybe(
  fc.oneof(
    pick(['*'], ['.'], ['app'], ['web', 'edge'], ['app', 'web'], ['.', 'edge'], ['edge', 'istio-system'], ['.', 'app']),
  ),
  1,
  2,
);

export function metadata(name: string, owner: string, age: number, extra: object = {}): Thing['metadata'] {
  return {
    name,
    namespace: owner,
    creationTimestamp: new Date(Date.UTC(2024, 0, 1) + age * 60_000).toISOString().replace('.000Z', 'Z'),
    ...extra,
  };
}
