/** Hostname rules of Istio: wildcards match by plain suffix, the more specific name is the longer one, wildcards come last. */

export function isWildcard(host: string): boolean {
  return host.charCodeAt(0) === 42;
}

/** Whether `a` is covered by `b`: equal, or `b` is a wildcard whose suffix `a` has. */
export function isSubsetOf(a: string, b: string): boolean {
  if (!isWildcard(b)) return a === b;
  if (!isWildcard(a)) return a.endsWith(b.slice(1));
  return a.length >= b.length && a.slice(1).endsWith(b.slice(1));
}

/** Whether two possibly wildcarded names overlap by Istio's rule: one is covered by the other. */
export function overlaps(a: string, b: string): boolean {
  return isSubsetOf(a, b) || isSubsetOf(b, a);
}

/** Names covered by both lists, the narrower of each overlapping pair, in the order of `a`. */
export function intersection(a: readonly string[], b: readonly string[]): string[] {
  const found = new Set<string>();
  for (const left of a) {
    for (const right of b) {
      if (isSubsetOf(left, right)) found.add(left);
      else if (isSubsetOf(right, left)) found.add(right);
    }
  }
  return [...found];
}

/** The hosts of a Gateway server that apply to a namespace, without their `namespace/` part. */
export function hostsForNamespace(hosts: readonly string[], namespace: string): string[] {
  const result: string[] = [];
  for (const host of hosts) {
    const slash = host.indexOf('/');
    if (slash < 0) result.push(host);
    else if (host.slice(0, slash) === namespace || host.slice(0, slash) === '*') result.push(host.slice(slash + 1));
  }
  return result;
}

/** Values by hostname, found by the most specific name that covers the one asked for. */
export class HostIndex<V> {
  private readonly exact = new Map<string, V>();
  private readonly bySuffix = new Map<string, V>();
  private lengths: number[] | undefined;

  public get(host: string): V | undefined {
    return isWildcard(host) ? this.bySuffix.get(host.slice(1)) : this.exact.get(host);
  }

  public set(host: string, value: V): void {
    if (!isWildcard(host)) {
      this.exact.set(host, value);
      return;
    }
    this.bySuffix.set(host.slice(1), value);
    this.lengths = undefined;
  }

  /** Keeps what is there: for lists that are sorted by precedence. */
  public setIfAbsent(host: string, value: V): void {
    if (this.get(host) === undefined) this.set(host, value);
  }

  public mostSpecific(host: string): V | undefined {
    const own = this.get(host);
    if (own !== undefined || this.bySuffix.size === 0) return own;
    this.lengths ??= [...new Set([...this.bySuffix.keys()].map((suffix) => suffix.length))].sort((a, b) => b - a);
    const name = isWildcard(host) ? host.slice(1) : host;
    for (const length of this.lengths) {
      if (length > name.length) continue;
      const value = this.bySuffix.get(name.slice(name.length - length));
      if (value !== undefined) return value;
    }
    return undefined;
  }
}

/** A name without dots is a Service of the object's own namespace; anything else is taken as it is. */
export function resolveShortName(host: string, namespace: string, domain = 'cluster.local'): string {
  if (host === '' || host === '*' || host.includes('.') || host.includes(':')) return host;
  return `${host}.${namespace}.svc.${domain}`;
}
