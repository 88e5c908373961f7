import { IConstruct } from 'constructs';
import { isDnsLabel } from '../core/names';
import { Problem, quote } from '../core/problem';
import { supportProblems } from './controller-support';
import { HttpRule } from './http-rule';
import { IIngressClass } from './ingress-class';

/** What is wrong with a rule. */
export function httpRuleProblems(scope: IConstruct, rule: HttpRule, ingressClass: IIngressClass): Problem[] {
  const backends = [...(rule.backends ?? []), ...(rule.mirrorTo ?? [])];
  return [
    ...backends.flatMap((backend) => backend._problems()),
    ...(rule.matches ?? []).flatMap((match) => match._problems()),
    ...mixProblems(rule),
    ...redirectProblems(scope, rule, ingressClass),
    ...corsProblems(rule),
    ...retryProblems(rule),
    ...(rule.sessionPersistence?._problems(scope, ingressClass) ?? []),
    ...pathProblems(rule, 'rewrite', rule.rewrite?.prefix, rule.rewrite?.path),
    ...pathProblems(rule, 'redirect', rule.redirect?.prefix, rule.redirect?.path),
    ...sidecarProblems(rule, ingressClass),
    ...externalProblems(rule, ingressClass),
  ];
}

function mixProblems(rule: HttpRule): Problem[] {
  const problems: Problem[] = [];
  if (rule.redirect && rule.backends?.length) {
    problems.push({
      what: 'a rule has both `redirect` and `backends`',
      why: 'a request that is answered with a redirect goes nowhere, so the API server refuses it',
      fix: 'keep one, or make it two rules',
    });
  }
  if (rule.redirect && rule.rewrite) {
    problems.push({
      what: 'a rule has both `redirect` and `rewrite`',
      why: 'the API server refuses it',
      fix: 'say the new path in `redirect`',
    });
  }
  if (!rule.redirect && !rule.backends?.length && !rule.extensions?.length) {
    problems.push({
      what: 'a rule sends requests nowhere',
      why: 'clients would get 500',
      fix: 'give it `backends`, or a `redirect`',
    });
  }
  if (rule.name !== undefined && !isDnsLabel(rule.name)) {
    problems.push({
      what: `rule name ${quote(rule.name)} is not a DNS label`,
      why: 'the API server refuses it',
      fix: 'use a-z, 0-9 and inner hyphens',
    });
  }
  return problems;
}

const REDIRECTS = [301, 302, 303, 307, 308];

function redirectProblems(scope: IConstruct, rule: HttpRule, ingressClass: IIngressClass): Problem[] {
  const problems: Problem[] = [];
  const { statusCode, scheme } = rule.redirect ?? {};
  if (statusCode !== undefined && !REDIRECTS.includes(statusCode))
    problems.push({
      what: `redirect with status ${statusCode}`,
      why: 'the API server refuses it',
      fix: `use ${REDIRECTS.join(', ')}`,
    });
  else if (statusCode !== undefined && statusCode > 302)
    problems.push(
      ...supportProblems(
        scope,
        ingressClass,
        'redirectsWithAnyCode',
        `redirect with status ${statusCode}`,
        'clients get 500',
      ),
    );
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    const fix = 'use "http" or "https"';
    problems.push({ what: `redirect with scheme ${quote(scheme)}`, why: 'the API server refuses it', fix });
  }
  return problems;
}

const CORS_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', '*'];

function corsProblems({ cors }: HttpRule): Problem[] {
  if (!cors) return [];
  const { allowOrigins, allowMethods = [], allowHeaders = [], allowCredentials, maxAge } = cors;
  const problems: Problem[] = [];
  const refused = 'the API server refuses it';
  if (!allowOrigins.length)
    problems.push({
      what: 'cors without an origin',
      why: 'browsers would let no page call',
      fix: 'give `allowOrigins`',
    });
  for (const origin of allowOrigins)
    if (origin !== '*' && !/^https?:\/\/((\*\.)?([\w-]+\.)*[\w-]+|\*)(:\d{1,5})?$/.test(origin))
      problems.push({
        what: `cors for origin ${quote(origin)}`,
        why: refused,
        fix: 'write scheme, host and port alone, such as "https://shop.example.com" or "https://*.example.com"',
      });
  for (const method of allowMethods.filter((one) => !CORS_METHODS.includes(one)))
    problems.push({ what: `cors for method ${quote(method)}`, why: refused, fix: `use ${CORS_METHODS.join(', ')}` });
  const lists: ReadonlyArray<readonly [string, readonly string[]]> = [
    ['allowOrigins', allowOrigins],
    ['allowMethods', allowMethods],
    ['allowHeaders', allowHeaders],
  ];
  for (const [field, values] of lists)
    if (values.length > 1 && values.includes('*'))
      problems.push({
        what: `${field} of cors has "*" beside others`,
        why: refused,
        fix: 'keep "*" alone, or the others',
      });
  if (allowCredentials && allowOrigins.includes('*'))
    problems.push({
      what: 'cors with credentials for any origin',
      why: 'any page that somebody opens could read, as them, what they may read',
      fix: 'name the origins, or leave out `allowCredentials`',
    });
  if (maxAge && maxAge.toMilliseconds() < 1000)
    problems.push({
      what: 'maxAge of cors under a second',
      why: refused,
      fix: 'leave it out, or use Duration.seconds(1) or more',
    });
  return problems;
}

