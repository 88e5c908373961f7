import { IConstruct } from 'constructs';
import { isWildcard } from '../core/hostname';
import { Problem, quote } from '../core/problem';
import { meshMembers } from '../mesh/mesh-boundary';
import type { EgressGatewayBase } from './egress-gateway';
import type { MeshRoute } from './egress-route-overlap';
import type { EgressTrafficPolicy } from './egress-traffic-policy';
import { Grant, Permission, gatewayOf, grouped, wayKey, wayWords, whereOf } from './policy-grant';
import { upstreamKey } from './upstream-settings';

/** What the rules of all policies of one gateway say against each other. */
export function gatewayGrantProblems(gateway: EgressGatewayBase, grants: readonly Grant[]): Problem[] {
  const byHostPort = grouped(grants, ({ host, port }) => `${host}:${port.number}`);
  return [
    ...[...byHostPort.values()].flatMap((some) => [
      ...contradictions(some),
      ...halfOriginated(some, 'gateway'),
      ...halfTunnelled(some),
      ...wildcardTwice(some),
    ]),
    ...treatedTwice(grants, 'gateway'),
    ...handMadeRoutes(gateway, grants),
  ];
}

/** What the rules of all policies that allow a service straight from the sidecar say against each other. */
export function directProblems(permissions: readonly Permission[]): Problem[] {
  const byHostPort = grouped(permissions, ({ host, port }) => `${host}:${port.number}`);
  return [
    ...[...byHostPort.values()].flatMap((some) => [
      ...contradictions(some),
      ...halfOriginated(some, 'sidecar'),
      ...originatedTwice(some),
    ]),
    ...treatedTwice(permissions, 'sidecar'),
  ];
}

/** A proxy has one DestinationRule for a host. */
function treatedTwice(permissions: readonly Permission[], last: 'gateway' | 'sidecar'): Problem[] {
  const said = permissions.filter(({ upstream }) => upstream);
  return [...grouped(said, ({ host }) => host).values()].flatMap(([first, ...others]) => {
    const other = others.find(({ upstream }) => upstreamKey(upstream) !== upstreamKey(first.upstream));
    if (!other) return [];
    return [
      {
        what: `\`upstream\` for ${quote(first.host)} differs between ${whereOf(first)} and ${whereOf(other)}`,
        why: `the ${last} has one DestinationRule and one route for a host, whoever calls`,
        fix: 'say it once, or the same in both',
      },
    ];
  });
}

/** Two rules that name the same caller, and say two things. */
function contradictions(grants: readonly Permission[]): Problem[] {
  const kinds = [...grouped(grants, kindOf).values()];
  const problems: Problem[] = [];
  for (let i = 0; i < kinds.length; i++) {
    for (let j = i + 1; j < kinds.length; j++) {
      const pair = firstOverlap(kinds[i], kinds[j]);
      if (pair) problems.push(contradiction(...pair));
    }
  }
  return problems;
}

function kindOf(permission: Permission): string {
  const { way, tunnel, methods, paths } = permission;
  return JSON.stringify([wayKey(way), tunnel?.node.path, portOf(permission), methods, paths]);
}

/** The port of the gateway, where there is one. */
function portOf(permission: Permission): number | undefined {
  return (permission as Partial<Grant>).gatewayPort;
}

function firstOverlap(
  some: readonly Permission[],
  others: readonly Permission[],
): [Permission, Permission] | undefined {
  for (const a of some) {
    const b = others.find((other) => a.from._overlaps(other.from));
    if (b) return [a, b];
  }
  return undefined;
}

function contradiction(a: Permission, b: Permission): Problem {
  const who =
    a.from._words() === b.from._words() ? a.from._words() : `${a.from._words()}, also named as ${b.from._words()},`;
  return {
    what: `${who} reach ${quote(a.host)} port ${a.port.number} ${saying(a, b)} by ${whereOf(a)}, and ${saying(b, a)} by ${whereOf(b)}`,
    why: 'a caller can be led one way only, and the wider of two permissions makes the other void',
    fix: 'name each caller in one of the rules, or make the rules say the same',
  };
}

function leavesAs(permission: Permission): string {
  return wayWords(permission.way, gatewayOf(permission) ? 'gateway' : 'sidecar');
}

