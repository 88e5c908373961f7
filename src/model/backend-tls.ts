/**
 * BackendTLSPolicies of the Gateway API. istiod makes a DestinationRule of them for each host that one names; Envoy Gateway looks for the policy of a
 * backend where a route leads to it.
 */
import { istiodAuthorityOf } from './backend-authority';
import { number, record, records, text, texts, type Json } from './fields';
import { compareConfigs, GATEWAY_API, type GatewayApiInput } from './gateway-api';
import type { Manifest } from './manifest';
import { config, type Config } from './objects';

type Input = Pick<GatewayApiInput, 'of' | 'find' | 'kindsRead' | 'istio' | 'envoyGateway'>;

/** What a policy is for: an object of its namespace, or a port of it. */
interface TargetRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** The name of a port, or of a Backend its number; empty for all of them. */
  readonly section: string;
}

function targetRefs({ spec }: Config): readonly TargetRef[] {
  return records(spec.targetRefs).map(({ group, kind, name, sectionName }) => ({
    group: text(group),
    kind: text(kind),
    name: text(name),
    section: text(sectionName),
  }));
}

/** Those that are read, the oldest first, in both products. */
function policies({ of, kindsRead }: Input, isRead: (manifest: Manifest) => boolean): readonly Config[] {
  if (!kindsRead.BackendTLSPolicy) return [];
  return of(GATEWAY_API, 'BackendTLSPolicy').filter(isRead).map(config).sort(compareConfigs);
}

interface Target {
  readonly policy: Config;
  readonly host: string;
  /** 0 for all ports. */
  readonly port: number;
}

/** Hosts of a target, and the port that its section is; undefined if istiod finds none. */
function hostsOf(
  { group, kind, name, section }: TargetRef,
  namespace: string,
  input: Input,
  domain: string,
): Omit<Target, 'policy'>[] {
  const isService = group === '' && kind === 'Service';
  if (!isService && !(group === 'networking.istio.io' && kind === 'ServiceEntry')) return [];
  const spec = record(record(input.find(group, kind, namespace, name)?.body).spec);
  const named = records(spec.ports).find((one) => text(one.name) === section);
  if (section !== '' && named === undefined) return [];
  const port = section === '' ? 0 : number(isService ? named?.port : named?.number);
  const hosts = isService ? [`${name}.${namespace}.svc.${domain}`] : texts(spec.hosts);
  return hosts.map((host) => ({ host, port }));
}

function tlsOf({ spec, manifest }: Config, { find }: Input): Json {
  const validation = record(spec.validation);
  const { credentialName } = istiodAuthorityOf(manifest, find);
  return {
    mode: 'SIMPLE',
    sni: text(validation.hostname),
    subjectAltNames: records(validation.subjectAltNames).map((name) => text(name.hostname) || text(name.uri)),
    ...(credentialName === '' ? {} : { credentialName }),
  };
}

/** Policies that are for another controller say so. */
const IGNORED = 'istio.io/ignore-policy-attachment';

/** One rule for each host, the oldest policy for it or for a port of it first; all of them older than any DestinationRule. */
export function backendTlsRules(input: Input, domain: string): readonly Config[] {
  const isRead = ({ annotations }: Manifest): boolean =>
    !input.istio.leavesPoliciesToOthers || annotations[IGNORED]?.toLowerCase() !== 'true';
  const targets = policies(input, isRead).flatMap((policy) =>
    targetRefs(policy).flatMap((ref) =>
      hostsOf(ref, policy.namespace, input, domain).map((one): Target => ({ ...one, policy })),
    ),
  );
  const byHost = new Map<string, Target[]>();
  for (const target of targets) {
    const key = `${target.policy.namespace} ${target.host}`;
    byHost.set(key, [...(byHost.get(key) ?? []), target]);
  }
  return [...byHost.values()].map((own): Config => {
    const { policy, host } = own[0] as Target;
    const whole = own.find(({ port }) => port === 0);
    const ports = [...new Map([...own].reverse().map((one) => [one.port, one])).values()].filter(
      ({ port }) => port > 0,
    );
    return {
      ...policy,
      created: -1,
      spec: {
        host,
        trafficPolicy: {
          ...(whole === undefined ? {} : { tls: tlsOf(whole.policy, input) }),
          portLevelSettings: ports.map((one) => ({ port: { number: one.port }, tls: tlsOf(one.policy, input) })),
        },
      },
    };
  });
}

/** What a route of Envoy Gateway leads to: a Service, an imported one, or a Backend. */
export interface BackendObject {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The name of the port, or of a Backend its number where the route says one. */
  readonly section: string;
}

/**
 * The policy by which Envoy Gateway dials a backend (getBackendTLSPolicy of internal/gatewayapi/backendtlspolicy.go): the oldest that is for it or for
 * the port, and where the release tells them apart, one for the port before one for the whole.
 */
export function backendTlsPolicy(
  backend: BackendObject,
  input: Input,
): { readonly sni: string; readonly manifest: Manifest } | undefined {
  const own = policies(input, ({ namespace }) => namespace === backend.namespace);
  // The first that fits, even if a later one names the port.
  const targetOf = (policy: Config): TargetRef | undefined =>
    targetRefs(policy).find(
      ({ group, kind, name, section }) =>
        group === backend.group &&
        kind === backend.kind &&
        name === backend.name &&
        (section === '' || section === backend.section),
    );
  const fitting = own.filter((policy) => targetOf(policy) !== undefined);
  const ofPort = fitting.find((policy) => targetOf(policy)?.section !== '');
  const found = (input.envoyGateway.prefersSections ? ofPort : undefined) ?? fitting[0];
  return found && { sni: text(record(found.spec.validation).hostname), manifest: found.manifest };
}
