import type { Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { nameOf } from '../edge';
import {
  GATEWAY_API,
  type Listener,
  ROUTE_KINDS,
  type Reference,
  admits,
  gatewaySpec,
  routeSpec,
} from '../gateway-api';
import { overlaps } from '../hosts';
import type { Hit, Rule } from '../rule';
import { entry } from '../../model/fields';

/** Protocols of listeners that a kind of route can attach to. */
const PROTOCOLS: Record<string, readonly string[]> = { HTTPRoute: ['HTTP', 'HTTPS'], GRPCRoute: ['HTTP', 'HTTPS'], TLSRoute: ['TLS'], TCPRoute: ['TCP', 'TLS'], UDPRoute: ['UDP'] }; // prettier-ignore

export const rule: Rule = {
  id: 'EDGE801',
  name: 'route-not-attached',
  severity: 'error',
  title: 'A route attaches to no listener of its Gateway',
  why: 'A route counts on listeners that exist, admit its namespace and kind, and share a hostname with it. On any other the requests get 404.',
  fix: "Make the route's parentRef, namespace, kind and hostnames fit a listener.",
  see: 'https://gateway-api.sigs.k8s.io/api-types/httproute/',
  reads: [...ROUTE_KINDS],
  findsAbsence: true,
  footguns: ['G01', 'G02', 'G09'],
  *check(context) {
    for (const kind of ROUTE_KINDS) {
      for (const manifest of context.of(GATEWAY_API, kind)) {
        for (const [at, parent] of (routeSpec(manifest).parentRefs ?? []).entries()) {
          if ((parent.kind ?? 'Gateway') !== 'Gateway' || (parent.group ?? GATEWAY_API) !== GATEWAY_API) continue;
          const hit = judge(context, manifest, parent);
          if (hit)
            yield {
              manifest,
              field: ['spec', 'parentRefs', at, ...(hit.part ? [hit.part] : [])],
              what: hit.what,
              severity: hit.severity,
            };
        }
      }
    }
  },
};

interface Verdict {
  readonly what: string;
  readonly part?: string;
  readonly severity: NonNullable<Hit['severity']>;
}

function judge(context: CheckContext, route: Manifest, parent: Reference): Verdict | undefined {
  const namespace = parent.namespace ?? route.namespace;
  const gateways = context.of(GATEWAY_API, 'Gateway');
  const gateway = gateways.find((candidate) => candidate.namespace === namespace && candidate.name === parent.name);
  if (!gateway) {
    const elsewhere = gateways.filter(({ name }) => name === parent.name);
    return elsewhere.length > 0
      ? {
          what: `there is no Gateway ${namespace}/${parent.name}, but there is ${elsewhere.map((one) => `${one.namespace}/${one.name}`).join(', ')}`,
          part: parent.namespace ? 'namespace' : 'name',
          severity: 'error',
        }
      : undefined;
  }
  const all = gatewaySpec(gateway).listeners ?? [];
  const named = all.filter(
    ({ name, port }) =>
      (parent.sectionName === undefined || name === parent.sectionName) &&
      (parent.port === undefined || port === parent.port),
  );
  if (named.length === 0)
    return {
      what: `${nameOf(gateway)} has no listener ${[parent.sectionName && JSON.stringify(parent.sectionName), parent.port && `on port ${parent.port}`].filter(Boolean).join(' ')}; it has ${all.map(({ name }) => name).join(', ')}`,
      part: parent.sectionName ? 'sectionName' : 'port',
      severity: 'error',
    };
  const ofKind = named.filter((listener) => takesKind(listener, route.kind));
  if (ofKind.length === 0)
    return {
      what: `a ${route.kind} cannot attach to ${named.map(({ name, protocol }) => `${name} (${protocol})`).join(', ')} of ${nameOf(gateway)}`,
      severity: 'error',
    };
  const idle = ofKind.map((listener) => idleInIstio(context, gateway, listener));
  if (idle.every((why) => why !== undefined))
    return {
      what: `no listener of ${nameOf(gateway)} takes it: ${[...new Set(idle)].join('; ')}`,
      severity: 'warning',
    };
  const labels = context.of('', 'Namespace').find(({ name }) => name === route.namespace)?.labels;
  const verdicts = ofKind.map((listener) => admits(listener, gateway, route.namespace, labels));
  if (verdicts.every((verdict) => verdict === false))
    return {
      what: `${ofKind.map(({ name }) => name).join(', ')} of ${nameOf(gateway)} lets no routes of namespace ${route.namespace} in (allowedRoutes.namespaces.from is ${ofKind[0]?.allowedRoutes?.namespaces?.from ?? 'Same'})`,
      severity: 'error',
    };
  const hostnames = routeSpec(route).hostnames ?? [];
  const fitting = ofKind.filter(
    (listener, at) =>
      verdicts[at] !== false &&
      (!listener.hostname ||
        hostnames.length === 0 ||
        hostnames.some((hostname) => overlaps(hostname, listener.hostname ?? ''))),
  );
  if (fitting.length === 0)
    return {
      what: `the hostnames ${hostnames.join(', ')} are none of ${ofKind.map(({ hostname }) => hostname).join(', ')}, which ${nameOf(gateway)} has`,
      severity: 'error',
    };
  return undefined;
}

/** Why istiod makes nothing of a listener for TLS or TCP. */
function idleInIstio({ mesh }: CheckContext, gateway: Manifest, { name, protocol = '' }: Listener): string | undefined {
  if (protocol !== 'TLS' && protocol !== 'TCP') return undefined;
  const made = mesh.gatewayApi.find(gateway.namespace, gateway.name);
  if (made?.controller !== 'istio' || mesh.config.apiKindsRead[`${protocol}Route`]) return undefined;
  return made.listeners.find((listener) => listener.name === name)?.problem;
}

function takesKind({ protocol = '', allowedRoutes }: Listener, kind: string): boolean {
  const kinds = allowedRoutes?.kinds ?? [];
  if (kinds.length > 0) return kinds.some((entry) => entry.kind === kind);
  const known = entry(PROTOCOLS, kind) ?? [];
  return known.includes(protocol) || !['HTTP', 'HTTPS', 'TLS', 'TCP', 'UDP'].includes(protocol);
}
