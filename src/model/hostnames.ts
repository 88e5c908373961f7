/** Hostname rules of Istio: wildcards match by plain suffix, the more specific name is the longer one, wildcards come last. */
import { push } from './objects';

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

/** Values by the hosts that they are for, found by any host that overlaps with one of them. */
export class OverlapIndex<V> {
  private readonly exact = new Map<string, V[]>();
  private readonly bySuffix = new Map<string, V[]>();
  /** All names written backwards and sorted: those that end alike stand together. */
  private backwards: (readonly [string, readonly V[]])[] | undefined;

  public add(host: string, value: V): void {
    if (isWildcard(host)) push(this.bySuffix, host.slice(1), value);
    else push(this.exact, host, value);
    this.backwards = undefined;
  }

  /** Each once, those of the host itself and of wildcards around it first. */
  public overlapping(host: string): readonly V[] {
    const name = isWildcard(host) ? host.slice(1) : host;
    const found = new Set(isWildcard(host) ? [] : this.exact.get(host));
    if (this.bySuffix.size > 0)
      for (let at = 0; at <= name.length; at += 1)
        for (const value of this.bySuffix.get(name.slice(at)) ?? []) found.add(value);
    if (isWildcard(host)) for (const value of this.endingIn(name)) found.add(value);
    return [...found];
  }

  private *endingIn(suffix: string): Generator<V> {
    this.backwards ??= [...this.exact, ...this.bySuffix]
      .map(([name, values]) => [reversed(name), values] as const)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    const wanted = reversed(suffix);
    let [from, to] = [0, this.backwards.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.backwards[middle]?.[0] ?? '') < wanted) from = middle + 1;
      else to = middle;
    }
    for (let at = from; this.backwards[at]?.[0].startsWith(wanted) === true; at += 1) yield* this.backwards[at]![1];
  }
}

function reversed(name: string): string {
  return [...name].reverse().join('');
}

/** A name without dots is a Service of the object's own namespace; anything else is taken as it is. */
export function resolveShortName(host: string, namespace: string, domain: string): string {
  if (host === '' || host === '*' || host.includes('.') || host.includes(':')) return host;
  return `${host}.${namespace}.svc.${domain}`;
}
