import * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { headerModifier } from './header-changes';
import { HttpCors, HttpRule } from './http-rule';
import { IIngressClass } from './ingress-class';

const Type = gatewayApi.HttpRouteSpecRulesFiltersType;

/**
 * The filters of a rule, in the order in which they are applied.
 *
 * @internal
 */
export function httpFilters(
  rule: HttpRule,
  namespace: string,
  ingressClass: IIngressClass,
): gatewayApi.HttpRouteSpecRulesFilters[] {
  const filters: gatewayApi.HttpRouteSpecRulesFilters[] = [];
  if (rule.requestHeaders) {
    filters.push({
      type: Type.REQUEST_HEADER_MODIFIER,
      requestHeaderModifier: headerModifier(rule.requestHeaders),
    });
  }
  if (rule.responseHeaders) {
    filters.push({
      type: Type.RESPONSE_HEADER_MODIFIER,
      responseHeaderModifier: headerModifier(rule.responseHeaders),
    });
  }
  for (const mirror of rule.mirrorTo ?? []) {
    const { weight: _unweighted, ...backendRef } = mirror._ref(namespace);
    filters.push({ type: Type.REQUEST_MIRROR, requestMirror: { backendRef } });
  }
  if (rule.cors) filters.push({ type: Type.CORS, cors: corsFilter(rule.cors) });
  if (rule.redirect) filters.push(redirect(rule));
  const rewrite = urlRewrite(rule, namespace, ingressClass);
  if (rewrite) filters.push({ type: Type.URL_REWRITE, urlRewrite: rewrite });
  for (const extensionRef of rule.extensions ?? []) {
    filters.push({ type: Type.EXTENSION_REF, extensionRef: { ...extensionRef } });
  }
  return filters;
}

function corsFilter(cors: HttpCors): gatewayApi.HttpRouteSpecRulesFiltersCors {
  const { maxAge, allowMethods, ...rest } = cors;
  return {
    ...rest,
    allowMethods: allowMethods as gatewayApi.HttpRouteSpecRulesFiltersCorsAllowMethods[] | undefined,
    maxAge: maxAge?.toSeconds(),
  };
}

function redirect(rule: HttpRule): gatewayApi.HttpRouteSpecRulesFilters {
  const { scheme, hostname, port, statusCode, prefix, path } = rule.redirect ?? {};
  return {
    type: Type.REQUEST_REDIRECT,
    requestRedirect: {
      scheme: scheme as gatewayApi.HttpRouteSpecRulesFiltersRequestRedirectScheme | undefined,
      hostname,
      port,
      statusCode: statusCode as gatewayApi.HttpRouteSpecRulesFiltersRequestRedirectStatusCode | undefined,
      path: pathModifier(prefix, path) as gatewayApi.HttpRouteSpecRulesFiltersRequestRedirectPath | undefined,
    },
  };
}

function urlRewrite(
  rule: HttpRule,
  namespace: string,
  ingressClass: IIngressClass,
): gatewayApi.HttpRouteSpecRulesFiltersUrlRewrite | undefined {
  const hostname = rule.rewrite?.hostname ?? hostForSidecar(rule, namespace, ingressClass);
  const path = pathModifier(rule.rewrite?.prefix, rule.rewrite?.path);
  if (hostname === undefined && path === undefined) return undefined;
  return { hostname, path: path as gatewayApi.HttpRouteSpecRulesFiltersUrlRewritePath | undefined };
}

/**
 * The Host header by which the sidecar beside the proxy finds the Service: a sidecar routes HTTP by it, whatever address was dialled.
 *
 * @internal
 */
export function hostForSidecar(rule: HttpRule, namespace: string, ingressClass: IIngressClass): string | undefined {
  const backend = rule.backends?.[0];
  // A site outside answers to its own name alone, whoever sends.
  if (backend?._external && !rule.keepHost && !rule.redirect) return backend._external.hostname;
  if (!ingressClass.sendsThroughSidecar || rule.keepHost || rule.redirect || !backend) return undefined;
  if (backend._hostProblems('').length) return undefined;
  return backend._host(namespace, ingressClass.clusterDomain);
}

function pathModifier(
  prefix: string | undefined,
  path: string | undefined,
): { type: string; replacePrefixMatch?: string; replaceFullPath?: string } | undefined {
  if (prefix !== undefined) return { type: 'ReplacePrefixMatch', replacePrefixMatch: prefix };
  if (path !== undefined) return { type: 'ReplaceFullPath', replaceFullPath: path };
  return undefined;
}
