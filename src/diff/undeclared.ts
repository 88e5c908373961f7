/**
 * Requests that no object speaks of: in another protocol than is declared for the port, and to the Services of gateways by their own names.
 * Few send any, and so they are followed only where nothing else has changed: before it is said that nothing has.
 */
import type { Mesh } from '../model/mesh';
import type { Target } from '../traffic/universe';
import { isGatewayService, otherHostProbes, probe, probesAt, probesTo, type Probe, type Probes } from './requests';

const SCHEMES = ['http', 'https', 'tcp'] as const;

export const UNDECLARED: Probes = {
  to: (host, meshes) => {
    const declared = probesTo(host, meshes);
    return meshes.some((mesh) => isGatewayService(mesh, host))
      ? [...declared, ...others(declared, meshes)]
      : others(declared, meshes);
  },
  elsewhere: (ports, meshes) => others(otherHostProbes(ports, meshes), meshes),
  at: (gateway, host, meshes) => others(probesAt(gateway, host, meshes), meshes),
};

/** The same places in each protocol that none of them has. */
function others(declared: readonly Probe[], meshes: readonly Mesh[]): readonly Probe[] {
  const known = new Set(declared.map(({ target }) => keyOf(target)));
  const wanted = new Map<string, Probe>();
  for (const { target } of declared)
    for (const scheme of SCHEMES) {
      const { host, port, address } = target;
      // A connection alone says nothing of its host: of names that nobody has, it is followed by its address.
      if (scheme === 'tcp' && host.startsWith('*') && address === undefined) continue;
      const key = keyOf({ ...target, scheme });
      if (!known.has(key)) wanted.set(key, probe({ host, scheme, port, address }, meshes));
    }
  return [...wanted.values()];
}

function keyOf({ scheme, host, port, address = '' }: Target): string {
  return `${scheme === 'tls' ? 'https' : scheme} ${host} ${port} ${address}`;
}
