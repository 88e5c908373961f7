/** Subsets of DestinationRules that have another name than before and are the same else: no request fares otherwise by their names. */
import { canonical } from '../model/canonical';
import { record, records, text } from '../model/fields';
import { resolveShortName } from '../model/hostnames';
import type { Mesh } from '../model/mesh';

/** Clusters of the old side by their names on the new one, and the other way round. */
export interface Renaming {
  readonly isAny: boolean;
  readonly now: (cluster: string) => string;
  readonly before: (clusters: ReadonlySet<string>) => ReadonlySet<string>;
}

const NONE: Renaming = { isAny: false, now: (cluster) => cluster, before: (clusters) => clusters };

export function renamedSubsets([was, is]: readonly [Mesh, Mesh]): Renaming {
  return is.remember(was, 'diff: renamed subsets', () => {
    const [before, after] = [subsetsByHost(was), subsetsByHost(is)];
    const renamed = new Map<string, string>();
    for (const [host, own] of before) {
      const now = after.get(host);
      if (now === undefined) continue;
      for (const [name, body] of own) {
        if (now.has(name)) continue;
        const others = [...now].filter(([other, said]) => !own.has(other) && said === body);
        const twins = [...own].filter(([other, said]) => !now.has(other) && said === body);
        if (others.length === 1 && twins.length === 1) renamed.set(`${host}|${name}`, others[0]?.[0] ?? name);
      }
    }
    if (renamed.size === 0) return NONE;
    const old = new Map([...renamed].map(([key, name]) => [`${key.slice(0, key.indexOf('|'))}|${name}`, key.slice(key.indexOf('|') + 1)])); // prettier-ignore
    return {
      isAny: true,
      now: (cluster) => withName(cluster, renamed),
      before: (clusters) => new Set([...clusters].map((cluster) => withName(cluster, old))),
    };
  });
}

function withName(cluster: string, names: ReadonlyMap<string, string>): string {
  const [direction = '', port = '', subset = '', host = '', ...rest] = cluster.split('|');
  const name = names.get(`${host}|${subset}`);
  return name === undefined ? cluster : [direction, port, name, host, ...rest].join('|');
}

/** What each subset of a host says, by its name; where rules for it differ in that, it is none that could have been renamed. */
function subsetsByHost(mesh: Mesh): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const found = new Map<string, Map<string, string>>();
  for (const { namespace, body } of mesh.of('networking.istio.io', 'DestinationRule')) {
    const spec = record(record(body).spec);
    const host = resolveShortName(text(spec.host), namespace, mesh.config.clusterDomain);
    const own = found.get(host) ?? new Map<string, string>();
    found.set(host, own);
    for (const [index, { name, ...subset }] of records(spec.subsets).entries()) {
      const said = canonical(subset);
      const known = own.get(text(name));
      own.set(text(name), known === undefined || known === said ? said : `${namespace} ${index} ${said}`);
    }
  }
  return found;
}
