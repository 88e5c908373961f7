/** What a proxy is told by the mesh's `defaultConfig`, by ProxyConfigs, and by an annotation of its Pod. */
import { parse } from 'yaml';
import { goBoolean, labelsMatch, number, record, strings, text, type Json } from './fields';
import type { Mesh } from './mesh';
import { withFieldNames } from './proto-names';
import { compareAge, config } from './objects';

/** The Pod of a proxy. */
export interface ProxyOwner {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ProxySettings {
  /** Whether the sidecar answers the DNS queries of its workload with addresses that Istio allocated. */
  readonly answersDns: boolean;
  /** How connections get to the sidecar. `NONE`: only those that are made to it. */
  readonly interception: 'REDIRECT' | 'TPROXY' | 'NONE';
  /** Whether a gateway takes only connections that begin with a header of the PROXY protocol. */
  readonly proxyProtocol: boolean;
  /** How many proxies before a gateway are believed to have written who the client is. */
  readonly trustedProxies: number;
}

/**
 * In the order in which istiod lays them over one another: the mesh's own, the ProxyConfig of the root namespace, that of the
 * namespace, the annotation, and the ProxyConfig that selects the Pod.
 */
export function proxySettings(mesh: Mesh, owner: ProxyOwner): ProxySettings {
  const annotation = owner.annotations['proxy.istio.io/config'] ?? '';
  const key = `proxy settings ${owner.namespace} ${JSON.stringify(owner.labels)} ${annotation}`;
  const { metadata, interception, topology } = mesh.remember(mesh, key, () => layered(mesh, owner, annotation));
  const mode = owner.annotations['sidecar.istio.io/interceptionMode'] ?? interception;
  const allocates = mesh.config.allocatesAddresses || goBoolean(metadata.ISTIO_META_DNS_AUTO_ALLOCATE) === true;
  return {
    answersDns: goBoolean(metadata.ISTIO_META_DNS_CAPTURE) === true && allocates,
    interception: mode === 'NONE' || mode === 'TPROXY' ? mode : 'REDIRECT',
    proxyProtocol: topology.proxyProtocol !== undefined && topology.proxyProtocol !== null,
    trustedProxies: number(topology.numTrustedProxies),
  };
}

interface Layered {
  readonly metadata: Readonly<Record<string, string>>;
  readonly interception: string;
  readonly topology: Json;
}

function layered(mesh: Mesh, { namespace, labels }: ProxyOwner, annotation: string): Layered {
  const objects = mesh.of('networking.istio.io', 'ProxyConfig').map(config).sort(compareAge);
  const selector = (spec: Json): Readonly<Record<string, string>> => strings(record(spec.selector).matchLabels);
  const general = (owner: string): Json =>
    objects.find((one) => one.namespace === owner && record(one.spec).selector === undefined)?.spec ?? {};
  const own = objects.find(
    ({ namespace: owner, spec }) =>
      owner === namespace && Object.keys(selector(spec)).length > 0 && labelsMatch(selector(spec), labels),
  );
  const { rootNamespace, proxyDefaults } = mesh.config;
  const ofPod = parsed(annotation);
  const environments = [
    general(rootNamespace),
    namespace === rootNamespace ? {} : general(namespace),
    own?.spec ?? {},
  ].map(({ environmentVariables }) => strings(environmentVariables));
  const [global = {}, ofNamespace = {}, ofWorkload = {}] = environments;
  return {
    metadata: {
      ...strings(proxyDefaults.proxyMetadata),
      ...global,
      ...ofNamespace,
      ...strings(ofPod.proxyMetadata),
      ...ofWorkload,
    },
    interception: text(ofPod.interceptionMode) || text(proxyDefaults.interceptionMode),
    topology: { ...record(proxyDefaults.gatewayTopology), ...record(ofPod.gatewayTopology) },
  };
}

function parsed(annotation: string): Json {
  if (annotation === '') return {};
  try {
    return withFieldNames(record(parse(annotation)));
  } catch {
    return {};
  }
}
