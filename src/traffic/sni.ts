/** TLS whose SNI is another name than the one that was dialled: which names are worth trying at a target. */
import { record, records, text } from '../model/fields';
import { isSubsetOf, isWildcard } from '../model/hostnames';
import { serversOf } from '../model/merged-gateway';
import type { Mesh } from '../model/mesh';
import { UNKNOWN_HOST, type Target } from './universe';

/**
 * The same target with other SNIs. A listener looks an SNI up among the names that it has: worth trying are those of the routes of the host
 * and, at a gateway, those of servers that take the Host too; a name that a Service or entry has is followed as a host of its own. Whatever
 * else a policy asks of an SNI tells apart those that no listener has, of which one is followed.
 */
export function otherNames(target: Target, meshes: readonly Mesh[], at?: string): readonly Target[] {
  if (target.scheme !== 'https' && target.scheme !== 'tls') return [];
  const names = new Set<string>();
  for (const mesh of meshes) {
    for (const route of mesh.virtualServices.forHost(target.host))
      for (const rule of route.tls)
        for (const { sniHosts } of rule.matches)
          for (const one of sniHosts) if (mesh.services.named(one).size === 0) names.add(plain(one));
    if (asks(mesh)) names.add(UNKNOWN_HOST);
    if (at !== undefined) for (const one of serversOver(target, at, mesh)) names.add(plain(one));
  }
  if (names.size === 0) return [];
  names.delete(target.host);
  return [...names.add(UNKNOWN_HOST)].sort().map((sni) => ({ ...target, sni }));
}

/** Whether a policy asks for the SNI. */
function asks(mesh: Mesh): boolean {
  return mesh.remember(mesh, 'traffic: whether policies ask for the SNI', () =>
    mesh
      .of('security.istio.io', 'AuthorizationPolicy')
      .some(({ body }) =>
        records(record(body.spec).rules).some(({ when }) => records(when).some(({ key }) => key === 'connection.sni')),
      ),
  );
}

/**
 * Names of servers with TLS on the same port whose routes may have the Host, though the name itself leads to another: whoever says one of
 * them gets by what the other demands of its clients.
 */
function serversOver({ host, port }: Target, at: string, mesh: Mesh): readonly string[] {
  const [namespace = '', name = ''] = at.split('/');
  const own = [...mesh.gateways, ...mesh.ingresses].find((one) => one.namespace === namespace && one.name === name);
  const selected = own === undefined ? [] : [...mesh.gateways, ...mesh.ingresses].filter((one) => isAlike(one.spec.selector, own.spec.selector)); // prettier-ignore
  const byServers = selected
    .flatMap(serversOf)
    .filter((server) => server.tls !== undefined && server.port === port)
    .flatMap(({ hosts }) => hosts.map((one) => one.slice(one.indexOf('/') + 1)));
  const byListeners = (mesh.gatewayApi.find(namespace, name)?.listeners ?? [])
    .filter((listener) => listener.port === port && /^(HTTPS|TLS)$/.test(text(listener.protocol)))
    .map(({ hostname }) => hostname);
  return [...byServers, ...byListeners].filter((one) => isWildcard(one) && one !== host && isSubsetOf(host, one));
}

function isAlike(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** A name that a pattern takes. */
function plain(pattern: string): string {
  return pattern === '*' ? UNKNOWN_HOST : pattern.replace(/^\*\.?/, 'any.').replace(/\*$/, 'any');
}
