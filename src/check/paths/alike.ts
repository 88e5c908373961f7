/**
 * Clients that nothing tells apart for a host: there may be hundreds of namespaces, of which each has hosts of its own and is like all others as to
 * every other host. One that gets through stands for them; what is refused is followed for each, since its words name who asks.
 */
import { canonical } from '../../model/canonical';
import { overlaps } from '../../model/hostnames';
import { push } from '../../model/objects';
import { clientClasses } from '../../traffic/clients';
import { type CheckContext, defineIndex } from '../context';
import { fullHost } from '../edge';
import { NETWORKING, specOf } from '../istio';
import type { Client } from './clients';
import type { Followed } from './followed';

/** What clients have in common that fare alike, but for hosts of their own namespaces; undefined for one who is told apart. */
export function kindOf(context: CheckContext, { from, isAssumed }: Client): string | undefined {
  return isAssumed ? undefined : context.index(kinds).get(from);
}

const kinds = defineIndex('kinds of clients', ({ mesh }): ReadonlyMap<string, string> => {
  const found = new Map<string, string>();
  // Policies for packets choose namespaces by labels of any key.
  if (mesh.of('networking.k8s.io', 'NetworkPolicy').length > 0) return found;
  for (const { index, members, likeElsewhere } of clientClasses(mesh, mesh)) {
    if (members.length < 2 && !likeElsewhere) continue;
    for (const { namespace, name } of members) {
      const labels = Object.entries(mesh.namespaces.get(namespace)?.labels ?? {}).filter(([key]) => /istio/.test(key));
      found.set(`${namespace}/${name ?? ''}`, `${likeElsewhere ? 'like all' : index} ${canonical(Object.fromEntries(labels))}`); // prettier-ignore
    }
  }
  return found;
});

/** Whether objects of a namespace are about a host, or about one that its requests are led to on the way. */
export function isOwnMatter(
  context: CheckContext,
  namespace: string,
  host: string,
  ways: readonly Followed[],
): boolean {
  const own = context.index(hostsByNamespace).get(namespace);
  if (own === undefined) return false;
  const met = new Set([host, ...ways.flatMap(({ hops }) => hops.flatMap(({ cluster }) => cluster?.split('|')[3] ?? []))]); // prettier-ignore
  return [...met].some((one) => own.names.has(one) || own.wild.some((pattern) => overlaps(pattern, one)) || (one.includes('*') && [...own.names].some((name) => overlaps(one, name)))); // prettier-ignore
}

interface Hosts {
  readonly names: ReadonlySet<string>;
  readonly wild: readonly string[];
}

const hostsByNamespace = defineIndex('hosts by namespace', (context): ReadonlyMap<string, Hosts> => {
  const { mesh } = context;
  const all = new Map<string, string[]>();
  for (const { namespace, host } of mesh.services.all) push(all, namespace, host);
  for (const { namespace, hosts } of mesh.virtualServices.all) for (const host of hosts) push(all, namespace, host);
  for (const manifest of context.of(NETWORKING, 'DestinationRule'))
    push(all, manifest.namespace, fullHost(context, specOf('DestinationRule', manifest).host ?? '', manifest.namespace)); // prettier-ignore
  return new Map(
    [...all].map(([namespace, hosts]) => [
      namespace,
      { names: new Set(hosts), wild: hosts.filter((host) => host.includes('*')) },
    ]),
  );
});
