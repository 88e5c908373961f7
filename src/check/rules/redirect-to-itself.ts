import { RequestError, type Trace, trace } from '../../trace';
import type { CheckContext } from '../context';
import { nameOf } from '../edge';
import { redirectProbes } from '../paths/ingress-probes';
import type { Probe } from '../paths/probes';
import { findDecided } from '../paths/decided';
import type { Rule } from '../rule';

/** Browsers give up after some 20. */
const ENOUGH = 20;

export const rule: Rule = {
  id: 'EDGE325',
  name: 'redirect-to-itself',
  severity: 'error',
  title: 'A redirect leads back to the request that it answers',
  why: 'The rule matches the URL that it redirects to: the client asks again, is redirected again, and gives up. Rules behind it for the same requests are never reached.',
  fix: 'Let the rule match only what is to be redirected: its own route for the listener of HTTP (sectionName), or a match on scheme, port or path.',
  see: 'https://gateway-api.sigs.k8s.io/guides/http-redirect-rewrite/',
  reads: ['HTTPRoute', 'VirtualService'],
  footguns: ['G18'],
  *check(context) {
    const said = new Set<string>();
    for (const probe of redirectProbes(context)) {
      const seen = followed(context, probe);
      const [first, second] = seen?.urls ?? [];
      const key = `${probe.manifest.index} ${JSON.stringify(probe.field.slice(0, 3))}`;
      if (seen === undefined || first === undefined || said.has(key)) continue;
      said.add(key);
      const isSame = seen.urls.length === 2 && second === first;
      yield {
        manifest: probe.manifest,
        field: probe.field,
        what: isSame
          ? `${first} at ${probe.at} is redirected to itself (${seen.status})`
          : `${first} at ${probe.at} is redirected to ${seen.urls.slice(1, 4).join(', then to ')}${seen.urls.length > 4 ? ', and so on' : ''}, without end`,
        fix: adviceFor(context, probe, isSame),
      };
    }
  },
};

interface Followed {
  readonly urls: readonly string[];
  readonly status: number;
}

/** The URLs that a client is led through at one gateway, if that never ends. */
function followed(context: CheckContext, probe: Probe): Followed | undefined {
  const start = new URL(probe.url).href;
  const urls = [start];
  const answers: { readonly isOwn: boolean; readonly status: number }[] = [];
  for (let url = start; urls.length <= ENOUGH;) {
    const asked = ask(context, probe, url);
    const isOwn = asked !== undefined && isBy(context, probe, asked);
    // Only what this rule begins is told of it.
    if (asked === undefined || (urls.length === 1 && !isOwn)) return undefined;
    const { location } = asked.answer ?? {};
    if (asked.outcome !== 'answered' || location == null || !URL.canParse(location)) return undefined;
    answers.push({ isOwn, status: asked.answer?.status ?? 0 });
    url = new URL(location).href;
    const begins = urls.indexOf(url);
    urls.push(url);
    if (begins < 0) continue;
    // A circle that begins further on is told of the rule where it does, which may be this one.
    const first = answers[begins];
    return first?.isOwn === true ? { urls: urls.slice(begins), status: first.status } : undefined;
  }
  return { urls, status: answers[0]?.status ?? 0 };
}

function ask(context: CheckContext, { at, atGroup, method, headers }: Probe, request: string): Trace | undefined {
  try {
    return trace(context.mesh, {
      from: 'outside',
      request,
      ...(at === undefined ? {} : { at }),
      ...(atGroup === undefined ? {} : { atGroup }),
      ...(method === undefined ? {} : { method }),
      ...(headers === undefined ? {} : { headers }),
    });
  } catch (error) {
    if (error instanceof RequestError) return undefined;
    throw error;
  }
}

/** Whether the rule that the request was made for is the one that answers it. */
function isBy(context: CheckContext, { manifest, field }: Probe, { hops }: Trace): boolean {
  const route = hops.at(-1)?.route;
  const found = route == null ? undefined : findDecided(context, { ...route, field: `spec.${route.rule}` });
  return found?.manifest === manifest && found.field.every((step, index) => field[index] === step);
}

function adviceFor({ mesh }: CheckContext, { manifest, url }: Probe, isSame: boolean): string {
  const listeners = mesh.gatewayApi.attachments
    .filter(({ route }) => route.config.manifest === manifest)
    .map(({ listener }) => listener);
  const plain = listeners.find(({ protocol }) => protocol === 'HTTP');
  const isTls = url.startsWith('https:');
  if (isSame && isTls && plain !== undefined)
    return `Move the redirect to a route of its own with sectionName: ${plain.name}, and attach ${nameOf(manifest)} with the rest to the listener of HTTPS alone.`;
  if (isSame && isTls && manifest.kind === 'VirtualService')
    return 'Match scheme http in the rule (match: scheme: exact: http), or set tls.httpsRedirect on the server of HTTP in its place.';
  return 'Redirect to another URL, or match only the paths that are to be redirected.';
}
