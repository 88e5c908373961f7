/** Delegates: VirtualServices whose rules stand in the place of those that name them. */
import { optionalRecord, text, type Json } from './fields';
import { compareAge } from './objects';
import type { HttpMatch, HttpRule, Parsed, RuleRef, Unmerged, VirtualService } from './virtual-services';

function kindOf(match: Json | undefined): readonly [string, string] | undefined {
  if (match === undefined) return undefined;
  for (const kind of ['exact', 'prefix', 'regex']) if (text(match[kind]) !== '') return [kind, text(match[kind])];
  return ['', ''];
}

function stringsConflict(root: Json | undefined, leaf: Json | undefined): boolean {
  const [a, b] = [kindOf(root), kindOf(leaf)];
  if (a === undefined || b === undefined) return false;
  if (a[0] === 'regex' && b[0] !== '') return true;
  if (b[0] === 'regex' && a[0] !== '') return true;
  if (a[0] === 'exact') return b[0] === 'prefix' || !(b[0] === 'exact' && b[1] === a[1]);
  if (a[0] === 'prefix' && (b[0] === 'prefix' || b[0] === 'exact')) return !b[1].startsWith(a[1]);
  return true;
}

function matchesConflict(root: HttpMatch, leaf: HttpMatch): boolean {
  const maps = [
    [root.headers, leaf.headers],
    [root.withoutHeaders, leaf.withoutHeaders],
    [root.queryParams, leaf.queryParams],
  ] as const;
  return (
    stringsConflict(root.uri, leaf.uri) ||
    stringsConflict(root.scheme, leaf.scheme) ||
    stringsConflict(root.method, leaf.method) ||
    stringsConflict(root.authority, leaf.authority) ||
    maps.some(([a, b]) =>
      Object.keys(b).some((key) => stringsConflict(optionalRecord(a[key]), optionalRecord(b[key]))),
    ) ||
    root.ignoreUriCase !== leaf.ignoreUriCase ||
    (root.port > 0 && leaf.port > 0 && root.port !== leaf.port) ||
    (root.sourceNamespace !== '' && leaf.sourceNamespace !== root.sourceNamespace) ||
    Object.entries(leaf.sourceLabels).some(
      ([key, value]) => root.sourceLabels[key] !== undefined && root.sourceLabels[key] !== value,
    ) ||
    (root.gateways.length > 0 &&
      leaf.gateways.length > 0 &&
      (root.gateways.length < leaf.gateways.length ||
        leaf.gateways.some((gateway) => !root.gateways.includes(gateway))))
  );
}

/** A delegate's match inside its root's: each of the leaf's must be narrower than one of the root's. Undefined on conflict. */
function mergeMatches(root: readonly HttpMatch[], leaf: readonly HttpMatch[]): readonly HttpMatch[] | undefined {
  if (root.length === 0) return leaf;
  // A rule of the delegate without matches has none that could be named.
  if (leaf.length === 0) return root.map(({ at: _, ...match }) => match);
  const merged: HttpMatch[] = [];
  for (const inner of leaf) {
    const outer = root.filter((candidate) => !matchesConflict(candidate, inner));
    if (outer.length === 0) return undefined;
    for (const match of outer) {
      merged.push({
        ...inner,
        uri: inner.uri ?? match.uri,
        scheme: inner.scheme ?? match.scheme,
        method: inner.method ?? match.method,
        authority: inner.authority ?? match.authority,
        headers: { ...match.headers, ...inner.headers },
        withoutHeaders: { ...match.withoutHeaders, ...inner.withoutHeaders },
        queryParams: { ...match.queryParams, ...inner.queryParams },
        port: inner.port || match.port,
        sourceLabels: { ...match.sourceLabels, ...inner.sourceLabels },
        sourceNamespace: inner.sourceNamespace || match.sourceNamespace,
        gateways: inner.gateways.length > 0 ? inner.gateways : match.gateways,
      });
    }
  }
  return merged;
}

/** Puts the rules of delegates in the place of the rules that name them; roots come after the others, then all go by age. */
export function mergeDelegates(services: readonly Parsed[]): readonly VirtualService[] {
  const named = new Map(services.map((service) => [`${service.namespace}/${service.name}`, service]));
  const merged = services
    .filter((service) => service.hosts.length > 0)
    .map((service): VirtualService =>
      service.delegates.every((delegate) => delegate === undefined) ? service : withDelegates(service, named),
    );
  return merged.sort(compareAge);
}

function withDelegates(root: Parsed, named: ReadonlyMap<string, Parsed>): VirtualService {
  const unmerged: Unmerged[] = [];
  const http = root.http.flatMap((rule, index): readonly HttpRule[] => {
    const delegate = root.delegates[index];
    if (delegate === undefined) return [rule];
    const lost = (why: Unmerged['why'], leaf?: RuleRef): readonly HttpRule[] => {
      unmerged.push({ rule: rule.ref, matches: rule.matches, delegate, why, ...(leaf ? { leaf } : {}) });
      return [];
    };
    const found = named.get(`${delegate.namespace}/${delegate.name}`);
    if (found === undefined) return lost('missing');
    if (found.hosts.length > 0) return lost('has hosts');
    if (!isExportedTo(found, root.namespace)) return lost('not exported');
    return found.http.flatMap((leaf) => {
      const matches = mergeMatches(rule.matches, leaf.matches);
      return matches === undefined ? lost('not within', leaf.ref) : [merged(rule, leaf, matches)];
    });
  });
  return { ...root, http, unmerged };
}

function merged(rule: HttpRule, leaf: HttpRule, matches: readonly HttpMatch[]): HttpRule {
  return {
    ...leaf,
    matches,
    name: leaf.name === '' ? rule.name : rule.name === '' ? leaf.name : `${rule.name}-${leaf.name}`,
    rewrite: leaf.rewrite ?? rule.rewrite,
    directResponse: leaf.directResponse ?? rule.directResponse,
    fault: leaf.fault ?? rule.fault,
    corsPolicy: leaf.corsPolicy ?? rule.corsPolicy,
    headers: Object.keys(leaf.headers).length > 0 ? leaf.headers : rule.headers,
    mirrors: leaf.mirrors.length > 0 ? leaf.mirrors : rule.mirrors,
  };
}

function isExportedTo(service: VirtualService, namespace: string): boolean {
  if (service.visibility === 'public') return true;
  if (service.visibility === 'private') return service.namespace === namespace;
  return service.visibility !== 'none' && service.visibility.includes(namespace);
}
