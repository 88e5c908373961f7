/** Rules that another test of the real mesh confirms, and those that nothing real can be asked about. */
import { type Confirmations } from './confirmation';

const removed = (test: string) => ({ by: 'test', file: 'ingress-removed.test.ts', test }) as const;
const login = (test: string) => ({ by: 'test', file: 'login.test.ts', test }) as const;
const reason = (text: string) => ({ by: 'reason', reason: text }) as const;

const limits = (test: string) => ({ by: 'test', file: 'limits.test.ts', test }) as const;
const UNREACHED = 'has a rate-limit service that is never ready, and limits nothing';
const RETURN = 'ends in 404, with nobody logged in, after a redirect';
const STRANGE = 'written in, the sidecar knows no such host either: 502';

export const BY_OTHER_MEANS: Confirmations = {
  'envoy-gateway-in-mesh/captures-inbound': removed(
    'without includeInboundPorts "", the sidecar takes what clients send, and resets it',
  ),
  'envoy-gateway-in-mesh/dials-pods': removed(
    "without routingType Service, the proxy dials a Pod's address, which the sidecar does not know: 503",
  ),
  'host-kept-through-sidecar/no-rewrite': removed('without the host written anew, the sidecar knows no such host: 502'),
  'xds-port-protocol/grpc': removed(
    'without appProtocol tls on 18000, a new proxy gets no configuration and is never ready',
  ),
  'assumed-objects': reason('it says what no manifest shows, and judges nothing'),
  'release-not-modelled': reason('which releases are known here is our own'),
  'releases-disagree': reason('it says what the manifests say'),
  'setting-needs-newer-release': reason('it says what an older release does not read, by its sources'),
  'request-refused': reason('it says what trace says, which is compared with istiod above'),
  'single-gateway-replica/one': reason('that one pod is one is not to be refuted; faults.test.ts shows the outage'),
  'suppression-without-reason': reason('suppressions are our own'),
  'unreadable-document/tab-in-yaml': reason('what is no YAML never reaches an API server'),
  'unrendered-values/flux': reason('what is not rendered yet never reaches an API server'),
  'world-not-built': reason('it says what was left out'),
  'unused-suppression': reason('suppressions are our own'),
  'oidc-provider-out-of-reach/entry-of-another-namespace': {
    by: 'test',
    file: 'ingress.test.ts',
    test: 'can fetch no token once the provider is not registered',
  },
  'backend-tls-in-mesh/both-have-sidecars': removed(
    'with TLS of its own to a Service of the mesh, the sidecar finds no HTTP where it is declared: 503',
  ),
  'host-kept-through-sidecar/another-public-name': removed(STRANGE),
  'host-kept-through-sidecar/name-of-another-service': removed(STRANGE),
  'oidc-cookies-shared/one-parent-domain': login('with cookies of one name, each login ends the session of the other'),
  'oidc-path-outside-route/another-host': login(RETURN),
  'oidc-path-outside-route/callback-elsewhere': login(RETURN),
  'oidc-path-outside-route/callback-of-another-route': reason(
    'which route takes a path is compared with real proxies for trace, which is asked here; what becomes of a way back that comes to another route is seen of callback-elsewhere',
  ),
  'oidc-path-outside-route/logout-elsewhere': login(
    'a logout on a path that no route with the policy has is 404, and ends no session',
  ),
  'proxy-declared-http/named-by-a-variable': reason(
    'squid.yaml shows what a proxy declared HTTP answers, however it is known for one',
  ),
  'rate-limit-service-missing/named-http': {
    by: 'test',
    file: 'ingress.test.ts',
    test: 'limits nothing globally where the rate-limit service lacks its appProtocol',
  },
  'rate-limit-service-missing/dialled-by-pod': reason(
    'seen with Envoy Gateway 1.9.1 in the lab: limits nothing globally where sidecars know no Pods of the rate-limit service (ingress.test.ts)',
  ),
  'rate-limit-service-missing/no-such-service': limits(UNREACHED),
  'rate-limit-service-missing/not-configured': limits(
    'without rateLimit.backend, the policy is refused, and every request that it covers is answered with 500',
  ),
  'rate-limit-service-missing/other-port': limits(UNREACHED),
  'rate-limit-service-missing/redis-takes-mutual-tls-only': limits(
    'where Redis takes mutual TLS only, a rate-limit service without a sidecar is never ready, and nothing is limited',
  ),
  'registry-only-in-ambient/no-policy': {
    by: 'test',
    file: 'ambient-egress.test.ts',
    test: 'tells ztunnels the same with REGISTRY_ONLY as with ALLOW_ANY, which only sidecars tell apart',
  },
  'routing-type-ignored': reason(
    "read in Envoy Gateway 1.7's source: a headless Service is routed to by its endpoints, and the policy's field is marked as not implemented",
  ),
  'sidecar-imports-nothing/port-of-pods': {
    by: 'request',
    ask: { from: 'app/sleep', url: 'http://web.shop.svc.cluster.local/' },
    bad: 'app/sleep: BlackHoleCluster',
    good: 'app/sleep: outbound|80||web.shop.svc.cluster.local, which has no endpoint',
  },
  'sidecar-imports-nothing/short-name': {
    by: 'request',
    ask: { from: 'app/sleep', url: 'http://web.shop.svc.cluster.local/' },
    bad: 'app/sleep: BlackHoleCluster',
    good: 'app/sleep: outbound|80||web.shop.svc.cluster.local, which has no endpoint',
  },
};
