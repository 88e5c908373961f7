/** What routes make of paths, shown on a few that they match, so that ways of writing one thing are equal. */

/** Paths that a matcher takes: the whole, what begins with it, and what lies below it. None for an expression. */
export function samplesOf(path: {
  readonly exact?: string;
  readonly prefix?: string;
  readonly below?: string;
}): readonly string[] {
  const { exact, prefix, below } = path;
  if (exact !== undefined) return [exact];
  const own = below ?? prefix;
  if (own === undefined) return [];
  const closed = own.endsWith('/') ? own : `${own}/`;
  return below === undefined ? [own, `${own}x`, `${closed}x/y`] : [own, `${closed}x`, `${closed}x/y`];
}

/** In words; nothing where none is changed. */
export function rewriteWords(samples: readonly string[], rewrite: (path: string) => string): string {
  const changes = samples.flatMap((path) => (rewrite(path) === path ? [] : [`${path} becomes ${rewrite(path)}`]));
  return changes.length === 0 ? '' : `, ${changes.join(', ')}`;
}

export function hostWords(host: string): string {
  return host === '' ? '' : `, Host ${host}`;
}

export function copyWords(copies: readonly { readonly cluster: string; readonly percent: number }[]): string {
  const each = copies.map(({ cluster, percent }) => `${cluster}${percent === 100 ? '' : ` (${percent} %)`}`).sort();
  return each.length === 0 ? '' : `, copies to ${each.join(', ')}`;
}

export interface RedirectShape {
  readonly status: number;
  readonly scheme: string;
  readonly host: string;
  /** The whole path; undefined keeps it. */
  readonly path: string | undefined;
}

export function redirectWords({ status, scheme, host, path }: RedirectShape): string {
  return `redirect ${status} to ${scheme === '' ? 'the same scheme' : scheme}, ${host === '' ? 'the same host' : host}${path === undefined ? '' : `, path ${path}`}`;
}