function retryProblems({ retry, redirect }: HttpRule): Problem[] {
  if (!retry) return [];
  const problems: Problem[] = [];
  const { attempts, statusCodes = [] } = retry;
  if (redirect)
    problems.push({
      what: 'a rule has both `redirect` and `retry`',
      why: 'there is nothing to try again',
      fix: 'keep one',
    });
  if (attempts !== undefined && (!Number.isInteger(attempts) || attempts < 0))
    problems.push({ what: `retry with ${attempts} attempts`, why: 'the API server refuses it', fix: 'use 0 or more' });
  for (const code of statusCodes.filter((one) => !Number.isInteger(one) || one < 400 || one > 599))
    problems.push({ what: `retry of status ${code}`, why: 'the API server refuses it', fix: 'use 400 to 599' });
  return problems;
}

function pathProblems(rule: HttpRule, field: string, prefix: string | undefined, path: string | undefined): Problem[] {
  const problems: Problem[] = [];
  if (prefix !== undefined && path !== undefined) {
    const fix = 'use `prefix` to replace what was matched, `path` to replace it all';
    problems.push({ what: `${field} has both \`prefix\` and \`path\``, why: 'a path is replaced once', fix });
  }
  for (const text of [prefix, path]) {
    if (text === undefined || text.startsWith('/')) continue;
    problems.push({
      what: `${field} to ${quote(text)}, which has no leading slash`,
      why: 'Envoy would send a path that servers answer with 400',
      fix: `did you mean ${quote(`/${text}`)}?`,
    });
  }
  const matches = rule.matches ?? [];
  if (prefix !== undefined && (matches.length !== 1 || matches[0].type !== 'PathPrefix')) {
    problems.push({
      what: `${field} of a prefix in a rule with ${matches.length === 1 ? `a match by ${matches[0].type}` : `${matches.length} matches`}`,
      why: 'which prefix is meant is clear only where the rule has one match, by prefix; the API server refuses the rest',
      fix: 'make a rule for each prefix',
    });
  }
  return problems;
}

/** Where the gateway sends through a sidecar, the Host header has to name one Service. */
function sidecarProblems(rule: HttpRule, ingressClass: IIngressClass): Problem[] {
  if (!ingressClass.sendsThroughSidecar || rule.keepHost || rule.rewrite?.hostname !== undefined) return [];
  const services = [...new Set((rule.backends ?? []).map((backend) => `${backend.namespace ?? ''}/${backend.name}`))];
  if (services.length < 2) return [];
  return [
    {
      what: `a rule shares requests among ${services.length} Services behind a gateway that sends through a sidecar`,
      why: 'the sidecar finds the Service by the Host header, and a rule can write one name only: one Service would get all',
      fix: 'send to one Service here, and share among versions behind it with a VirtualService or a route of the mesh',
    },
  ];
}

/** A Backend is Envoy Gateway's own kind, and off until its configuration says otherwise. */
function externalProblems(rule: HttpRule, ingressClass: IIngressClass): Problem[] {
  const backends = rule.backends ?? [];
  const external = backends.find((backend) => backend._external);
  if (!external) return [];
  const problems: Problem[] = [];
  if (ingressClass.takesBackends === false)
    problems.push({
      what: `backend ${quote(external.name)} lies outside the cluster, and the Envoy Gateway takes no Backends`,
      why: 'routes with one would answer 500',
      fix: 'give the EnvoyGatewayInMesh `externalBackends: true`',
    });
  if (ingressClass.gatewayClassName === 'istio')
    problems.push({
      what: `backend ${quote(external.name)} is a Backend of Envoy Gateway, and the gateway is Istio's`,
      why: 'Istio knows no such kind, and answers 500',
      fix: 'use an Envoy Gateway, or route to the host with a VirtualService',
    });
  if (backends.length > 1)
    problems.push({
      what: `a rule shares requests between ${quote(external.name)}, outside the cluster, and others`,
      why: 'a rule writes one Host header, and a site outside answers to its own name alone',
      fix: 'make a rule for each',
    });
  return problems;
}
