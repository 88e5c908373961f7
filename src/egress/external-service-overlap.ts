import { IConstruct } from 'constructs';
import { Problem, quote } from '../core/problem';
import { ExternalPort } from './external-port';
import type { ExternalService } from './external-service';

/**
 * Which services of one mesh get in each other's way. Only services that some proxy sees together can: Istio resolves a host
 * per proxy, among what is visible to it.
 */
export function overlappingServices(services: readonly ExternalService[]): Array<{ at: IConstruct; problem: Problem }> {
  return [...sameHost(services), ...sameTcpAddress(services)];
}

function sameHost(services: readonly ExternalService[]): Array<{ at: IConstruct; problem: Problem }> {
  const found: Array<{ at: IConstruct; problem: Problem }> = [];
  const byHost = new Map<string, ExternalService[]>();
  for (const service of services) {
    for (const host of new Set(service.hosts)) {
      const others = byHost.get(host) ?? [];
      const other = others.find((candidate) => seenTogether(candidate, service));
      if (other) found.push({ at: service, problem: splitHost(host, other, service) });
      byHost.set(host, [...others, service]);
    }
  }
  return found;
}

function splitHost(host: string, first: ExternalService, second: ExternalService): Problem {
  const clash = second.ports
    .map((port) => [first.ports.find((p) => p.number === port.number), port] as const)
    .find(([a, b]) => a && a.protocol !== b.protocol);
  const both = `${first.node.path} and ${second.node.path}`;
  if (clash) {
    return {
      what: `host ${quote(host)}, port ${clash[1].number} is ${clash[0]?.protocol} in ${first.node.path} and ${clash[1].protocol} in ${second.node.path}`,
      why: 'a sidecar that sees both opens the port for one of them, and breaks the other',
      fix: 'declare the host once, with the protocol that applications speak',
    };
  }
  return {
    what: `host ${quote(host)} is declared by both ${both}`,
    why: 'a proxy that sees two ServiceEntries for a host uses one and ignores the ports of the other',
    fix: 'declare the host once, with all its ports and an audience that takes in both',
  };
}

function sameTcpAddress(services: readonly ExternalService[]): Array<{ at: IConstruct; problem: Problem }> {
  const found: Array<{ at: IConstruct; problem: Problem }> = [];
  const byAddress = new Map<string, Array<readonly [ExternalService, ExternalPort]>>();
  for (const service of services) {
    for (const port of service.ports.filter((p) => p.isTcp)) {
      for (const address of service.addresses) {
        const key = `${address}:${port.number}`;
        const others = byAddress.get(key) ?? [];
        const other = others.find(([candidate]) => candidate !== service && seenTogether(candidate, service));
        if (other) {
          found.push({
            at: service,
            problem: {
              what: `${key} belongs to both ${other[0].node.path} and ${service.node.path}`,
              why: 'nothing in TCP tells them apart, so one gets the traffic of both',
              fix: 'give each an address of its own, or make them one service',
            },
          });
        }
        byAddress.set(key, [...others, [service, port]]);
      }
    }
  }
  return found;
}

function seenTogether(a: ExternalService, b: ExternalService): boolean {
  const seesA = a._visibleIn();
  const seesB = b._visibleIn();
  if (!seesA || !seesB) return true;
  return seesA.some((namespace) => seesB.includes(namespace));
}
