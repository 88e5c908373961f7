/** Rules about NetworkPolicies, confirmed by the enforcer that the lab has, and about policies of who may call. */
import * as path from 'node:path';
import { type KubeObject } from '../../lab/api';
import { readManifests } from '../../lab/manifests';
import { type ByLab, type Confirmations } from './confirmation';
import { asked, becomesReady, resolved } from './sights';

type World = NonNullable<ByLab['world']>;

const only =
  (...kinds: readonly string[]) =>
  (all: readonly KubeObject[]) =>
    all.filter(({ kind }) => kinds.includes(kind));
const without =
  (...kinds: readonly string[]) =>
  (all: readonly KubeObject[]) =>
    all.filter(({ kind }) => !kinds.includes(kind));

/** Fixtures/rules.yaml has Pods for the workloads of the examples. */
const policies = only('NetworkPolicy');
const asItIs = without('Namespace', 'Deployment', 'Service', 'ServiceAccount', 'PodDisruptionBudget');

/** The same with other names. */
const renamed = (example: readonly KubeObject[], ...names: readonly (readonly [string, string])[]) =>
  JSON.parse(
    names.reduce((text, [from, to]) => text.replaceAll(from, to), JSON.stringify(example)),
  ) as readonly KubeObject[];

/** The way by the gateway that the rest of an example is about. */
const byTheGateway: World = (example) => [
  ...without('NetworkPolicy')(
    asItIs(
      readManifests([path.resolve(__dirname, '../../invalid/blocked-by-network-policy/gateway-not-allowed.yaml')]),
    ),
  ),
  ...policies(example),
];

/** What an example says of its own namespace and gateway, of those that are there. */
const inTheRoom: World = (example) => policies(renamed(example, ['"media"', '"app"'], ['egress-gw', 'egress']));

/** The same of a host that the lab's internet has, and of the account of app/sleep. */
const ledger: World = (example) =>
  asItIs(
    renamed(
      example,
      ['ledger.bank.example', 'edition.cnn.com'],
      ['finance', 'app'],
      ['sa/poster', 'sa/default'],
      ['egress-gw', 'egress'],
    ),
  );

const SERVES: readonly (readonly [string, string])[] = [['example/web', 'mccutchen/go-httpbin']];
const CALLER = 'payments/sleep';

const viaGateway = {
  by: 'lab',
  look: 'app/sleep to http://edition.cnn.com/, through the gateway',
  see: asked('app/sleep', 'http://edition.cnn.com/'),
  bad: 'no answer',
  good: '200',
} as const satisfies ByLab;

const byName = {
  by: 'lab',
  look: 'what app/sleep finds for the name edition.cnn.com',
  see: resolved('app/sleep', 'edition.cnn.com'),
  world: inTheRoom,
  bad: 'no address',
  good: 'an address',
} as const satisfies ByLab;

const newPod = {
  by: 'lab',
  look: 'a new Pod of the namespace',
  see: becomesReady('app'),
  world: inTheRoom,
  bad: 'its sidecar gets no answer from istiod',
  good: 'ready',
} as const satisfies ByLab;

/** What a new Pod meets, without its patience: istiod takes gRPC there, and says so to who asks for a page. */
const toIstiod = {
  by: 'lab',
  look: 'app/sleep to https://istiod.istio-system:15012/, which takes gRPC alone',
  see: asked('app/sleep', 'https://istiod.istio-system:15012/', '-k'),
  world: inTheRoom,
  bad: 'no answer',
  good: '415',
} as const satisfies ByLab;

const admitted = { ...viaGateway, world: ledger, bad: '403' } as const satisfies ByLab;

export const BY_NETWORK: Confirmations = {
  'blocked-by-network-policy/gateway-not-allowed': { ...viaGateway, world: asItIs },
  'egress-bypasses-gateway/held-by-a-network-policy': { ...viaGateway, world: asItIs },
  'gateway-cannot-leave/cluster-only': { ...viaGateway, world: byTheGateway },
  'policy-by-service-port/service-port': { ...viaGateway, world: byTheGateway },
  'policy-forgets-dns/no-53': byName,
  'policy-forgets-dns/own-pods-only': byName,
  'policy-forgets-dns/tcp-only': byName,
  'policy-forgets-istiod/no-15012': newPod,
  'policy-forgets-istiod/other-namespace': toIstiod,
  'policy-forgets-istiod/own-pods-only': toIstiod,
  'proxies-cannot-reach-controller/gateway-namespace': {
    by: 'lab',
    look: "a Pod with the labels of the Gateway's proxies to port 18000 of the controller, without a certificate",
    see: asked('shop/proxy', 'https://envoy-gateway.envoy-gateway-system:18000/', '-k'),
    world: (example) => [
      ...policies(example),
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: 'proxy',
          namespace: 'shop',
          labels: { 'app.kubernetes.io/component': 'proxy', 'sidecar.istio.io/inject': 'false' },
        },
        spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'proxy', image: 'example.com/none' }] },
      },
    ],
    bad: 'no answer',
    good: 'connection reset',
  },
  'caller-not-admitted/another-account': {
    by: 'lab',
    look: 'http://shop.example.com/ at the gateway, whose Pods run as the account default',
    see: asked('legacy/plain', 'http://shop.example.com/', '--connect-to', '::ingress.istio-ingress:80'),
    world: (example) =>
      without('Namespace')(
        renamed(
          example.filter(({ kind, metadata }) => kind !== 'Deployment' || metadata.name === 'web'),
          ['sa/default', 'sa/other'],
          ['sa/ingress', 'sa/default'],
          ...SERVES,
        ),
      ),
    bad: '403',
    good: '200',
  },
  'caller-not-admitted/at-an-egress-gateway': {
    by: 'lab',
    look: 'app/sleep, which runs as the account default, through the gateway to https://api.example.com/',
    see: asked('app/sleep', 'https://api.example.com/', '-k'),
    world: (example) => renamed(without('Namespace', 'Deployment', 'Service')(example), ['sa/sleep', 'sa/default']),
    bad: 'connection closed in the TLS handshake',
    good: '200',
  },
  'authorization-by-other-port/port-of-the-service': admitted,
  'principal-never-matches/principal-with-scheme': admitted,
  'policy-names-unknown-namespace/by-a-letter': {
    by: 'lab',
    look: `${CALLER} to http://web.shop:8080/`,
    see: asked(CALLER, 'http://web.shop:8080/'),
    world: (example) => [
      ...renamed(example, ...SERVES).filter(({ metadata }) => metadata.name !== 'shop'),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace: 'shop' },
        spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 8080 }] },
      },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'sleep', namespace: 'payments' },
        spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'sleep', image: 'curlimages/curl' }] },
      },
    ],
    bad: '403',
    good: '200',
  },
};
