import { Construct } from 'constructs';
import { covers, hostProblems } from '../core/hostname';
import { Problem, quote } from '../core/problem';
import { namesNamespaces } from '../mesh/namespace-names';
import { IngressBackend } from './ingress-backend';
import { IIngressGateway } from './ingress-gateway';
import { IngressListener } from './ingress-listener';
import { grantReferences } from './reference-grants';

/** @internal */
export const GATEWAY_API_GROUP = 'gateway.networking.k8s.io';

/** @internal */
export interface RouteAttachment {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly gateway: IIngressGateway;
  readonly listenerNames: readonly string[];
  readonly hostnames: readonly string[];
  /** Whether a route of this kind can attach to the listener. */
  readonly fits: (listener: IngressListener) => boolean;
}

/**
 * Attaches a route to its gateway: admits its namespace, and renders the grants for its backends elsewhere.
 *
 * @internal
 */
export function attachRoute(scope: Construct, route: RouteAttachment, backends: readonly IngressBackend[]): void {
  route.gateway.admitRoutes(route.namespace, [...route.listenerNames]);
  const { ingressClass, namespace } = route.gateway;
  for (const { _external } of backends) _external?.showIn(ingressClass.proxyNamespace || namespace);
  const grants = backends.flatMap((backend) => backend._grants(GATEWAY_API_GROUP, route.kind, route.namespace));
  grantReferences(scope, route.name, grants);
  namesNamespaces(scope, () => backends.flatMap((backend) => backend._named()));
}

/** @internal */
export function parentRefs(
  route: RouteAttachment,
): Array<{ group: string; kind: string; name: string; namespace?: string; sectionName?: string }> {
  const { gateway, namespace } = route;
  const ref = {
    // A Service is of the core group, and takes routes for its clients in the mesh.
    group: gateway.kind === 'Service' ? '' : GATEWAY_API_GROUP,
    kind: gateway.kind,
    name: gateway.name,
    namespace: gateway.namespace === namespace ? undefined : gateway.namespace,
  };
  return route.listenerNames.length ? route.listenerNames.map((sectionName) => ({ ...ref, sectionName })) : [ref];
}

/** @internal */
export function attachmentProblems(route: RouteAttachment): Problem[] {
  const { gateway, listenerNames, hostnames } = route;
  const problems = hostnames.flatMap(hostProblems);
  if (!gateway.listeners.length) return problems;
  const known = gateway.listeners.map((listener) => listener.name);
  const unknown = listenerNames.filter((name) => !known.includes(name));
  problems.push(
    ...unknown.map((name) => ({
      what: `listener ${quote(name)}, which ${gateway.node.path} has not`,
      why: 'the route would not be attached',
      fix: `use ${known.map(quote).join(' or ')}`,
    })),
  );
  const chosen = listenerNames.length
    ? gateway.listeners.filter((listener) => listenerNames.includes(listener.name))
    : gateway.listeners;
  const fitting = chosen.filter(route.fits);
  if (chosen.length && !fitting.length) {
    problems.push({
      what: `no listener of ${gateway.node.path} takes ${route.kind}s`,
      why: 'the route would not be attached',
      fix: `its listeners are ${chosen.map((one) => `${quote(one.name)} (${one.protocol})`).join(', ')}: add one of the right protocol`,
    });
  }
  if (fitting.length) problems.push(...hostnames.flatMap((host) => unreachableHost(host, fitting, gateway)));
  return problems;
}

/** A route's host counts only where a listener's hostname takes it in, or the other way about. */
function unreachableHost(host: string, listeners: readonly IngressListener[], gateway: IIngressGateway): Problem[] {
  const meets = ({ hostname }: IngressListener) =>
    hostname === undefined || covers(hostname, host) || covers(host, hostname);
  if (listeners.some(meets)) return [];
  const theirs = listeners.map((listener) => quote(listener.hostname)).join(' and ');
  return [
    {
      what: `hostname ${quote(host)} is none that ${gateway.node.path} listens for (${theirs})`,
      why: 'requests for it would never reach the route',
      fix: 'use a hostname that a listener takes in, or widen the listener',
    },
  ];
}
