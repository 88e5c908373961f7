import * as security from '../../imports/security.istio.io';
import { CallerSource, Grant, sourceOf } from './policy-grant';
import { HostPlan } from './policy-host';
import { authorities } from './policy-callers';

interface Rule {
  readonly source: CallerSource;
  readonly hosts: Set<string>;
  readonly methods: readonly string[];
  readonly paths: readonly string[];
  readonly snis: Set<string>;
}

/**
 * What a gateway admits from one namespace. Callers with the same rights share a rule, because each filter chain of the gateway carries
 * them all. HTTP is known by Host, everything else by the SNI of the hop, which is the mesh's own mutual TLS in every case: a gateway that
 * passed the application's TLS through unwrapped would know the name of no caller.
 */
export function authorization(
  grants: readonly Grant[],
  planOf: (host: string) => HostPlan,
): security.AuthorizationPolicySpecRules[] {
  const rules = new Map<string, Rule>();
  for (const grant of grants) {
    const source = sourceOf(grant);
    const key = JSON.stringify([source, grant.port.isHttp, grant.methods, grant.paths]);
    const fresh = {
      source,
      hosts: new Set<string>(),
      methods: grant.methods,
      paths: grant.paths,
      snis: new Set<string>(),
    };
    const rule = rules.get(key) ?? fresh;
    rules.set(key, rule);
    const opaque = planOf(grant.host).opaque.find(({ grants: mine }) => mine.includes(grant));
    if (opaque) rule.snis.add(opaque.hop.sni);
    else {
      const way = planOf(grant.host).http.find(({ grants: mine }) => mine.includes(grant));
      authorities(way?.authority ?? grant.host).forEach((host) => rule.hosts.add(host));
    }
  }
  return [...rules.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, rule]) => ({
      from: [{ source: rule.source }],
      to: rule.hosts.size
        ? [{ operation: { hosts: [...rule.hosts].sort(), methods: listOf(rule.methods), paths: listOf(rule.paths) } }]
        : undefined,
      when: rule.snis.size ? [{ key: 'connection.sni', values: [...rule.snis].sort() }] : undefined,
    }));
}

function listOf(values: readonly string[]): string[] | undefined {
  return values.length ? [...values] : undefined;
}

/** A gateway hands TLS to itself, by a port that nobody else can reach. */
export function selfAdmission(ports: readonly number[]): security.AuthorizationPolicySpecRules[] {
  return [{ from: [{ source: { ipBlocks: ['127.0.0.1/32'] } }], to: [{ operation: { ports: ports.map(String) } }] }];
}

/** What is forwarded by hand is for whoever reaches the gateway, as it was before any policy. */
export function forwardedAdmission(forwarded: {
  readonly hosts: readonly string[];
  readonly snis: readonly string[];
}): security.AuthorizationPolicySpecRules[] {
  const hosts = [...new Set(forwarded.hosts.flatMap(authorities))].sort();
  const snis = [...new Set(forwarded.snis)].sort();
  return [
    ...(hosts.length ? [{ to: [{ operation: { hosts } }] }] : []),
    ...(snis.length ? [{ when: [{ key: 'connection.sni', values: snis }] }] : []),
  ];
}