function saying(grant: Permission, other: Permission): string {
  const words: string[] = [];
  if (wayKey(grant.way) !== wayKey(other.way))
    words.push(leavesAs(grant) + (leavesAs(grant) === leavesAs(other) ? ' (with other options)' : ''));
  if (grant.tunnel !== other.tunnel) words.push(tunnelWords(grant));
  if (portOf(grant) !== portOf(other)) words.push(`through gateway port ${portOf(grant)}`);
  const limits = (g: Permission) => [...g.methods, ...g.paths].join(', ') || 'any method and path';
  if (limits(grant) !== limits(other)) words.push(`with ${limits(grant)}`);
  return words.join(', ');
}

function tunnelWords({ tunnel }: Permission): string {
  return tunnel ? `through the proxy ${tunnel.node.path}` : 'through no proxy';
}

/** A port of a host leads to one port behind the last proxy: plain text or TLS. */
function halfOriginated(grants: readonly Permission[], last: 'gateway' | 'sidecar'): Problem[] {
  const plain = grants.find(({ port, way }) => port.isHttp && !way?._originates);
  const made = grants.find(({ way }) => way?._originates);
  if (!plain || !made || plain.from._overlaps(made.from)) return [];
  return [
    {
      what: `HTTP to ${quote(plain.host)} port ${plain.port.number} leaves the ${last} as it is by ${whereOf(plain)}, and ${leavesAs(made)} by ${whereOf(made)}`,
      why: `the ${last} knows one port behind each port of a host`,
      fix: `let the ${last} make TLS for all callers of the host, or for none`,
    },
  ];
}

/** The gateway tells TLS apart by what is inside, and TCP by host, never by who called. */
function halfTunnelled(grants: readonly Grant[]): Problem[] {
  const [first] = grants;
  const other = grants.find(({ tunnel }) => tunnel !== first.tunnel);
  if (!other || first.from._overlaps(other.from)) return [];
  return [
    {
      what: `${first.port.protocol} to ${quote(first.host)} port ${first.port.number} leaves the gateway ${tunnelWords(first)} by ${whereOf(first)}, and ${tunnelWords(other)} by ${whereOf(other)}`,
      why: 'the gateway has one way out for each port of a host that it does not read',
      fix: 'let all callers of the host go the same way',
    },
  ];
}

/** Each way gets a Host of its own on the hop, and the host's again behind it; nobody knows which host of a wildcard that was. */
function wildcardTwice(grants: readonly Grant[]): Problem[] {
  const [first] = grants;
  const other = grants.find(({ way }) => wayKey(way) !== wayKey(first.way));
  if (!isWildcard(first.host) || !first.way?._originates || !other?.way?._originates) return [];
  if (first.from._overlaps(other.from)) return [];
  return [
    {
      what: `wildcard ${quote(first.host)} leaves the gateway ${leavesAs(first)} by ${whereOf(first)}, and ${leavesAs(other)} by ${whereOf(other)}`,
      why: 'the gateway tells callers apart by a Host of their own, which it could not turn into the host that was asked for',
      fix: 'give all callers one credential, or name the single hosts',
    },
  ];
}

/** One DestinationRule makes the TLS for all sidecars. */
function originatedTwice(permissions: readonly Permission[]): Problem[] {
  const made = permissions.filter(({ way }) => way?._originates);
  const other = made.find(({ way }) => wayKey(way) !== wayKey(made[0].way));
  if (!other || made[0].from._overlaps(other.from)) return [];
  return [
    {
      what: `HTTP to ${quote(other.host)} port ${other.port.number} leaves the sidecar ${leavesAs(made[0])} by ${whereOf(made[0])}, and ${leavesAs(other)} with other options by ${whereOf(other)}`,
      why: 'the sidecars that see a host make its TLS in one way',
      fix: 'give both rules the same options, or let one go through a gateway',
    },
  ];
}

