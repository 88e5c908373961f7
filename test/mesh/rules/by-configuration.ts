/** Rules that what istiod sends to a proxy shows to be right. */
import { type OracleConfig } from '../../trace/oracle/process';
import { type Confirmations } from './confirmation';
import { COLLECTOR, HTTP_API, PLAIN_INGRESS } from './surroundings';

interface Cluster {
  readonly name: string;
  readonly transportSocket?: object;
}

/** The clusters of a host, each with whether it speaks TLS. */
const clustersOf =
  (host: string) =>
  ({ clusters }: OracleConfig): string =>
    ((clusters ?? []) as readonly Cluster[])
      .filter(({ name }) => name.endsWith(`|${host}`))
      .map(({ name, transportSocket }) => `${name} ${transportSocket ? 'in TLS' : 'in plain text'}`)
      .sort()
      .join(', ');

interface Filter {
  readonly name: string;
  readonly typedConfig?: { readonly httpFilters?: readonly Filter[] };
}

interface Listener {
  readonly name: string;
  readonly accessLog?: readonly object[];
  readonly filterChains?: readonly { readonly filters?: readonly Filter[] }[];
}

const listeners = (sent: OracleConfig): readonly Listener[] => (sent.listeners ?? []) as readonly Listener[];

/** The HTTP filters of the outbound listener on port 80 that EnvoyFilters have put there. */
function filtersAdded(sent: OracleConfig): string {
  const onPort80 = listeners(sent).filter(({ name }) => name.endsWith('_80'));
  const filters = onPort80.flatMap(({ filterChains = [] }) => filterChains).flatMap((chain) => chain.filters ?? []);
  const http = filters.flatMap(({ typedConfig }) => typedConfig?.httpFilters ?? []).map(({ name }) => name);
  return http.filter((name) => name.startsWith('example.')).join(', ');
}

/** Whether a sidecar reads requests on a port outside, or lets bytes pass. */
const readOn =
  (port: number) =>
  (sent: OracleConfig): string => {
    const chains = listeners(sent).flatMap(({ name, filterChains = [] }) =>
      name.endsWith(`_${port}`) ? filterChains : [],
    );
    const filters = chains.flatMap((chain) => chain.filters ?? []).map(({ name }) => name);
    return filters.includes('envoy.filters.network.http_connection_manager') ? 'requests' : 'bytes';
  };

/** Whether a proxy reads tokens at all. */
const readsTokens = (sent: OracleConfig): string =>
  JSON.stringify(listeners(sent)).includes('"name":"envoy.filters.http.jwt_authn"')
    ? 'tokens are read'
    : 'no token is read';

