import { isDnsLabel } from '../core/names';
import { Problem, quote } from '../core/problem';
import { HttpRule } from './http-rule';
import { IIngressClass } from './ingress-class';

/** What is wrong with a rule. */
export function httpRuleProblems(rule: HttpRule, ingressClass: IIngressClass): Problem[] {
  const backends = [...(rule.backends ?? []), ...(rule.mirrorTo ?? [])];
  return [
    ...backends.flatMap((backend) => backend._problems()),
    ...(rule.matches ?? []).flatMap((match) => match._problems()),
    ...mixProblems(rule),
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
  const { statusCode, scheme } = rule.redirect ?? {};
  if (statusCode !== undefined && statusCode !== 301 && statusCode !== 302) {
    problems.push({
      what: `redirect with status ${statusCode}`,
      why: 'the API server refuses it',
      fix: 'use 301 or 302',
    });
  }
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    const fix = 'use "http" or "https"';
    problems.push({ what: `redirect with scheme ${quote(scheme)}`, why: 'the API server refuses it', fix });
  }
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
