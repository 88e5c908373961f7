import * as networking from '../../imports/networking.istio.io';
import { isWildcard } from '../core/hostname';
import { Problem } from '../core/problem';
import { HttpEgress } from './egress-ways';
import { UpstreamSettings, trafficPolicy } from './upstream-settings';

const ROUND_ROBIN = { simple: networking.DestinationRuleSpecTrafficPolicyLoadBalancerSimple.ROUND_UNDERSCORE_ROBIN };

/** What a DestinationRule that makes TLS is about. */
export interface Origination {
  readonly host: string;
  /** The port of the ServiceEntry that the TLS goes to. */
  readonly port: number;
  readonly way: HttpEgress;
  /** Names that the service itself says its certificate may carry. */
  readonly names: string[];
  /** The subset that carries the TLS; none means the host's port as a whole. */
  readonly subset?: string;
  readonly exportTo: string[];
  /** Labels of the workloads that it is for. Needed where a sidecar reads a credential. */
  readonly workloadLabels?: { readonly [key: string]: string };
  /** How the proxy treats the host besides. */
  readonly upstream?: UpstreamSettings;
}

/** The DestinationRule by which a proxy keeps the limits of a host for which it originates no TLS. */
export function connectionRule(
  rule: Pick<Origination, 'host' | 'exportTo' | 'workloadLabels' | 'upstream'>,
): networking.DestinationRuleSpec {
  const { host, exportTo, workloadLabels, upstream } = rule;
  return {
    host,
    exportTo,
    workloadSelector: workloadLabels && { matchLabels: { ...workloadLabels } },
    trafficPolicy: { loadBalancer: ROUND_ROBIN, ...trafficPolicy(upstream) },
  };
}

/** The DestinationRule by which a proxy makes TLS of what it sends to a host. */
export function originationRule(origination: Origination): networking.DestinationRuleSpec {
  const { host, port, subset, workloadLabels, exportTo } = origination;
  // A policy of a subset or a port replaces the one above it as a whole, so each level says all that it needs.
  const settings = trafficPolicy(origination.upstream);
  const base = { loadBalancer: ROUND_ROBIN, ...settings };
  const policy: networking.DestinationRuleSpecTrafficPolicy = {
    ...base,
    portLevelSettings: [
      // The bindings give the same shape another name at each level.
      {
        port: { number: port },
        ...(settings as Partial<networking.DestinationRuleSpecTrafficPolicyPortLevelSettings> | undefined),
        tls: tlsSettings(origination),
      },
    ],
  };
  return {
    host,
    exportTo,
    workloadSelector: workloadLabels && { matchLabels: { ...workloadLabels } },
    trafficPolicy: subset === undefined ? policy : base,
    subsets:
      subset === undefined
        ? undefined
        : [{ name: subset, trafficPolicy: policy as unknown as networking.DestinationRuleSpecSubsetsTrafficPolicy }],
  };
}

function tlsSettings({
  host,
  way,
  names,
}: Origination): networking.DestinationRuleSpecTrafficPolicyPortLevelSettingsTls {
  const options = way.tls ?? {};
  const mutual = way.mode === 'MUTUAL';
  const mode = networking.DestinationRuleSpecTrafficPolicyPortLevelSettingsTlsMode;
  const sni = options.sni ?? (isWildcard(host) ? undefined : host);
  // Where the SNI is written, istiod has no name verified but these. A client certificate's own CA vouches for its servers.
  const verified = names.length || mutual || sni === undefined ? undefined : [sni];
  return {
    mode: mutual ? mode.MUTUAL : mode.SIMPLE,
    credentialName: mutual ? way.credential?.name : options.trust?.secretName,
    // What Istio takes where nothing is said, but only since 1.21: before it, nobody's certificate was looked at.
    caCertificates: options.trust?.path ?? (mutual || options.trust?.secretName ? undefined : 'system'),
    sni,
    subjectAltNames: options.subjectAltNames?.length === 0 ? undefined : (options.subjectAltNames ?? verified),
  };
}

/** What can't be asked of TLS origination. */
export function originationProblems(host: string, way: HttpEgress, proxyNamespace: string): Problem[] {
  const problems = way.credential?._problemsIn(proxyNamespace) ?? [];
  if (way.mode === 'MUTUAL' && way.tls?.trust) {
    problems.push({
      what: `mutual TLS to ${JSON.stringify(host)} with a trust of its own`,
      why: 'with a credential, the server is checked against the CA in that credential (ca.crt), and Istio refuses a second',
      fix: 'leave out `trust` and put the CA into the Secret',
    });
  }
  return problems;
}