/** What a proxy matches of paths, and puts in the place of it. */
function rewritten({ routes = [] }: OracleConfig): string {
  const text = JSON.stringify(routes);
  const found = [...text.matchAll(/"match":{"(?:prefix|path)":"([^"]+)"[^}]*}.*?"prefixRewrite":"([^"]+)"/g)];
  return found.map(([, match, by]) => `${match} by ${by}`).join(', ');
}

interface Chain {
  readonly filterChainMatch?: { readonly destinationPort?: number; readonly transportProtocol?: string };
}

/** Whether plain text has a filter chain of its own on an inbound port. */
const plainTextOn =
  (port: number) =>
  (sent: OracleConfig): string => {
    const chains = listeners(sent).flatMap(({ name, filterChains = [] }) =>
      name === 'virtualInbound' ? (filterChains as readonly Chain[]) : [],
    );
    const own = chains.filter(({ filterChainMatch: match }) => match?.destinationPort === port);
    const isTaken = own.some(({ filterChainMatch: match }) => match?.transportProtocol === 'raw_buffer');
    return isTaken ? 'plain text is taken' : 'mutual TLS only';
  };

const accessLogs = (sent: OracleConfig): string =>
  listeners(sent)
    .map(({ name, accessLog = [] }) => `${name}: ${accessLog.length}`)
    .join(', ');

interface Assignment {
  readonly endpoints?: readonly {
    readonly lbEndpoints: readonly {
      readonly endpoint: { readonly address: { readonly socketAddress: { readonly address: string } } };
    }[];
  }[];
}

/** What a host's clusters ask DNS for. */
const resolvedFor =
  (host: string) =>
  ({ clusters }: OracleConfig): string =>
    ((clusters ?? []) as readonly (Cluster & { readonly loadAssignment?: Assignment })[])
      .filter(({ name }) => name.endsWith(`|${host}`))
      .flatMap(({ loadAssignment }) => loadAssignment?.endpoints ?? [])
      .flatMap(({ lbEndpoints }) => lbEndpoints.map(({ endpoint }) => endpoint.address.socketAddress.address))
      .join(', ');

/** The clusters that requests are mirrored to, and whether there are any such. */
function mirrored({ clusters = [], routes = [] }: OracleConfig): string {
  const names = (clusters as readonly Cluster[]).map(({ name }) => name);
  const policies = [...JSON.stringify(routes).matchAll(/"requestMirrorPolicies":\[{"cluster":"([^"]+)"/g)];
  return policies.map(([, to = '']) => (names.includes(to) ? to : `${to}, which does not exist`)).join(', ');
}

/** The name that a host's clusters ask for in TLS, and those that they take. */
const askedAndTaken =
  (host: string) =>
  ({ clusters }: OracleConfig): string => {
    const text = JSON.stringify((clusters ?? []).filter((one) => (one as Cluster).name.endsWith(`|${host}`)));
    const taken = [...text.matchAll(/"matchSubjectAltNames":\[{"exact":"([^"]+)"/g)].map(([, name]) => name);
    return `${/"sni":"([^"]+)"/.exec(text)?.[1]}, and takes ${[...new Set(taken)].join(', ')}`;
  };

export const BY_CONFIGURATION: Confirmations = {
  'backend-not-found/mirror': {
    by: 'configuration',
    of: 'app/sleep',
    look: 'the cluster to which requests for the Service shop are mirrored',
    at: mirrored,
    bad: 'outbound|8080||shop.shop.svc.cluster.local, which does not exist',
    good: 'outbound|8000||shop.shop.svc.cluster.local',
  },
  'claims-without-authentication/policy-on-the-application': {
    by: 'configuration',
    of: 'istio-ingress/ingressgateway',
    look: 'whether requests come with claims',
    at: readsTokens,
    bad: 'no token is read',
    good: 'tokens are read',
  },
  'claims-without-authentication/policy-of-tokens': {
    by: 'configuration',
    of: 'shop/web',
    look: 'whether requests come with claims',
    at: readsTokens,
    bad: 'no token is read',
    good: 'tokens are read',
  },
  'destination-rule-split/two-policies': {
    by: 'configuration',
    of: 'app/sleep',
    look: 'the clusters of api.example.com',
    at: clustersOf('api.example.com'),
    beside: HTTP_API,
    bad: 'outbound|80||api.example.com in TLS',
    good: 'outbound|80|plain|api.example.com in TLS, outbound|80||api.example.com in TLS',
  },
  'envoy-filter-order/before-its-anchor': {
    by: 'configuration',
    of: 'app/sleep',
    look: 'the filters that were added, in their order',
    at: filtersAdded,
    beside: HTTP_API,
    bad: 'example.sign',
    good: 'example.audit, example.sign',
  },
  'hosts-share-endpoints/name-of-one': {
    by: 'configuration',
    of: 'app/sleep',
    look: 'the name that is resolved for files.example.org',
    at: resolvedFor('files.example.org'),
    bad: 'api.example.com',
    good: 'files.example.org',
  },
  'http-to-https-port/behind-a-gateway': {
    by: 'configuration',
    of: 'app/sleep',
    look: 'what it reads on port 8080',
    at: readOn(8080),
    bad: 'bytes',
    good: 'requests',
  },
  'port-mtls-without-port/service-port': {
    by: 'configuration',
    of: 'bank/ledger',
    look: 'what the port of the pod, 9000, takes',
    at: plainTextOn(9000),
    bad: 'mutual TLS only',
    good: 'plain text is taken',
  },
  'san-mismatch/sni-of-another-name': {
    by: 'configuration',
    of: 'app/sleep',
    look: 'the name that the cluster of api.example.com asks for',
    at: askedAndTaken('api.example.com'),
    beside: HTTP_API,
    bad: 'www.example.com, and takes api.example.com',
    good: 'api.example.com, and takes api.example.com',
  },
  'several-telemetries/two-general': {
    by: 'configuration',
    of: 'app/sleep',
    look: 'access logs of each listener',
    at: accessLogs,
    bad: 'virtualOutbound: 0, virtualInbound: 0',
    good: 'virtualOutbound: 1, virtualInbound: 1',
  },
  'telemetry-provider-unknown/not-in-the-mesh': {
    by: 'configuration',
    of: 'app/sleep',
    look: 'access logs of each listener',
    at: accessLogs,
    beside: COLLECTOR,
    bad: '0.0.0.0_4317: 0, virtualOutbound: 0, virtualInbound: 0',
    good: '0.0.0.0_4317: 0, virtualOutbound: 1, virtualInbound: 1',
  },
  'envoy-filter-ignored/add-to-routes': {
    by: 'configuration',
    of: 'istio-ingress/ingress',
    look: 'whether its routes take the header away',
    at: ({ routes }) => (JSON.stringify(routes).includes('x-internal') ? 'it is taken away' : 'it stays'),
    beside: PLAIN_INGRESS,
    bad: 'it stays',
    good: 'it is taken away',
  },
  'envoy-filter-ignored/other-context': {
    by: 'configuration',
    of: 'istio-ingress/ingress',
    look: 'whether its routes take the header away',
    at: ({ routes }) => (JSON.stringify(routes).includes('x-internal') ? 'it is taken away' : 'it stays'),
    beside: PLAIN_INGRESS,
    bad: 'it stays',
    good: 'it is taken away',
  },
  'unknown-destination/mirror': {
    by: 'configuration',
    of: 'app/sleep',
    look: 'the cluster to which requests for the Service shop are mirrored',
    at: mirrored,
    bad: 'outbound|8080||recorder.app.svc.cluster.local, which does not exist',
    good: 'outbound|8080||shop.app.svc.cluster.local',
  },
  'rewrite-joins-paths/doubled': {
    by: 'configuration',
    of: 'istio-ingress/ingressgateway',
    look: 'what is put in the place of what is matched of a path',
    at: rewritten,
    bad: '/api by /',
    good: '/api/ by /, /api by /',
  },
  'rewrite-joins-paths/lost': {
    by: 'configuration',
    of: 'istio-ingress/ingressgateway',
    look: 'what is put in the place of what is matched of a path',
    at: rewritten,
    bad: '/api/ by /v1',
    good: '/api/ by /v1/',
  },
};
