/** Workloads, gateways and waypoints among them, that have another name than before and are the same else: no request fares otherwise by their names. */
import { canonical } from '../model/canonical';
import { GATEWAY_API } from '../model/gateway-api';
import type { Mesh } from '../model/mesh';
import { push } from '../model/objects';
import { shownName, type Workload } from '../model/workloads';

export interface RenamedProxies {
  readonly isAny: boolean;
  /** The new name of `NAMESPACE/NAME`. */
  readonly now: (proxy: string) => string;
  /** An identity that goes by the name of such a proxy, by its new one. */
  readonly identity: (identity: string) => string;
  /** Hosts of their own Services, under the old names and the new ones: whoever dials them by these is not followed. */
  readonly hosts: ReadonlySet<string>;
}

interface Proxy {
  readonly name: string;
  readonly account: string;
  /** Those that are alike in it may be one under two names. */
  readonly shape: string;
  /** Whether it is made of a Gateway, and named after it. */
  readonly isMade: boolean;
}

export function renamedProxies([was, is]: readonly [Mesh, Mesh]): RenamedProxies {
  return is.remember(was, 'diff: renamed proxies', () => {
    const [before, after] = [proxiesOf(was), proxiesOf(is)];
    const names = new Map<string, string>();
    const accounts = new Map<string, string>();
    const hosts = new Set<string>();
    const [gone, come] = [missing(before, after), missing(after, before)];
    for (const [shape, [old, ...others]] of gone) {
      const [now, ...more] = come.get(shape) ?? [];
      if (old === undefined || now === undefined || others.length + more.length > 0) continue;
      names.set(old.name, now.name);
      if (!now.isMade) continue;
      accounts.set(old.account, now.account);
      for (const [mesh, { name }] of [[was, old], [is, now]] as const) hosts.add(hostOf(mesh, name)); // prettier-ignore
    }
    return {
      isAny: names.size > 0,
      now: (proxy) => names.get(proxy) ?? proxy,
      identity: (identity) => {
        const [, own = ''] = /(\/?ns\/[^/]+\/sa\/[^/]+)$/.exec(identity) ?? [];
        const now = accounts.get(own.replace(/^\//, ''));
        return now === undefined ? identity : identity.replace(/ns\/[^/]+\/sa\/[^/]+$/, now);
      },
      hosts,
    };
  });
}

function hostOf({ config }: Mesh, proxy: string): string {
  const [namespace = '', name = ''] = proxy.split('/');
  return `${name}.${namespace}.svc.${config.clusterDomain}`;
}

function missing(own: readonly Proxy[], others: readonly Proxy[]): ReadonlyMap<string, readonly Proxy[]> {
  const known = new Set(others.map(({ name }) => name));
  const found = new Map<string, Proxy[]>();
  for (const one of own) if (!known.has(one.name)) push(found, one.shape, one);
  return found;
}

/** One for all Pods that go by one name. */
function proxiesOf(mesh: Mesh): readonly Proxy[] {
  const found = new Map<string, Proxy>();
  for (const workload of mesh.workloads.all) {
    if (workload.manifest === undefined && workload.membership !== 'gateway' && workload.membership !== 'waypoint') continue; // prettier-ignore
    const { namespace, serviceAccount, membership, labels, runs, namedPorts } = workload;
    const name = `${namespace}/${shownName(workload)}`;
    const made = shapeOfGateway(mesh, workload);
    const shape = made ?? canonical([namespace, membership, labels, serviceAccount, runs, [...namedPorts]]);
    found.set(name, { name, account: `ns/${namespace}/sa/${serviceAccount}`, shape, isMade: made !== undefined });
  }
  return [...found.values()];
}

/** What a Gateway of the Gateway API says of the proxies that are made of it. */
function shapeOfGateway(mesh: Mesh, { namespace, labels }: Workload): string | undefined {
  const name = labels[`${GATEWAY_API}/gateway-name`];
  const gateway = name === undefined ? undefined : mesh.gatewayApi.find(namespace, name);
  return gateway && canonical([namespace, gateway.className, gateway.config.spec]);
}
