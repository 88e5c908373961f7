/** TLS whose SNI is another name than the one that was dialled: which names are worth trying at a target. */
import { record, records, texts } from '../model/fields';
import type { Mesh } from '../model/mesh';
import type { Target } from './universe';

/** A name that no object is about. */
const NOBODYS = 'never-registered.example';
/** Names that are tried at one target, beside one that nobody has. */
const MOST_NAMES = 8;

/**
 * The same target with other SNIs, where routes of the host or policies ask for any: a name that no object has, and those that they ask
 * for. A name that a Service or entry has is followed as a host of its own.
 */
export function otherNames(target: Target, meshes: readonly Mesh[]): readonly Target[] {
  if (target.scheme !== 'https' && target.scheme !== 'tls') return [];
  const names = new Set<string>();
  for (const mesh of meshes) {
    for (const route of mesh.virtualServices.forHost(target.host))
      for (const rule of route.tls)
        for (const { sniHosts } of rule.matches)
          for (const one of sniHosts) if (mesh.services.named(one).size === 0) names.add(plain(one));
    for (const one of asked(mesh)) names.add(plain(one));
  }
  if (names.size === 0) return [];
  names.delete(target.host);
  return [NOBODYS, ...[...names].sort().slice(0, MOST_NAMES)].map((sni) => ({ ...target, sni }));
}

/** Values of `connection.sni`. */
function asked(mesh: Mesh): ReadonlySet<string> {
  return mesh.remember(mesh, 'traffic: SNIs that policies ask for', () => {
    const found = new Set<string>();
    for (const { body } of mesh.of('security.istio.io', 'AuthorizationPolicy'))
      for (const rule of records(record(body.spec).rules))
        for (const { key, values, notValues } of records(rule.when))
          if (key === 'connection.sni') for (const one of [...texts(values), ...texts(notValues)]) found.add(one);
    return found;
  });
}

/** A name that a pattern takes. */
function plain(pattern: string): string {
  return pattern.replace(/^\*\.?/, 'any.').replace(/\*$/, 'any');
}
