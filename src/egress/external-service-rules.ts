import { isIpAddress, isWildcard } from '../core/hostname';
import { Problem, quote } from '../core/problem';
import { ExternalPort, portNames } from './external-port';
import { forwardProxyProblems } from './forward-proxy';
import { Resolution } from './resolution';

/** Ports that every sidecar or gateway keeps for itself. @see https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio */
const PROXY_PORTS = [15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090];

/** Which ports can't stand together in one service. */
export function portMixProblems(ports: readonly ExternalPort[]): Problem[] {
  const problems: Problem[] = [];
  const names = portNames(ports);
  ports.forEach((port, i) => {
    const other = ports.slice(0, i).find((earlier) => earlier.number === port.number);
    if (other && other.protocol !== port.protocol) {
      problems.push({
        what: `port ${port.number} is declared both ${other.protocol} and ${port.protocol}`,
        why: 'a host and port speaks one protocol; Istio refuses the second',
        fix: 'keep the protocol that applications speak there',
      });
    } else if (other) {
      problems.push({
        what: `port ${port.number} is declared twice`,
        why: "Istio's webhook refuses it",
        fix: 'declare it once',
      });
    } else if (names.indexOf(names[i]) !== i) {
      problems.push({
        what: `two ports are named ${quote(names[i])}`,
        why: "Istio's webhook refuses it",
        fix: 'give each port a name of its own',
      });
    }
    if (PROXY_PORTS.includes(port.number)) {
      problems.push({
        what: `port ${port.number} is one that the proxy keeps for itself`,
        why: 'the sidecar would fail to open it, or never start',
        fix: 'reach the service on another port',
      });
    }
  });
  return problems;
}

/** Which hosts can't go with a resolution, or with other ports. */
export function hostMixProblems(
  hosts: readonly string[],
  ports: readonly ExternalPort[],
  resolution: Resolution,
  meshInternal: boolean,
): Problem[] {
  const problems: Problem[] = resolution._isForwardProxy ? forwardProxyProblems(hosts, ports) : [];
  const wildcards = hosts.filter(isWildcard);
  if (resolution._isDns && !resolution._hasEndpoints) {
    problems.push(
      ...wildcards.map((host) => ({
        what: `wildcard host ${quote(host)} with ${resolution.kind} resolution`,
        why: 'a wildcard is no name that could be resolved, and Istio refuses it',
        fix: 'use Resolution.none() (from a sidecar), or through a gateway Resolution.dns({ address: ... }) with one host that serves the whole domain, or Resolution.dynamicForwardProxy()',
      })),
    );
  }
  if (resolution.kind === 'DYNAMIC_DNS') {
    const exact = hosts.filter((host) => !isWildcard(host));
    problems.push(
      ...exact.map((host) => ({
        what: `host ${quote(host)} with DYNAMIC_DNS resolution`,
        why: 'Istio takes wildcards only there',
        fix: 'use Resolution.dns() for a host that is known',
      })),
    );
    const others = ports.filter(
      (port) => port.protocol !== 'HTTP' && port.protocol !== 'TLS' && port.protocol !== 'HTTPS',
    );
    problems.push(
      ...others.map((port) => ({
        what: `${port.protocol} port ${port.number} with DYNAMIC_DNS resolution`,
        why: 'Istio takes HTTP and TLS only there',
        fix: 'use Resolution.none()',
      })),
    );
    if (meshInternal)
      problems.push({
        what: 'a service of the mesh with DYNAMIC_DNS resolution',
        why: 'Istio takes external services only there',
        fix: 'leave out `meshInternal`',
      });
  }
  const tcp = ports.find((port) => port.isTcp);
  if (tcp && hosts.length > 1 && resolution.kind !== 'NONE') {
    problems.push({
      what: `${hosts.length} hosts share ${tcp.protocol} port ${tcp.number}`,
      why: 'nothing in TCP tells hosts apart, so Istio refuses it',
      fix: 'make an ExternalService for each host, with addresses of its own',
    });
  }
  return problems;
}

/** What is wrong with the addresses, alone and with the rest. */
export function addressProblems(
  addresses: readonly string[],
  ports: readonly ExternalPort[],
  resolution: Resolution,
  allocated: boolean,
): Problem[] {
  const problems = addresses.flatMap((address) => addressSyntax(address));
  const range = addresses.find((address) => address.includes('/'));
  if (range !== undefined && resolution.kind !== 'NONE' && resolution.kind !== 'STATIC') {
    problems.push({
      what: `IP range ${quote(range)} with ${resolution.kind} resolution`,
      why: 'Istio takes ranges with NONE and STATIC only',
      fix: 'use Resolution.none(), or single addresses',
    });
  }
  if (addresses.length && resolution.kind === 'DYNAMIC_DNS') {
    problems.push({
      what: 'addresses with DYNAMIC_DNS resolution',
      why: 'Istio takes hosts only there',
      fix: 'leave out `addresses`',
    });
  }
  if (addresses.length && allocated) {
    problems.push({
      what: 'both `addresses` and `allocateAddress`',
      why: 'Istio allocates only where no address is given',
      fix: 'keep one of them',
    });
  }
  const tcp = ports.find((port) => port.isTcp);
  if (tcp && !addresses.length && !allocated) {
    problems.push({
      what: `${tcp.protocol} port ${tcp.number} has no address`,
      why: `sidecars would send everything that is dialled on port ${tcp.number}, whatever the host, to this service`,
      fix: 'give `addresses`, or `allocateAddress: true` where sidecars capture DNS',
    });
  }
  return problems;
}

function addressSyntax(address: string): Problem[] {
  const [ip, prefix, more] = address.split('/');
  const limit = ip.includes(':') ? 128 : 32;
  const prefixIsFine = prefix === undefined || (/^\d+$/.test(prefix) && Number(prefix) <= limit);
  if (isIpAddress(ip) && prefixIsFine && more === undefined) return [];
  return [
    {
      what: `address ${quote(address)} is neither an IP address nor a range`,
      why: "Istio's webhook refuses it",
      fix: 'write it as "203.0.113.7" or "203.0.113.0/24"; names go in `hosts`',
    },
  ];
}
