/**
 * The worlds of the tests of Envoy Gateway's own translator: what each is given, as manifests, and what the translator makes of it. They are read from
 * the Go module cache; what the tests add to every world (TestTranslate of internal/gatewayapi/translator_test.go) is added here.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseDocument } from 'yaml';
import { moduleFiles } from '../../scripts/go-modules';
import { record, records, text, type Json } from '../../src/model/fields';
import { COMPONENTS } from '../../src/model/releases';
import type { Ir } from './ir';

export interface TranslatedWorld {
  readonly name: string;
  /** `1.9`. */
  readonly release: string;
  readonly objects: readonly Json[];
  /** What each set of proxies is given, by `namespace/name` of the Gateway or by the class where Gateways share them. */
  readonly made: Readonly<Record<string, Ir>>;
}

/** The class that the translator of the tests is for. */
const CLASS = 'envoy-gateway-class';

/** Kinds by the field that holds them, in lower case as the tests read them. */
const KINDS: Readonly<Record<string, readonly [string, string]>> = {
  backendtlspolicies: ['gateway.networking.k8s.io/v1', 'BackendTLSPolicy'],
  backendtrafficpolicies: ['gateway.envoyproxy.io/v1alpha1', 'BackendTrafficPolicy'],
  backends: ['gateway.envoyproxy.io/v1alpha1', 'Backend'],
  clienttrafficpolicies: ['gateway.envoyproxy.io/v1alpha1', 'ClientTrafficPolicy'],
  clustertrustbundles: ['certificates.k8s.io/v1beta1', 'ClusterTrustBundle'],
  configmaps: ['v1', 'ConfigMap'],
  endpointslices: ['discovery.k8s.io/v1', 'EndpointSlice'],
  envoyextensionpolicies: ['gateway.envoyproxy.io/v1alpha1', 'EnvoyExtensionPolicy'],
  envoypatchpolicies: ['gateway.envoyproxy.io/v1alpha1', 'EnvoyPatchPolicy'],
  envoyproxiesforgateways: ['gateway.envoyproxy.io/v1alpha1', 'EnvoyProxy'],
  envoyproxyforgatewayclass: ['gateway.envoyproxy.io/v1alpha1', 'EnvoyProxy'],
  gatewayclass: ['gateway.networking.k8s.io/v1', 'GatewayClass'],
  gateways: ['gateway.networking.k8s.io/v1', 'Gateway'],
  grpcroutes: ['gateway.networking.k8s.io/v1', 'GRPCRoute'],
  httpfilters: ['gateway.envoyproxy.io/v1alpha1', 'HTTPRouteFilter'],
  httproutes: ['gateway.networking.k8s.io/v1', 'HTTPRoute'],
  listenersets: ['gateway.networking.k8s.io/v1', 'ListenerSet'],
  namespaces: ['v1', 'Namespace'],
  referencegrants: ['gateway.networking.k8s.io/v1beta1', 'ReferenceGrant'],
  secrets: ['v1', 'Secret'],
  securitypolicies: ['gateway.envoyproxy.io/v1alpha1', 'SecurityPolicy'],
  serviceimports: ['multicluster.x-k8s.io/v1alpha1', 'ServiceImport'],
  services: ['v1', 'Service'],
  tcproutes: ['gateway.networking.k8s.io/v1alpha2', 'TCPRoute'],
  tlsroutes: ['gateway.networking.k8s.io/v1', 'TLSRoute'],
  udproutes: ['gateway.networking.k8s.io/v1alpha2', 'UDPRoute'],
  xlistenersets: ['gateway.networking.x-k8s.io/v1alpha1', 'XListenerSet'],
};

/** What the tests set otherwise for some worlds. */
const WITHOUT_BACKENDS = 'backend-invalid-feature-disabled';
const WITHOUT_LUA = 'envoyextensionpolicy-lua-feature-disabled';
const WITHOUT_PATCHES = 'envoypatchpolicy-invalid-feature-disabled';

const service = (
  namespace: string,
  name: string,
  clusterIP: string,
  ports: Readonly<Record<string, number>>,
): Json => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace, name },
  spec: { clusterIP, ports: Object.entries(ports).map(([of, port]) => ({ name: of, port, protocol: of === 'udp' ? 'UDP' : 'TCP' })) }, // prettier-ignore
});

const slice = (namespace: string, of: string, address: string, ports: Readonly<Record<string, number>>): Json => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace, name: `slice-of-${of}`, labels: { 'kubernetes.io/service-name': of } },
  addressType: 'IPv4',
  ports: Object.entries(ports).map(([name, port]) => ({ name, port, protocol: name === 'udp' ? 'UDP' : 'TCP' })),
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
});

const PORTS = { http: 8080, https: 8443, tcp: 8163, udp: 8162 };
const COLLECTOR = { grpc: 4317, zipkin: 9411 };

