/** BackendTLSPolicies of the Gateway API as istiod reads them: a DestinationRule for each host that one names. */
import { number, record, records, text, texts, type Json } from './fields';
import { GATEWAY_API } from './gateway-api';
import type { Manifest } from './manifest';
import { compareText, config, type Config } from './objects';
import type { IstioBehavior } from './release-behavior';

interface Input {
  readonly of: (group: string, kind: string) => readonly Manifest[];
  readonly find: (group: string, kind: string, namespace: string, name: string) => Manifest | undefined;
}

interface Target {
  readonly policy: Config;
  readonly host: string;
  /** 0 for all ports. */
  readonly port: number;
}

/** Hosts of a target, and the port that its section is; undefined if istiod finds none. */
function hostsOf(ref: Json, namespace: string, input: Input, domain: string): Omit<Target, 'policy'>[] {
  const [group, kind, name, section] = [text(ref.group), text(ref.kind), text(ref.name), text(ref.sectionName)];
  const isService = group === '' && kind === 'Service';
  if (!isService && !(group === 'networking.istio.io' && kind === 'ServiceEntry')) return [];
  const spec = record(record(input.find(group, kind, namespace, name)?.body).spec);
  const named = records(spec.ports).find((one) => text(one.name) === section);
  if (section !== '' && named === undefined) return [];
  const port = section === '' ? 0 : number(isService ? named?.port : named?.number);
  const hosts = isService ? [`${name}.${namespace}.svc.${domain}`] : texts(spec.hosts);
  return hosts.map((host) => ({ host, port }));
}

function tlsOf({ spec, namespace }: Config): Json {
  const validation = record(spec.validation);
  const ca = records(validation.caCertificateRefs)[0];
  return {
    mode: 'SIMPLE',
    sni: text(validation.hostname),
    subjectAltNames: records(validation.subjectAltNames).map((name) => text(name.hostname) || text(name.uri)),
    ...(ca === undefined ? {} : { credentialName: `configmap://${namespace}/${text(ca.name)}` }),
  };
}

/** Policies that are for another controller say so. */
const IGNORED = 'istio.io/ignore-policy-attachment';

/** One rule for each host, the oldest policy for it or for a port of it first; all of them older than any DestinationRule. */
export function backendTlsRules(input: Input, domain: string, istio: IstioBehavior): readonly Config[] {
  const targets = input
    .of(GATEWAY_API, 'BackendTLSPolicy')
    .filter(({ annotations }) => !istio.leavesPoliciesToOthers || annotations[IGNORED]?.toLowerCase() !== 'true')
    .map(config)
    .sort((a, b) => a.created - b.created || compareText(a.namespace, b.namespace) || compareText(a.name, b.name))
    .flatMap((policy) =>
      records(policy.spec.targetRefs).flatMap((ref) =>
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
          ...(whole === undefined ? {} : { tls: tlsOf(whole.policy) }),
          portLevelSettings: ports.map((one) => ({ port: { number: one.port }, tls: tlsOf(one.policy) })),
        },
      },
    };
  });
}
