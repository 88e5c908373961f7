import type { Service } from '../model/services';
import { ANY_ADDRESS } from '../model/addresses';

/**
 * The other names under which a client of a namespace may call a service: with a trailing dot, and for Services of the cluster
 * the shorter forms that its DNS search path completes.
 */
export function alternativeHosts(host: string, clientNamespace: string, clusterDomain: string): readonly string[] {
  const names = /^[\d.]+$|:/.test(host) ? [] : [`${host}.`];
  if (!host.endsWith(`.svc.${clusterDomain}`)) return names;
  const upToNamespace = host.slice(0, host.indexOf('.svc.'));
  const dot = host.indexOf('.');
  if (dot + 1 > upToNamespace.length) return names;
  const [name, namespace] = [host.slice(0, dot), upToNamespace.slice(dot + 1)];
  if (namespace === clientNamespace) return [...names, name, `${upToNamespace}.svc`, upToNamespace];
  return [...names, upToNamespace, `${upToNamespace}.svc`];
}

export interface Domains {
  readonly all: readonly string[];
  /** Those of them that are expansions, which give way to a service of just that name. */
  readonly expanded: readonly string[];
}

/** Every Host under which a service answers on a port; `host` is its own as routes have it. */
export function serviceDomains(
  host: string,
  service: Service,
  clientNamespace: string,
  clusterDomain: string,
): Domains {
  const expanded: string[] = [];
  let all: string[] = [];
  const add = (name: string): void => {
    const others = alternativeHosts(name, clientNamespace, clusterDomain);
    all.push(name, ...others);
    expanded.push(...others);
  };
  add(host);
  service.aliases.forEach(add);
  if (service.resolution === 'PASSTHROUGH' && service.registry === 'Kubernetes')
    all = [...all, ...all.map((domain) => `*.${domain}`)];
  for (const address of [service.address, ...service.extraAddresses])
    if (address !== ANY_ADDRESS)
      all.push(
        address.includes(':') && !address.includes('/') && /^[0-9a-f:]+$/i.test(address) ? `[${address}]` : address,
      );
  return { all, expanded };
}