const ADDED: readonly Json[] = [
  ...[1, 2, 3, 4].flatMap((at) => [
    service('default', `service-${at}`, '1.1.1.1', PORTS),
    slice('default', `service-${at}`, '7.7.7.7', PORTS),
  ]),
  service('default', 'mirror-service', '2.2.2.2', { http: 8080 }),
  slice('default', 'mirror-service', '7.6.5.4', { http: 8080 }),
  service('monitoring', 'otel-collector', '3.3.3.3', COLLECTOR),
  slice('monitoring', 'otel-collector', '8.7.6.5', COLLECTOR),
  ...['envoy-gateway', 'default'].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
];

function installation(name: string, input: Json): Json {
  return {
    apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    kind: 'EnvoyGateway',
    metadata: { name: 'envoy-gateway', namespace: 'envoy-gateway-system' },
    gateway: { controllerName: 'gateway.envoyproxy.io/gatewayclass-controller' },
    provider: {
      type: 'Kubernetes',
      ...(name.startsWith('gateway-namespace-mode') ? { kubernetes: { deploy: { type: 'GatewayNamespace' } } } : {}),
    },
    rateLimit: { backend: { type: 'Redis', redis: { url: 'redis.redis-system.svc.cluster.local:6379' } } },
    gatewayAPI: { enabled: ['XListenerSet'] },
    extensionApis: {
      enableBackend: name !== WITHOUT_BACKENDS,
      enableEnvoyPatchPolicy: name !== WITHOUT_PATCHES,
      disableLua: name === WITHOUT_LUA,
    },
    ...(input.envoyproxydefaultspec === undefined ? {} : { envoyProxy: input.envoyproxydefaultspec }),
  };
}

function gatewayClass(input: Json): Json {
  const proxy = record(record(input.envoyproxyforgatewayclass).metadata);
  const given = record(input.gatewayclass);
  const parametersRef = { group: 'gateway.envoyproxy.io', kind: 'EnvoyProxy', namespace: text(proxy.namespace) || 'default', name: text(proxy.name) }; // prettier-ignore
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { ...record(given.metadata), name: CLASS },
    spec: {
      controllerName: 'gateway.envoyproxy.io/gatewayclass-controller',
      ...(input.envoyproxyforgatewayclass === undefined ? {} : { parametersRef }),
    },
  };
}

/** Names of fields as Go's reader takes them, whatever case their first letter has; and numbers where texts are wanted. */
function asGoReads(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => asGoReads(one));
  if (typeof value === 'number' && key === 'value') return String(value);
  if (value === null || typeof value !== 'object' || /^(?:data|labels|annotations|stringData)$/.test(key)) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== null);
  return Object.fromEntries(entries.map(([name, one]) => [name === 'backoff' ? 'backOff' : name.replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase()), asGoReads(one, name)])); // prettier-ignore
}

function objectsOf(name: string, given: Json, base: Json): readonly Json[] {
  const input = Object.fromEntries(Object.entries(given).map(([key, value]) => [key.toLowerCase(), value]));
  const found: Json[] = [];
  for (const [key, value] of Object.entries(input)) {
    const [apiVersion, kind] = KINDS[key] ?? [];
    if (key === 'gatewayclass' || kind === undefined) continue;
    const own = Array.isArray(value) ? records(value) : [record(value)];
    found.push(...own.map((read) => record(asGoReads(read))).map((object): Json => ({ ...object, apiVersion: object.apiVersion ?? apiVersion, kind: object.kind ?? kind }))); // prettier-ignore
  }
  return [installation(name, input), gatewayClass(input), ...found, ...records(base.secrets), ...ADDED];
}

function parsed(file: string): Json {
  // Some hold text that YAML 1.2 does not take, and Go's reader does.
  const read = parseDocument(fs.readFileSync(file, 'utf8'), { strict: false, logLevel: 'silent', uniqueKeys: false });
  return record(withoutNulls(read.toJS({ maxAliasCount: -1 })));
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null).map(([key, one]) => [key, withoutNulls(one)])); // prettier-ignore
}

/** The module of a release that is modelled. */
export function testedVersion(release: string): string {
  const found = COMPONENTS.envoyGateway.releases.find(({ name }) => name === release);
  if (found === undefined) throw new Error(`Envoy Gateway ${release} is not modelled`);
  return found.schemas;
}

/** All worlds of a release, or those whose names contain a text. */
export function* translatedWorlds(release: string, named = ''): Generator<TranslatedWorld> {
  const folder = moduleFiles(COMPONENTS.envoyGateway.module, testedVersion(release), 'internal/gatewayapi/testdata');
  const base = path.join(folder, 'base', 'base.yaml');
  const shared = fs.existsSync(base) ? parsed(base) : {};
  for (const file of fs.readdirSync(folder).sort()) {
    if (!file.endsWith('.in.yaml') || !file.includes(named)) continue;
    const name = file.slice(0, -'.in.yaml'.length);
    const made = record(parsed(path.join(folder, `${name}.out.yaml`)).xdsIR) as Readonly<Record<string, Ir>>;
    yield { name, release, objects: objectsOf(name, parsed(path.join(folder, file)), shared), made };
  }
}