/** A sidecar listens on a port for all hosts at once, so the port has one protocol in a namespace. */
function portsShared(policies: readonly EgressTrafficPolicy[]): Array<{ at: IConstruct; problem: Problem }> {
  const grants = policies.flatMap((policy) => policy._permissions);
  const byPort = grouped(
    grants.filter(({ port }) => !port.isTcp),
    ({ from, port }) => `${from.namespace} ${port.number}`,
  );
  return [...byPort.values()].flatMap((some) => {
    const http = some.find(({ port }) => port.isHttp);
    const tls = some.find(({ port }) => port.isTls);
    if (!http || !tls) return [];
    const problem = {
      what: `port ${http.port.number} is ${http.port.protocol} for ${quote(http.host)} in ${whereOf(http)} and ${tls.port.protocol} for ${quote(tls.host)} in ${whereOf(tls)}, both from namespace ${quote(http.from.namespace)}`,
      why: 'a sidecar reads a port as HTTP or as TLS, and breaks the host of the other',
      fix: 'declare the protocol that applications speak on the port; where both are spoken, let the callers be of different namespaces',
    };
    return [{ at: http.by, problem }];
  });
}

/** A gateway that admits by policy refuses everybody that no policy names. */
function handMadeRoutes(gateway: EgressGatewayBase, grants: readonly Grant[]): Problem[] {
  if (!grants.length || gateway._admitsForwarded) return [];
  return gateway._routePaths().map((path) => ({
    what: `gateway ${quote(gateway.gateway.name)} forwards by ${path}, and admits by ${whereOf(grants[0])}`,
    why: 'once a policy says who may use a gateway, it refuses all others, so what is forwarded by hand would be answered 403',
    fix: 'replace `forward(...)` by a rule of an EgressTrafficPolicy, or give the gateway `admitForwarded: true` while you move over',
  }));
}

/** One host of one caller goes through one gateway; and a service that a policy decides on has no way beside it. */
export function policiesAgainstEachOther(
  policies: readonly EgressTrafficPolicy[],
): Array<{ at: IConstruct; problem: Problem }> {
  if (!policies.length) return [];
  return [...portsShared(policies), ...twoGateways(policies), ...besidePolicy(policies)];
}

function twoGateways(policies: readonly EgressTrafficPolicy[]): Array<{ at: IConstruct; problem: Problem }> {
  const found: Array<{ at: IConstruct; problem: Problem }> = [];
  const seen = new Map<string, Map<EgressGatewayBase | undefined, Permission>>();
  for (const policy of policies) {
    for (const grant of policy._permissions) {
      const gateway = gatewayOf(grant);
      // A service shows itself to one gateway; a host of two services may have two where no namespace calls both.
      for (const key of [`${grant.host} from ${grant.from.namespace}`, `service ${grant.service.node.path}`]) {
        const gateways = seen.get(key) ?? new Map<EgressGatewayBase | undefined, Permission>();
        seen.set(key, gateways);
        const known = gateways.has(gateway);
        const other = [...gateways.entries()].find(([one]) => one !== gateway);
        gateways.set(gateway, gateways.get(gateway) ?? grant);
        if (known || !other) continue;
        found.push({
          at: policy,
          problem: {
            what: `host ${quote(grant.host)} goes ${throughWords(other[0])} by ${whereOf(other[1])}, and ${throughWords(gateway)} by ${whereOf(grant)}`,
            why: 'a sidecar has one route for a host, and obeys the older of two',
            fix:
              other[0] && gateway
                ? 'let both rules use one gateway'
                : 'let both rules use the gateway, or none; callers of other namespaces may have an ExternalService of their own for the host',
          },
        });
        break;
      }
    }
  }
  return found;
}

function throughWords(gateway: EgressGatewayBase | undefined): string {
  return gateway ? `through ${gateway.node.path}` : 'straight from the sidecar';
}

function besidePolicy(policies: readonly EgressTrafficPolicy[]): Array<{ at: IConstruct; problem: Problem }> {
  const routes = meshMembers<MeshRoute>('mesh route', policies[0]);
  const byService = new Map(
    policies.flatMap(({ _permissions }) => _permissions.map((grant) => [grant.service as unknown, grant] as const)),
  );
  return routes.flatMap((route) => {
    const grant = byService.get(route.service);
    if (!grant) return [];
    return [
      {
        at: route,
        problem: {
          what: `${route.service.node.path} is routed by ${route.node.path}, and by ${whereOf(grant)}`,
          why: 'a policy decides who sees the service, so the other route would find no host to send to, or let pass whom no rule names',
          fix: 'keep one of the two',
        },
      },
    ];
  });
}
