/** Rules that only real proxies, the real injector or the real scheduler show to be right. */
import * as path from 'node:path';
import { type KubeObject } from '../../lab/api';
import { readManifests } from '../../lab/manifests';
import { type Mesh } from '../mesh';
import { credential } from '../arrangements';
import { type ByLab, type Confirmations } from './confirmation';
import {
  accepted,
  asked,
  askedByProxy,
  askedForInjection,
  containers,
  greeted,
  hostsStored,
  fromOutside,
  portsLeftOut,
  proxyImage,
  rangesCaptured,
  refusedListener,
  scheduled,
  status,
} from './sights';
import { HTTP_API_BEHIND_TLS, IMPOSTOR_BEHIND_TLS, throughEgress } from './surroundings';

type World = NonNullable<ByLab['world']>;

/** The example without the workloads and Services, for which fixtures/rules.yaml has Pods. */
const asItIs: World = (example) =>
  example.filter(({ kind }) => !['Namespace', 'Pod', 'Deployment', 'Service'].includes(kind));

const withoutNamespaces: (example: readonly KubeObject[]) => readonly KubeObject[] = (example) =>
  example.filter(({ kind }) => kind !== 'Namespace');

/** The same about a host that the lab's internet has. */
const about = (host: string, example: readonly KubeObject[]): readonly KubeObject[] =>
  JSON.parse(JSON.stringify(example).replaceAll('api.example.com', host)) as readonly KubeObject[];

/** An example of another rule, which has what this one is about. */
const exampleOf = (of: string): readonly KubeObject[] =>
  readManifests([path.resolve(__dirname, '../../invalid', `${of}.yaml`)]);

/** The Secrets of the example with a certificate in them, made for this run. */
const withCertificates: World = (example, mesh) =>
  Promise.all(
    example
      .filter(({ kind }) => kind !== 'Deployment')
      .map((object) => {
        const { name, namespace } = object.metadata;
        return object.kind === 'Secret' ? credential(mesh, 'partner.example.com', name, namespace!) : object;
      }),
  );

/**
 * The proxy of the example, with its Secret, in an account that nobody had before: istiod remembers for a minute what an account may.
 */
let accounts = 0;
const inOwnAccount =
  (proxy: string, secret: string, namespace: string): World =>
  async (example, mesh) => {
    const made = await credential(mesh, 'partner.example.com', secret, namespace);
    const own = `"$1":"${proxy}-${++accounts}"`;
    const renamed = JSON.stringify(example).replace(new RegExp(`"(name|serviceAccountName)":"${proxy}"`, 'g'), own);
    return [
      ...(JSON.parse(renamed) as KubeObject[]).filter(({ kind }) => !['Namespace', 'Secret'].includes(kind)),
      made,
    ];
  };

const squid = async (mesh: Mesh): Promise<string> => (await mesh.lab.run('pod', { pod: 'external/squid' })).address;
/** The example about the proxy that runs in the lab. */
const withSquid: World = async (example, mesh) =>
  JSON.parse(
    JSON.stringify(example)
      .replaceAll('203.0.113.7', await squid(mesh))
      .replaceAll('"DNS"', '"NONE"'),
  ) as readonly KubeObject[];

/** While its Secret is missing, a listener may not be there, or be there and close each connection. */
const atIngress = asked(
  'legacy/plain',
  'https://www.example.com/',
  '-k',
  '--connect-to',
  '::ingress.istio-ingress:443',
);

/** A way to the Service `web` of the namespace `shop`, without which nobody looks at what is said of it. */
const TO_WEB: readonly KubeObject[] = [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'public', namespace: 'shop' },
    spec: { gatewayClassName: 'eg', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { parentRefs: [{ name: 'public' }], rules: [{ backendRefs: [{ name: 'web', port: 8443 }] }] },
  },
];

/** What is for the gateway `front` of fixtures/rules.yaml, for which istiod runs a Pod. */
const withoutGateways: World = (example) => example.filter(({ kind }) => kind !== 'Gateway');
const atFront = (url: string) => asked('legacy/plain', url, '--connect-to', '::front-istio.web:80');

