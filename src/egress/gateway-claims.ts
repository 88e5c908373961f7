import * as networking from '../../imports/networking.istio.io';
import { Problem, quote } from '../core/problem';

/** What one route needs of a gateway's listening side. */
export interface ServerClaim {
  readonly port: number;
  readonly protocol: 'HTTP' | 'HTTPS' | 'TLS';
  readonly tls?: 'ISTIO_MUTUAL' | 'PASSTHROUGH';
  readonly hosts: readonly string[];
  /** Keeps a server apart that tells its traffic by SNI and has nothing else to go by. */
  readonly apart?: string;
  /** The address that it listens on, where that is not every address. */
  readonly bind?: string;
  /** The construct path of the route. */
  readonly by: string;
}

/** What one route needs of the way to a gateway. */
export interface SubsetClaim {
  readonly subset: string;
  readonly port: number;
  /** The SNI of a hop in mutual TLS; none means that the hop adds no TLS. */
  readonly mutualTlsSni?: string;
  readonly by: string;
}

/** One server for each port, protocol and TLS mode, its hosts merged and sorted: the order of claims never matters. */
export function mergeServers(claims: readonly ServerClaim[]): networking.GatewaySpecServers[] {
  const groups = new Map<string, { claim: ServerClaim; hosts: Set<string> }>();
  for (const claim of claims) {
    const key = serverKey(claim);
    const group = groups.get(key) ?? { claim, hosts: new Set<string>() };
    claim.hosts.forEach((host) => group.hosts.add(host));
    groups.set(key, group);
  }
  const merged = [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  const stem = ({ claim }: { claim: ServerClaim }) => claim.protocol.toLowerCase();
  return merged.map((group) => {
    const { claim, hosts } = group;
    const alone = merged.filter((other) => stem(other) === stem(group)).length === 1;
    const suffix = claim.apart ?? (claim.tls === 'PASSTHROUGH' ? 'passthrough' : undefined);
    const name = alone ? stem(group) : [stem(group), claim.port, suffix].filter((part) => part !== undefined).join('-');
    return {
      port: { number: claim.port, name, protocol: claim.protocol },
      bind: claim.bind,
      hosts: [...hosts].sort(),
      tls: claim.tls && { mode: claim.tls as networking.GatewaySpecServersTlsMode },
    };
  });
}

function serverKey(claim: ServerClaim): string {
  return [String(claim.port).padStart(5, '0'), claim.protocol, claim.tls ?? '', claim.apart ?? ''].join('/');
}

/** What can't be listened for together. */
export function serverProblems(claims: readonly ServerClaim[]): Problem[] {
  const problems: Problem[] = [];
  const byPort = new Map<number, ServerClaim>();
  for (const claim of claims) {
    const first = byPort.get(claim.port);
    if (!first) byPort.set(claim.port, claim);
    else if ((first.protocol === 'HTTP') !== (claim.protocol === 'HTTP')) {
      problems.push({
        what: `port ${claim.port} of the gateway would be ${first.protocol} for ${first.by} and ${claim.protocol} for ${claim.by}`,
        why: 'plain text and TLS share no port: Istio keeps whichever it reads first and drops the other',
        fix: 'give both the same hop, or one of them another port (GatewayHop.mutualTls({ port: ... }))',
      });
    }
  }
  return problems;
}

/** The subsets of the hop's DestinationRule. A subset's settings for a port are one and the same for all who share it. */
export function mergeSubsets(claims: readonly SubsetClaim[]): networking.DestinationRuleSpecSubsets[] {
  const subsets = new Map<string, Map<number, string>>();
  for (const { subset, port, mutualTlsSni } of claims) {
    const ports = subsets.get(subset) ?? new Map<number, string>();
    if (mutualTlsSni !== undefined) ports.set(port, mutualTlsSni);
    subsets.set(subset, ports);
  }
  const mode = 'ISTIO_MUTUAL' as networking.DestinationRuleSpecSubsetsTrafficPolicyPortLevelSettingsTlsMode;
  return [...subsets.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, ports]) => ({
      name,
      trafficPolicy: ports.size
        ? {
            portLevelSettings: [...ports.entries()]
              .sort(([a], [b]) => a - b)
              .map(([number, sni]) => ({ port: { number }, tls: { mode, sni } })),
          }
        : undefined,
    }));
}

/** Which routes want one subset to be two things. */
export function subsetProblems(claims: readonly SubsetClaim[]): Problem[] {
  const seen = new Map<string, SubsetClaim>();
  const problems: Problem[] = [];
  for (const claim of claims) {
    const key = `${claim.subset}:${claim.port}`;
    const first = seen.get(key);
    if (!first) seen.set(key, claim);
    else if (first.mutualTlsSni !== claim.mutualTlsSni) {
      const says = (c: SubsetClaim) =>
        c.mutualTlsSni === undefined ? 'no TLS' : `mutual TLS with SNI ${quote(c.mutualTlsSni)}`;
      problems.push({
        what: `subset ${quote(claim.subset)}, port ${claim.port} is ${says(first)} for ${first.by} and ${says(claim)} for ${claim.by}`,
        why: 'a subset has one setting a port, so one of the two would break',
        fix: 'give them different subsets, or leave `subset` out of both to share the hop',
      });
    }
  }
  return problems;
}
