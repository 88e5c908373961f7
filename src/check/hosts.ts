/** Hosts with wildcards, as Istio compares them. */

/** Whether every name of `host` is a name of `other`: `a.example.com` of `*.example.com`, `*.a.com` of `*.com`. */
export function isSubsetOf(host: string, other: string): boolean {
  if (host === other || other === '*') return true;
  if (!other.startsWith('*')) return false;
  const suffix = other.slice(1);
  return host.startsWith('*') ? host.slice(1).endsWith(suffix) : host.length > suffix.length && host.endsWith(suffix);
}

/** Whether there is a name that both of them are. */
export function overlaps(host: string, other: string): boolean {
  return isSubsetOf(host, other) || isSubsetOf(other, host);
}

/** Kubernetes Services may be named short. `reviews`, `reviews.app` and `reviews.app.svc` to the whole name. */
export function toFqdn(host: string, namespace: string, domain = 'cluster.local'): string {
  if (host.includes('*') || host.includes(':')) return host;
  return host.includes('.') ? host : `${host}.${namespace}.svc.${domain}`;
}