export const BY_LAB: Confirmations = {
  'capture-excluded/ports-of-the-web': {
    by: 'lab',
    look: 'outbound ports that the injector tells istio-init to leave out',
    see: portsLeftOut,
    bad: '80,443',
    good: '5432',
  },
  'capture-excluded/nothing-included': {
    by: 'lab',
    look: 'addresses that the injector tells istio-init to capture',
    see: rangesCaptured,
    bad: 'none',
    good: '*',
  },
  'certificate-file-not-mounted/into-the-application': {
    by: 'lab',
    look: 'app/caller to http://partner.example.com/, TLS originated with a client certificate',
    see: asked('app/caller', 'http://partner.example.com/'),
    world: async (example, mesh) => [
      ...(JSON.parse(
        JSON.stringify(about('partner.example.com', withoutNamespaces(example))).replaceAll('"sleep"', '"caller"'),
      ) as readonly KubeObject[]),
      await credential(mesh, 'partner.example.com', 'partner', 'app'),
    ],
    bad: '503',
    good: '200',
  },
  'certificate-name-not-asked/sni-alone': {
    by: 'lab',
    look: 'app/sleep to http://api.example.com/, TLS originated to an impostor with a certificate of another name',
    see: asked('app/sleep', 'http://api.example.com/'),
    world: (example) => [...IMPOSTOR_BEHIND_TLS, ...example],
    bad: '200',
    good: '503',
  },
  'contradicting-injection/two-labels': {
    by: 'lab',
    look: 'containers of a Pod in the namespace',
    see: containers,
    bad: 'main',
    good: 'main, istio-proxy',
  },
  'credential-namespace/secret-beside-the-gateway-object': {
    by: 'lab',
    look: 'https://www.example.com/ at the gateway, which has no routes',
    see: async (...seen) => ((await atIngress(...seen)) === '404' ? '404' : 'no TLS session'),
    world: withCertificates,
    bad: 'no TLS session',
    good: '404',
  },
  ...Object.fromEntries(
    ['bound-to-the-group', 'get-alone'].map((name): [string, ByLab] => [
      `credential-not-readable/${name}`,
      {
        by: 'lab',
        look: 'https://www.example.com/ at the gateway, which has no routes',
        see: async (mesh, kind, example) => {
          const service = `::front-${accounts}.istio-ingress:443`;
          const look = asked('app/sleep', 'https://www.example.com/', '-k', '--connect-to', service);
          return (await look(mesh, kind, example)) === '404' ? '404' : 'no TLS session';
        },
        world: inOwnAccount('front', 'web', 'istio-ingress'),
        bad: 'no TLS session',
        good: '404',
      },
    ]),
  ),
  'credential-not-readable/of-a-sidecar': {
    by: 'lab',
    look: 'app/caller to http://partner.example.com/, TLS originated with a certificate of its own',
    see: (...seen) => asked(`app/caller-${accounts}`, 'http://partner.example.com/')(...seen),
    world: inOwnAccount('caller', 'client', 'app'),
    bad: '503',
    good: '200',
  },
  'duplicate-object/overwritten': {
    by: 'lab',
    look: 'hosts of the ServiceEntries that are stored when all have been applied',
    see: hostsStored,
    bad: 'www.example.com',
    good: 'api.example.com, www.example.com',
  },
  'egress-gateway-exposed/gateway-api': {
    by: 'lab',
    look: 'the Service that istiod makes for the gateway',
    see: fromOutside('out-istio.istio-egress', 'http://api.example.com/'),
    world: (example) => example,
    bad: 'a port of every node, and behind it 200 to whoever comes',
    good: 'no port of any node',
  },
  'egress-gateway-exposed/load-balancer': {
    by: 'lab',
    look: 'the Service of the gateway',
    see: fromOutside('way-out.istio-egress', 'https://api.example.com/'),
    world: (example) =>
      JSON.parse(
        JSON.stringify(example)
          .replaceAll('"edge":"way-out"', '"istio":"egress"')
          .replaceAll('"edge"', '"istio-egress"')
          .replaceAll('way-out.edge', 'way-out.istio-egress'),
      ) as readonly KubeObject[],
    bad: 'a port of every node, and behind it 200 to whoever comes',
    good: 'no port of any node',
  },
  'gateway-pod-not-injected/no-label': {
    by: 'lab',
    look: 'the image of the container istio-proxy',
    see: proxyImage,
    bad: 'auto, which is no image',
    good: 'one of a proxy',
  },
  'gateway-without-policy/open': {
    by: 'lab',
    look: 'shop/sleep to http://edition.cnn.com/, which was opened for the namespace app',
    see: asked('shop/sleep', 'http://edition.cnn.com/'),
    world: asItIs,
    bad: '200',
    good: '403',
  },
  'half-dedicated-nodes/toleration-only': {
    by: 'lab',
    look: 'where the gateway runs while the node that is kept for it is drained',
    see: scheduled,
    bad: 'on a node for everybody',
    good: 'nowhere',
  },
  'http-fields-on-tcp/hosts': {
    by: 'lab',
    look: 'app/sleep through the gateway to https://edition.cnn.com/, and in HTTP where the server reads it',
    see: (mesh, kind, example) =>
      asked('app/sleep', `${kind === 'bad' ? 'https' : 'http'}://edition.cnn.com/`, '-k')(mesh, kind, example),
    world: (example) => about('edition.cnn.com', [...example, ...throughEgress(example)]),
    bad: 'connection closed in the TLS handshake',
    good: '200',
  },
  'policy-selects-nothing/misspelt': {
    by: 'lab',
    look: 'shop/sleep to http://edition.cnn.com/, which the policy is to keep for the namespace app',
    see: asked('shop/sleep', 'http://edition.cnn.com/'),
    world: (example, mesh) => asItIs([...exampleOf('gateway-without-policy/open'), ...example], mesh),
    bad: '200',
    good: '403',
  },
  'principals-on-passthrough/namespaces': {
    by: 'lab',
    look: 'app/sleep through the gateway to https://edition.cnn.com/',
    see: asked('app/sleep', 'https://edition.cnn.com/', '-k'),
    world: (example) => about('edition.cnn.com', [...example, ...throughEgress(example)]),
    bad: 'connection closed in the TLS handshake',
    good: '200',
  },
  'proxy-declared-http/squid': {
    by: 'lab',
    look: 'app/sleep to https://edition.cnn.com/ by the proxy',
    see: askedByProxy('app/sleep', async (mesh) => `http://${await squid(mesh)}:3128`, 'https://edition.cnn.com/'),
    world: withSquid,
    bad: 'CONNECT 404',
    good: 'CONNECT 200, then 200',
  },
  'replacement-without-slash/prefix': {
    by: 'lab',
    look: 'legacy/plain to http://shop.example.com/docs/a, of a server that has no pages',
    see: atFront('http://shop.example.com/docs/a'),
    world: withoutGateways,
    bad: '400',
    good: '404',
  },
  'reserved-port/outbound': {
    by: 'lab',
    look: 'what the sidecar of app/sleep refuses',
    see: refusedListener,
    bad: "'0.0.0.0_15001' has duplicate address '0.0.0.0:15001'",
    good: 'nothing',
  },
  'san-mismatch/other-name': {
    by: 'lab',
    look: 'app/sleep to http://edition.cnn.com/, TLS originated',
    see: asked('app/sleep', 'http://edition.cnn.com/'),
    world: (example) => about('edition.cnn.com', [...HTTP_API_BEHIND_TLS, ...example]),
    bad: '503',
    good: '200',
  },
  'selector-on-gateway-api/labels-of-an-installed-gateway': {
    by: 'lab',
    look: 'legacy/plain to http://shop.example.com/admin at the gateway, which has no routes',
    see: atFront('http://shop.example.com/admin'),
    world: withoutGateways,
    bad: '404',
    good: '403',
  },
  'server-first-declared-tls/postgres': {
    by: 'lab',
    look: 'what app/sleep hears from a server that speaks first',
    see: greeted('app/sleep', '203.0.113.30:5432'),
    world: asItIs,
    bad: 'nothing',
    good: 'the greeting',
  },
  'sidecar-objects-in-ambient/sidecar': {
    by: 'lab',
    look: 'containers of a Pod in the namespace',
    see: containers,
    bad: 'main',
    good: 'main, istio-proxy',
  },
  'tls-not-verified/insecure': {
    by: 'lab',
    look: 'app/sleep to http://api.example.com/, TLS originated to an impostor with a certificate of another name',
    see: asked('app/sleep', 'http://api.example.com/'),
    world: (example) => [...IMPOSTOR_BEHIND_TLS, ...example],
    bad: '200',
    good: '503',
  },
  'workload-without-sidecar/refuses': {
    by: 'lab',
    look: 'containers of a Pod of the workload',
    see: containers,
    bad: 'sleep',
    good: 'sleep, istio-proxy',
  },
  'backend-not-found/port': {
    by: 'lab',
    look: 'what the controller says of the HTTPRoute',
    see: status('HTTPRoute', ['Accepted', 'ResolvedRefs']),
    bad: 'Accepted True: Accepted, ResolvedRefs False: PortNotFound',
    good: 'Accepted True: Accepted, ResolvedRefs True: ResolvedRefs',
  },
  'backend-not-found/service-of-a-gateway': {
    by: 'lab',
    look: 'what the controller says of the HTTPRoute',
    see: status('HTTPRoute', ['Accepted', 'ResolvedRefs'], 4),
    bad: 'Accepted True: Accepted, ResolvedRefs False: BackendNotFound',
    good: 'Accepted True: Accepted, ResolvedRefs True: ResolvedRefs',
  },
  'gateway-class-not-usable/class-misspelt': {
    by: 'lab',
    look: 'what the controller says of the Gateway',
    see: accepted('Gateway'),
    bad: 'nothing',
    good: 'Accepted True: Accepted',
  },
  'gateway-class-not-usable/of-another-namespace': {
    by: 'lab',
    look: 'what the controller says of the Gateway',
    see: accepted('Gateway'),
    bad: 'Accepted False: InvalidParameters',
    good: 'Accepted True: Accepted',
  },
  'gateway-class-not-usable/parameters-misspelt': {
    by: 'lab',
    look: 'what the controller says of the GatewayClass',
    see: accepted('GatewayClass'),
    bad: 'Accepted False: InvalidParameters',
    good: 'Accepted True: Accepted',
  },
  'backend-tls-port/two-policies': {
    by: 'lab',
    look: 'what the controller says of all BackendTLSPolicies',
    see: (mesh, kind, example) =>
      status('BackendTLSPolicy', ['Accepted'], 2, true)(mesh, kind, [...example, ...TO_WEB]),
    bad: 'Accepted False: Conflicted, Accepted True: Accepted',
    good: 'Accepted True: Accepted',
  },
  'backend-tls-port/number': {
    by: 'lab',
    look: 'what the controller says of the BackendTLSPolicy',
    see: status('BackendTLSPolicy', ['Accepted']),
    bad: 'Accepted False: TargetNotFound',
    good: 'Accepted True: Accepted',
  },
  'mesh-route-parent/no-such-entry': {
    by: 'lab',
    look: 'what the controller says of the HTTPRoute',
    see: status('HTTPRoute', ['Accepted']),
    bad: 'Accepted False: NoMatchingParent',
    good: 'Accepted True: Accepted',
  },
  'policy-target-not-found/misspelt': {
    by: 'lab',
    look: 'legacy/plain to http://shop.example.com/admin at the gateway, which has no routes',
    see: atFront('http://shop.example.com/admin'),
    world: withoutGateways,
    bad: '404',
    good: '403',
  },
  'policy-target-not-found/other-namespace': {
    by: 'lab',
    look: 'what the controller says of the SecurityPolicy',
    see: status('SecurityPolicy', ['Accepted']),
    bad: 'nothing',
    good: 'Accepted True: Accepted',
  },
  'reference-not-granted/backend': {
    by: 'lab',
    look: 'what the controller says of the HTTPRoute',
    see: status('HTTPRoute', ['Accepted', 'ResolvedRefs']),
    bad: 'Accepted True: Accepted, ResolvedRefs False: RefNotPermitted',
    good: 'Accepted True: Accepted, ResolvedRefs True: ResolvedRefs',
  },
  'route-not-attached/hostname': {
    by: 'lab',
    look: 'what the controller says of the HTTPRoute',
    see: status('HTTPRoute', ['Accepted']),
    bad: 'Accepted False: NoMatchingListenerHostname',
    good: 'Accepted True: Accepted',
  },
  'route-not-attached/namespace': {
    by: 'lab',
    look: 'what the controller says of the HTTPRoute',
    see: status('HTTPRoute', ['Accepted']),
    bad: 'Accepted False: NotAllowedByListeners',
    good: 'Accepted True: Accepted',
  },
  'route-not-attached/section': {
    by: 'lab',
    look: 'what the controller says of the HTTPRoute',
    see: status('HTTPRoute', ['Accepted']),
    bad: 'Accepted False: NoMatchingParent',
    good: 'Accepted True: Accepted',
  },
  'injection-not-on-pods/label-of-the-envoyproxy': {
    by: 'lab',
    look: 'whether the Pods that Envoy Gateway makes ask for a sidecar',
    see: askedForInjection,
    bad: 'no such label',
    good: 'the label',
  },
  'injection-not-on-pods/prepared-pods': {
    by: 'lab',
    look: 'containers of a Pod beside Envoy Gateway',
    see: containers,
    bad: 'main',
    good: 'main, istio-proxy',
  },
  'injection-not-on-pods/label-of-the-gateway': {
    by: 'lab',
    look: 'whether the Pods that Envoy Gateway makes ask for a sidecar',
    see: askedForInjection,
    bad: 'no such label',
    good: 'the label',
  },
};
