import { IConstruct } from 'constructs';
import { Problem, quote } from '../core/problem';
import { meshMembers } from '../mesh/mesh-boundary';
import type { EgressGatewayBase } from './egress-gateway';
import type { MeshRoute } from './egress-route-overlap';
import type { EgressTrafficPolicy } from './egress-traffic-policy';
import { Grant, grouped, wayKey, wayWords, whereOf } from './policy-grant';

/** What the rules of all policies of one gateway say against each other. */
export function gatewayGrantProblems(gateway: EgressGatewayBase, grants: readonly Grant[]): Problem[] {
  const byHostPort = grouped(grants, ({ host, port }) => `${host}:${port.number}`);
  return [
    ...[...byHostPort.values()].flatMap((some) => [...contradictions(some), ...halfOriginated(some)]),
    ...portsShared(grants),
    ...handMadeRoutes(gateway, grants),
  ];
}

/** Two rules that name the same caller, and say two things. */
function contradictions(grants: readonly Grant[]): Problem[] {
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

function kindOf(grant: Grant): string {
  return JSON.stringify([wayKey(grant.way), grant.gatewayPort, grant.methods, grant.paths]);
}

function firstOverlap(some: readonly Grant[], others: readonly Grant[]): [Grant, Grant] | undefined {
  for (const a of some) {
    const b = others.find((other) => a.from._overlaps(other.from));
    if (b) return [a, b];
  }
  return undefined;
}

function contradiction(a: Grant, b: Grant): Problem {
  const who =
    a.from._words() === b.from._words() ? a.from._words() : `${a.from._words()}, also named as ${b.from._words()},`;
  return {
    what: `${who} reach ${quote(a.host)} port ${a.port.number} ${saying(a, b)} by ${whereOf(a)}, and ${saying(b, a)} by ${whereOf(b)}`,
    why: 'a caller can be led one way only, and the wider of two permissions makes the other void',
    fix: 'name each caller in one of the rules, or make the rules say the same',
  };
}

function saying(grant: Grant, other: Grant): string {
  const words: string[] = [];
  if (wayKey(grant.way) !== wayKey(other.way))
    words.push(wayWords(grant.way) + (wayWords(grant.way) === wayWords(other.way) ? ' (with other options)' : ''));
  if (grant.gatewayPort !== other.gatewayPort) words.push(`through gateway port ${grant.gatewayPort}`);
  const limits = (g: Grant) => [...g.methods, ...g.paths].join(', ') || 'any method and path';
  if (limits(grant) !== limits(other)) words.push(`with ${limits(grant)}`);
  return words.join(', ');
}

/** A port of a host leads to one port behind the gateway: plain text or TLS. */
function halfOriginated(grants: readonly Grant[]): Problem[] {
  const plain = grants.find(({ port, way }) => port.isHttp && !way?._originates);
  const made = grants.find(({ way }) => way?._originates);
  if (!plain || !made || plain.from._overlaps(made.from)) return [];
  return [
    {
      what: `HTTP to ${quote(plain.host)} port ${plain.port.number} leaves the gateway as it is by ${whereOf(plain)}, and ${wayWords(made.way)} by ${whereOf(made)}`,
      why: 'the gateway knows one port behind each port of a host',
      fix: 'let the gateway make TLS for all callers of the host, or for none',
    },
  ];
}

/** A sidecar listens on a port for all hosts at once, so the port has one protocol in a namespace. */
function portsShared(grants: readonly Grant[]): Problem[] {
  const byPort = grouped(
    grants.filter(({ port }) => !port.isTcp),
    ({ from, port }) => `${from.namespace} ${port.number}`,
  );
  return [...byPort.values()].flatMap((some) => {
    const http = some.find(({ port }) => port.isHttp);
    const tls = some.find(({ port }) => port.isTls);
    if (!http || !tls) return [];
    return [
      {
        what: `port ${http.port.number} is ${http.port.protocol} for ${quote(http.host)} in ${whereOf(http)} and ${tls.port.protocol} for ${quote(tls.host)} in ${whereOf(tls)}, both from namespace ${quote(http.from.namespace)}`,
        why: 'a sidecar reads a port as HTTP or as TLS, and breaks the host of the other',
        fix: 'declare the protocol that applications speak on the port; where both are spoken, let the callers be of different namespaces',
      },
    ];
  });
}

/** A gateway that admits by policy refuses everybody that no policy names. */
function handMadeRoutes(gateway: EgressGatewayBase, grants: readonly Grant[]): Problem[] {
  if (!grants.length) return [];
  return gateway._routePaths().map((path) => ({
    what: `gateway ${quote(gateway.gateway.name)} forwards by ${path}, and admits by ${whereOf(grants[0])}`,
    why: 'once a policy says who may use a gateway, it refuses all others, so what is forwarded by hand would be answered 403',
    fix: 'replace `forward(...)` by a rule of an EgressTrafficPolicy, or use another gateway',
  }));
}

/** One host of one caller goes through one gateway; and a service that a policy decides on has no way beside it. */
export function policiesAgainstEachOther(
  policies: readonly EgressTrafficPolicy[],
): Array<{ at: IConstruct; problem: Problem }> {
  if (!policies.length) return [];
  return [...twoGateways(policies), ...besidePolicy(policies)];
}

function twoGateways(policies: readonly EgressTrafficPolicy[]): Array<{ at: IConstruct; problem: Problem }> {
  const found: Array<{ at: IConstruct; problem: Problem }> = [];
  const seen = new Map<string, Map<EgressTrafficPolicy['gateway'], Grant>>();
  for (const policy of policies) {
    for (const grant of policy._grants) {
      // A service shows itself to one gateway; a host of two services may have two where no namespace calls both.
      for (const key of [`${grant.host} from ${grant.from.namespace}`, `service ${grant.service.node.path}`]) {
        const gateways = seen.get(key) ?? new Map<EgressTrafficPolicy['gateway'], Grant>();
        seen.set(key, gateways);
        const known = gateways.has(policy.gateway);
        const other = [...gateways.entries()].find(([gateway]) => gateway !== policy.gateway);
        gateways.set(policy.gateway, gateways.get(policy.gateway) ?? grant);
        if (known || !other) continue;
        found.push({
          at: policy,
          problem: {
            what: `host ${quote(grant.host)} goes through ${other[0].node.path} by ${whereOf(other[1])}, and through ${policy.gateway.node.path} by ${whereOf(grant)}`,
            why: 'a sidecar has one route for a host, and obeys the older of two',
            fix: 'let both rules use one gateway',
          },
        });
        break;
      }
    }
  }
  return found;
}

function besidePolicy(policies: readonly EgressTrafficPolicy[]): Array<{ at: IConstruct; problem: Problem }> {
  const routes = meshMembers<MeshRoute>('mesh route', policies[0]);
  const byService = new Map(
    policies.flatMap(({ _grants }) => _grants.map((grant) => [grant.service as unknown, grant] as const)),
  );
  return routes.flatMap((route) => {
    const grant = byService.get(route.service);
    if (!grant) return [];
    return [
      {
        at: route,
        problem: {
          what: `${route.service.node.path} is routed by ${route.node.path}, and by ${whereOf(grant)}`,
          why: 'a policy shows the service to its gateway only, so the other route would find no host to send to',
          fix: 'keep one of the two',
        },
      },
    ];
  });
}
