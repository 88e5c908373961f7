/** Routes that name a Gateway of the Gateway API and are not attached to it, whoever's it is. */
import type { Against, Unattached } from '../model/attachments';
import type { ApiRoute } from '../model/gateway-api';
import { isSubsetOf } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import { refOf } from './refs';
import type { CloserListener, ListenerAgainst, Reason, UnattachedRoute, WhyUnattached } from './reasons';
import type { Decision, ObjectRef } from './types';

export function unattachedRoute({ kind, config }: ApiRoute, why: WhyUnattached): UnattachedRoute {
  return { route: refOf({ ...config, kind }), why };
}

/** @param gateway `NAMESPACE/NAME` */
export function unattachedTo(mesh: Mesh, gateway: string): readonly UnattachedRoute[] {
  return mesh.gatewayApi.unattached
    .filter((item) => item.gateway === gateway)
    .map((item) => unattachedRoute(item.route, whyUnattached(item)));
}

export function whyUnattached({ why, against }: Unattached): WhyUnattached {
  return why.is === 'no-listener' ? { is: 'no-listener', listeners: against.map(told) } : why;
}

function told(against: Against): ListenerAgainst {
  const { name, port, protocol, hostname } = against.listener;
  return { ...against, listener: { name, port, protocol, hostname } };
}

/** The Gateway or ListenerSet whose listener a connection came to; undefined if it was a server of Istio's own Gateway. */
function ownerOf(by: readonly (Decision | null)[]): ObjectRef | undefined {
  const owner = by.find((one) => one?.field?.startsWith('spec.listeners') === true);
  return owner == null ? undefined : { kind: owner.kind, namespace: owner.namespace, name: owner.name };
}

/** Why a listener of Istio's has no route for a host; undefined if it is no listener. */
export function noHostname(mesh: Mesh, by: readonly (Decision | null)[], host: string): Reason | undefined {
  const gateway = ownerOf(by);
  if (gateway === undefined) return undefined;
  return {
    kind: 'no-hostname',
    gateway,
    host,
    unattached: unattachedTo(mesh, `${gateway.namespace}/${gateway.name}`),
    closer: closerListener(mesh, gateway, host),
  };
}

/** Requests belong to the listener whose hostname is the closest: a route for their host at another one gets none of them. */
function closerListener(mesh: Mesh, { namespace, name }: ObjectRef, host: string): CloserListener | null {
  for (const { route, gateway, listener } of mesh.gatewayApi.attachments) {
    if (gateway.config.namespace !== namespace || gateway.config.name !== name || !/^(HTTP|GRPC)Route$/.test(route.kind)) continue; // prettier-ignore
    if (!route.hostnames.some((own) => isSubsetOf(host, own)) || !isSubsetOf(host, listener.hostname)) continue;
    const other = gateway.listeners.find(
      ({ port, hostname }) =>
        port === listener.port &&
        hostname !== listener.hostname &&
        isSubsetOf(host, hostname) &&
        isSubsetOf(hostname, listener.hostname),
    );
    if (other !== undefined) return { route: refOf(route.config), at: listener.name, listener: other.name, hostname: other.hostname }; // prettier-ignore
  }
  return null;
}

/** The same of a listener whose connections are read no further. */
export function noL4Route(
  mesh: Mesh,
  by: Decision | null,
  wanted: { readonly sni: string | null; readonly port: number },
): Reason | undefined {
  const gateway = ownerOf([by]);
  if (gateway === undefined) return undefined;
  return { kind: 'no-l4-route', ...wanted, unattached: unattachedTo(mesh, `${gateway.namespace}/${gateway.name}`) };
}
