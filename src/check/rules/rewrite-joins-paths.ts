import type { FieldPath } from '../../model/manifest';
import { virtualServices } from '../edge';
import type { HttpRoute } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE326',
  name: 'rewrite-joins-paths',
  severity: 'warning',
  title: 'A prefix is rewritten so that a slash is doubled, or one is lost',
  why: 'Istio puts the new prefix in the place of the characters that matched, and no slash is added or taken away: servers answer //users with 404, and a policy for /users does not know it.',
  fix: 'Let the prefix that is matched and the one in its place both end with a slash.',
  see: 'https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRewrite',
  reads: ['VirtualService'],
  footguns: ['V22'],
  *check(context) {
    const { pathNormalization } = context.mesh.config;
    for (const { manifest, spec } of context.index(virtualServices)) {
      const before: string[] = [];
      for (const [r, rule] of (spec.http ?? []).entries()) {
        const given = replacementOf(rule);
        for (const [m, { uri = {} }] of (rule.match ?? []).entries()) {
          const { prefix } = uri;
          if (prefix === undefined) continue;
          const joined = given && joinedBy(prefix, given.value);
          const isTaken = before.some((earlier) => joined?.path.startsWith(earlier) === true);
          // A sidecar that merges slashes makes one of them again.
          const isMerged = joined?.isDoubled === true && /MERGE/.test(pathNormalization);
          before.push(prefix);
          if (given === undefined || joined === undefined || isTaken || isMerged) continue;
          yield {
            manifest,
            field: ['spec', 'http', r, ...given.field],
            what: `http[${r}] ${given.verb} prefix ${JSON.stringify(prefix)} of match[${m}] to ${JSON.stringify(given.value)}, and so ${joined.path} to ${joined.becomes}`,
            fix: joined.isDoubled
              ? `Match prefix ${JSON.stringify(`${prefix}/`)}${given.value === '/' ? ` and exact ${JSON.stringify(prefix)}` : ''} in the place of prefix ${JSON.stringify(prefix)}.`
              : `Write ${JSON.stringify(`${given.value}/`)}.`,
          };
        }
        for (const { uri = {} } of rule.match ?? [{}]) if (Object.keys(uri).length === 0) before.push('/');
      }
    }
  },
};

interface Replacement {
  readonly value: string;
  readonly verb: string;
  readonly field: FieldPath;
}

function replacementOf({ rewrite, redirect }: HttpRoute): Replacement | undefined {
  if (rewrite?.uri) return { value: rewrite.uri, verb: 'rewrites', field: ['rewrite', 'uri'] };
  if (redirect?.prefixRewrite)
    return { value: redirect.prefixRewrite, verb: 'redirects', field: ['redirect', 'prefixRewrite'] };
  return undefined;
}

interface Joined {
  readonly path: string;
  readonly becomes: string;
  readonly isDoubled: boolean;
}

/** What becomes of a path below the prefix, where the two do not end alike. */
function joinedBy(prefix: string, value: string): Joined | undefined {
  const [ends, begins] = [prefix.endsWith('/'), value.endsWith('/')];
  // Part of a segment may be meant.
  if (prefix === '' || ends === begins || !value.startsWith('/')) return undefined;
  const path = `${prefix}${ends ? '' : '/'}users`;
  return { path, becomes: `${value}${path.slice(prefix.length)}`, isDoubled: begins };
}
