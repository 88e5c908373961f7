/** Who reads a credential that an object names. */
import { push } from '../model/objects';
import type { FieldPath, Manifest } from '../model/manifest';
import { type CheckContext, defineIndex } from './context';
import { MESH, gatewaysByName, ruleMatches, virtualServices, fullHost } from './edge';
import { NETWORKING, type ServerTls, type TrafficPolicy, specOf } from './istio';
import { type PodTemplate, podsWith } from './workloads';

/** A credential that an object names, and the pods whose proxies are to read it, as far as manifests show them. */
export interface NamedCredential {
  readonly manifest: Manifest;
  readonly field: FieldPath;
  readonly name: string;
  /** Whether nothing but certificates of CAs is read of it, which are no secret. */
  readonly isAuthority: boolean;
  readonly pods: readonly PodTemplate[];
  /** Where those pods are; known of a workloadSelector even if they are not shown. */
  readonly namespaces: readonly string[];
  readonly readers: 'gateway' | 'workloads';
}

export function* namedCredentials(context: CheckContext): Generator<NamedCredential> {
  for (const manifest of context.of(NETWORKING, 'Gateway')) {
    const { selector = {}, servers = [] } = specOf('Gateway', manifest);
    const pods = podsOf(context, selector);
    for (const [at, { tls }] of servers.entries()) {
      for (const { name, key } of serverCredentials(tls)) {
        const field = ['spec', 'servers', at, 'tls', key];
        yield { manifest, field, name, isAuthority: false, pods, namespaces: namespacesOf(pods), readers: 'gateway' };
      }
    }
  }
  for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
    const spec = specOf('DestinationRule', manifest);
    const { workloadSelector } = spec;
    for (const { policy, field } of policiesOf(spec)) {
      const name = policy.tls?.credentialName;
      if (!name) continue;
      const pods = workloadSelector
        ? podsOf(context, workloadSelector.matchLabels ?? {}).filter(
            ({ namespace }) => namespace === manifest.namespace,
          )
        : gatewaysThatSend(context, manifest);
      yield {
        manifest,
        field: [...field, 'tls', 'credentialName'],
        name,
        isAuthority: policy.tls?.mode === 'SIMPLE',
        pods,
        namespaces: workloadSelector ? [manifest.namespace] : namespacesOf(pods),
        readers: workloadSelector ? 'workloads' : 'gateway',
      };
    }
  }
}

function* serverCredentials(tls: ServerTls = {}): Generator<{ readonly name: string; readonly key: string }> {
  if (tls.credentialName) yield { name: tls.credentialName, key: 'credentialName' };
  for (const name of tls.credentialNames ?? []) yield { name, key: 'credentialNames' };
  if (tls.caCertCredentialName) yield { name: tls.caCertCredentialName, key: 'caCertCredentialName' };
}

export function* policiesOf(spec: {
  trafficPolicy?: TrafficPolicy;
  subsets?: readonly { trafficPolicy?: TrafficPolicy }[];
}): Generator<{ policy: TrafficPolicy; field: (string | number)[] }> {
  const all = [
    ...(spec.trafficPolicy ? [{ policy: spec.trafficPolicy, field: ['spec', 'trafficPolicy'] }] : []),
    ...(spec.subsets ?? []).flatMap(({ trafficPolicy }, at) =>
      trafficPolicy ? [{ policy: trafficPolicy, field: ['spec', 'subsets', at, 'trafficPolicy'] }] : [],
    ),
  ];
  for (const { policy, field } of all) {
    yield { policy, field };
    for (const [at, port] of (policy.portLevelSettings ?? []).entries())
      yield { policy: port, field: [...field, 'portLevelSettings', at] };
  }
}

/** Names of gateways, by each host that a route on them leads to. */
const gatewaysByDestination = defineIndex(
  'gateways by destination',
  (context): ReadonlyMap<string, readonly string[]> => {
    const found = new Map<string, string[]>();
    for (const service of context.index(virtualServices)) {
      for (const { kind, rule: at, gateways } of ruleMatches(service)) {
        for (const { destination } of service.spec[kind]?.[at]?.route ?? []) {
          const host = fullHost(context, destination?.host ?? '', service.manifest.namespace);
          for (const name of gateways) if (name !== MESH) push(found, host, name);
        }
      }
    }
    return found;
  },
);

/** Pods of the gateways whose routes lead to the host of a DestinationRule. */
function gatewaysThatSend(context: CheckContext, manifest: Manifest): PodTemplate[] {
  const host = fullHost(context, specOf('DestinationRule', manifest).host ?? '', manifest.namespace);
  const gateways = context.index(gatewaysByDestination).get(host) ?? [];
  const byName = context.index(gatewaysByName);
  return [...new Set([...new Set(gateways)].flatMap((name) => podsOf(context, byName.get(name)?.spec.selector ?? {})))];
}

function podsOf(context: CheckContext, selector: Readonly<Record<string, string>>): readonly PodTemplate[] {
  if (Object.keys(selector).length === 0) return [];
  return podsWith(context, selector);
}

function namespacesOf(pods: readonly PodTemplate[]): string[] {
  return [...new Set(pods.map(({ namespace }) => namespace))];
}
