import { record, records, text, texts } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { RequestError, type Trace, trace } from '../../trace';
import type { CheckContext } from '../context';
import { nameOf } from '../edge';
import { type AuthorizationRule, SECURITY, specOf } from '../istio';
import { corsProbes } from '../paths/ingress-probes';
import type { Probe } from '../paths/probes';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE526',
  name: 'preflight-not-answered',
  severity: 'warning',
  title: 'A policy at a gateway refuses the preflights that a route is to answer',
  why: 'Browsers send preflights (OPTIONS) without tokens and cookies, and the gateway asks its AuthorizationPolicies before the CORS policy of a route answers: with 403 the browser sends nothing else.',
  fix: 'Let OPTIONS pass without a token for the hosts and paths of the route.',
  see: 'https://istio.io/latest/docs/reference/config/networking/virtual-service/#CorsPolicy',
  reads: ['VirtualService', 'HTTPRoute'],
  footguns: [],
  causedBy: ['EDGE517'],
  isByPolicy: true,
  *check(context) {
    const said = new Set<Manifest>();
    for (const probe of corsProbes(context)) {
      const origin = originOf(probe);
      const asked = origin === undefined ? undefined : preflight(context, probe, origin);
      const { by, proxy } = asked?.refusal ?? {};
      if (by?.kind !== 'AuthorizationPolicy' || asked?.hops.length !== 1) continue;
      const policy = context
        .of(SECURITY, 'AuthorizationPolicy')
        .find(({ namespace, name }) => namespace === by.namespace && name === by.name);
      if (policy === undefined || said.has(policy)) continue;
      const { rules = [], action } = specOf('AuthorizationPolicy', policy);
      // Who is refused whatever is asked for is not refused as a preflight.
      if (!rules.some(goesByTokenOrMethod)) continue;
      said.add(policy);
      yield {
        manifest: policy,
        field: ['spec', 'rules'],
        onTheWay: [probe.manifest],
        what: `the preflight of ${origin} for ${probe.url}, which ${nameOf(probe.manifest)} is to answer, is refused (403 RBAC) at ${proxy?.namespace}/${proxy?.workload}`,
        fix:
          action === 'DENY'
            ? 'Write notMethods: [OPTIONS] in an operation of the rule: OPTIONS of everybody then passes it.'
            : 'Add a rule for methods: [OPTIONS] with the hosts and paths of the route, without a source: OPTIONS of everybody then passes there.',
      };
    }
  },
};

/** An origin that the route of a request takes; none where only an expression says it. */
function originOf({ manifest, field }: Probe): string | undefined {
  const spec = record(record(manifest.body).spec);
  const at = Number(field[2]);
  if (manifest.kind === 'VirtualService') {
    const origins = records(record(records(spec.http)[at]?.corsPolicy).allowOrigins);
    return origins.map(({ exact, prefix }) => text(exact) || text(prefix)).find((one) => one !== '');
  }
  const cors = records(records(spec.rules)[at]?.filters).find(({ type }) => type === 'CORS');
  return texts(record(cors?.cors).allowOrigins).map((one) => (one === '*' ? 'https://app.example.com' : one.replace('*', 'app')))[0]; // prettier-ignore
}

function preflight({ mesh }: CheckContext, { at, atGroup, url, method }: Probe, origin: string): Trace | undefined {
  const wanted = { Origin: origin, 'Access-Control-Request-Method': method ?? 'GET' };
  try {
    return trace(mesh, { from: 'outside', request: url, at: at ?? '', ...(atGroup === undefined ? {} : { atGroup }), method: 'OPTIONS', headers: wanted }); // prettier-ignore
  } catch (error) {
    if (error instanceof RequestError) return undefined;
    throw error;
  }
}

const ABOUT_TOKENS = ['requestPrincipals', 'notRequestPrincipals'] as const;
const ABOUT_METHODS = ['methods', 'notMethods'] as const;

function goesByTokenOrMethod({ from = [], to = [], when = [] }: AuthorizationRule): boolean {
  return (
    from.some(({ source = {} }) => ABOUT_TOKENS.some((name) => (source[name] ?? []).length > 0)) ||
    to.some(({ operation = {} }) => ABOUT_METHODS.some((name) => (operation[name] ?? []).length > 0)) ||
    when.some(({ key = '' }) => /^request\.(auth|headers)/.test(key))
  );
}
