/** Envoy Gateway's proxies as manifests show them, and what a policy of Envoy Gateway covers. */
import { type EffectiveProxy, effectiveProxy, mergerOf, proxyNamespace, proxyWorkload } from '../model/envoy-gateway';
import { record } from '../model/fields';
import type { ApiGateway, ApiRoute } from '../model/gateway-api';
import type { Manifest } from '../model/manifest';
import type { Workload } from '../model/workloads';
import { type CheckContext, defineIndex } from './context';
import { ENVOY_GATEWAY, GATEWAY_API, type Reference } from './gateway-api';

export interface EnvoyGatewayView {
  readonly gateway: ApiGateway;
  readonly proxy: EffectiveProxy;
  /** The Pods that Envoy Gateway runs for it. */
  readonly workload: Workload;
}

/** Gateways of the Gateway API that Envoy Gateway runs, with the Pods that it makes for each. */
export const envoyGateways = defineIndex('envoy gateways', ({ mesh }): readonly EnvoyGatewayView[] =>
  mesh.gatewayApi.gateways
    .filter(({ controller }) => controller === 'envoy-gateway')
    .map((gateway) => {
      const proxy = effectiveProxy(gateway, mesh.gatewayApi.input);
      const home = proxyNamespace(gateway, mesh);
      return {
        gateway,
        proxy,
        workload: proxyWorkload(gateway, proxy, mesh.namespaces.get(home), home, mergerOf(gateway, mesh) !== undefined),
      };
    }),
);

export interface CoveredRule {
  readonly route: ApiRoute;
  readonly rule: number;
}

/** References of a policy to what it targets. */
export function targetsOf(policy: Manifest): readonly Reference[] {
  const spec = record(record(policy.body).spec) as { targetRef?: Reference; targetRefs?: readonly Reference[] };
  return [...(spec.targetRef ? [spec.targetRef] : []), ...(Array.isArray(spec.targetRefs) ? spec.targetRefs : [])];
}

/**
 * The rules of routes that a policy is for: those of routes that it targets, and those that attach to a Gateway, a ListenerSet or a listener
 * that it targets, unless a policy of the same kind targets the route itself.
 */
export function coveredRules(context: CheckContext, policy: Manifest): readonly CoveredRule[] {
  const { gatewayApi } = context.mesh;
  const covered: CoveredRule[] = [];
  const add = (route: ApiRoute, section?: string): void => {
    const rules = (record(route.config.spec).rules ?? []) as readonly { name?: string }[];
    if (!Array.isArray(rules)) return;
    for (const [rule, { name }] of rules.entries())
      if (section === undefined || name === section) covered.push({ route, rule });
  };
  for (const { group = '', kind = '', name = '', sectionName } of targetsOf(policy)) {
    if (group !== GATEWAY_API) continue;
    if (kind === 'Gateway' || kind === 'ListenerSet') {
      for (const { route, gateway, listener } of gatewayApi.attachments) {
        const target = kind === 'Gateway' ? gateway.config : listener.set;
        const isTarget = target?.namespace === policy.namespace && target.name === name;
        if (!isTarget || (sectionName !== undefined && sectionName !== listener.name)) continue;
        if (!hasPolicyOfItsOwn(context, policy, route)) add(route);
      }
      continue;
    }
    for (const route of gatewayApi.routes) {
      if (route.kind === kind && route.config.namespace === policy.namespace && route.config.name === name)
        add(route, sectionName);
    }
  }
  return covered;
}

function hasPolicyOfItsOwn(context: CheckContext, policy: Manifest, route: ApiRoute): boolean {
  return context
    .of(ENVOY_GATEWAY, policy.kind)
    .some(
      (other) =>
        other !== policy &&
        other.namespace === route.config.namespace &&
        targetsOf(other).some(({ kind, name }) => kind === route.kind && name === route.config.name),
    );
}

/** The Gateways of Envoy Gateway that serve what a policy covers. */
export function gatewaysOfPolicy(context: CheckContext, policy: Manifest): readonly EnvoyGatewayView[] {
  const routes = new Set(coveredRules(context, policy).map(({ route }) => route));
  const gateways = new Set(
    context.mesh.gatewayApi.attachments.filter(({ route }) => routes.has(route)).map(({ gateway }) => gateway),
  );
  const named = new Set(
    targetsOf(policy)
      .filter(({ kind }) => kind === 'Gateway')
      .map(({ name }) => name),
  );
  return context
    .index(envoyGateways)
    .filter(
      ({ gateway }) =>
        gateways.has(gateway) || (gateway.config.namespace === policy.namespace && named.has(gateway.config.name)),
    );
}
