import { routingType } from '../../model/envoy-gateway';
import type { FieldPath } from '../../model/manifest';
import { envoyGateways } from '../envoy-gateway';
import type { Workload } from '../../model/workloads';
import { accountNamed } from '../../trace/authorization-matchers';
import { type JudgingPolicy, judgingPolicies, targetRefsOf, waypointOf, workloadsOf } from '../authorization';
import type { CheckContext } from '../context';
import type { AuthorizationRule, AuthorizationSource } from '../istio';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE714',
  name: 'clients-behind-waypoint',
  severity: 'error',
  title: 'A policy for Pods behind a waypoint names the clients, and not the waypoint',
  why: 'Who calls a Service that is bound to a waypoint is seen by the waypoint; the ztunnel of the Pods sees the identity of the waypoint alone.',
  fix: 'Name the clients in a policy with targetRefs to the Service, and only the waypoint in the policy for the Pods.',
  see: 'https://istio.io/latest/docs/ambient/usage/waypoint/#attach-l4-policies',
  reads: ['AuthorizationPolicy'],
  footguns: ['A13'],
  *check(context) {
    for (const policy of context.index(judgingPolicies)) {
      if (targetRefsOf(policy.spec).length > 0 || (policy.action !== 'ALLOW' && policy.action !== 'DENY')) continue;
      yield* policy.action === 'ALLOW' ? notLetIn(context, policy) : notDenied(context, policy);
    }
  },
};

interface Behind {
  readonly pod: Workload;
  readonly waypoint: Waypoint;
  readonly service: string;
  /** Whether every Service of the Pods is led through a waypoint: then nothing but calls of the Pods' addresses comes straight. */
  readonly isOnly: boolean;
}

interface Waypoint {
  readonly namespace: string;
  readonly name: string;
  readonly account: string;
}

/** Pods that only ztunnel guards, and the waypoint through which their Service is called. */
function behindWaypoints(context: CheckContext, policy: JudgingPolicy): readonly Behind[] {
  const { services, workloads } = context.mesh;
  return workloadsOf(context, policy).flatMap((pod) => {
    if (pod.membership !== 'ztunnel') return [];
    const own = services.selecting(pod.namespace, pod.labels);
    const led = own.flatMap((service) => {
      const found = waypointOf(context, service);
      return found ? [{ found, service }] : [];
    });
    const [first] = led;
    if (first === undefined) return [];
    const { namespace, name } = first.found;
    const [proxy] = workloads.selected(namespace, { 'gateway.networking.k8s.io/gateway-name': name });
    const waypoint = { namespace, name, account: proxy?.serviceAccount ?? name };
    return [
      {
        pod,
        waypoint,
        service: `${first.service.namespace}/${first.service.config.name}`,
        isOnly: led.length === own.length,
      },
    ];
  });
}

function* notLetIn(context: CheckContext, policy: JudgingPolicy): Generator<Hit> {
  const rules = policy.spec.rules ?? [];
  const field = fieldOfSource(rules);
  // Without any source, what it allows does not hang on who calls.
  if (field === undefined) return;
  for (const { pod, waypoint, service, isOnly } of behindWaypoints(context, policy)) {
    const beside = context
      .index(judgingPolicies)
      .filter(
        (one) =>
          one.action === 'ALLOW' && targetRefsOf(one.spec).length === 0 && workloadsOf(context, one).includes(pod),
      );
    if (
      beside.some(({ spec, manifest }) =>
        (spec.rules ?? []).some((rule) => admits(context, rule, waypoint, manifest.namespace)),
      )
    )
      continue;
    // A gateway that is told nothing else goes past the waypoint, and is seen here itself.
    const isForGateway = rules.every((rule) => namesOnlyGateways(context, rule, policy.manifest.namespace));
    const principal = principalOf(context, waypoint);
    yield {
      manifest: policy.manifest,
      field,
      what: `Service ${service} is led through waypoint ${waypoint.namespace}/${waypoint.name}, and the policy for its Pods (${pod.namespace}/${pod.name}) does not let that in: it sees ${principal}, whoever calls`,
      fix: `Name the clients in a policy with targetRefs to Service ${service}, and here the waypoint alone (principals: ${principal}), so that nobody goes past it.`,
      ...(isOnly && !isForGateway ? {} : { severity: 'warning' as const }),
    };
    return;
  }
}

/** A DENY of clients is not met by what comes through the waypoint; a DENY of all but some takes the waypoint for a stranger. */
function* notDenied(context: CheckContext, policy: JudgingPolicy): Generator<Hit> {
  for (const [r, rule] of (policy.spec.rules ?? []).entries()) {
    const field = fieldOfSource([rule]);
    if (field === undefined) continue;
    const found = behindWaypoints(context, policy).find(
      ({ waypoint }) => admits(context, rule, waypoint, policy.manifest.namespace) === namesOthersThanThese(rule),
    );
    if (found === undefined) continue;
    const { waypoint, service, pod } = found;
    const isShut = namesOthersThanThese(rule);
    if (namesOnlyGateways(context, rule, policy.manifest.namespace)) continue;
    yield {
      manifest: policy.manifest,
      field: ['spec', 'rules', r, ...field.slice(3)],
      what: `Service ${service} is led through waypoint ${waypoint.namespace}/${waypoint.name}, and the policy for its Pods (${pod.namespace}/${pod.name}) sees ${principalOf(context, waypoint)}, whoever calls: ${isShut ? 'it denies all of them' : 'it denies none of them'}`,
      fix: isShut
        ? `Move the rule to a policy with targetRefs to Service ${service}; here, deny all but the waypoint.`
        : `Move the rule to a policy with targetRefs to Service ${service}, which the waypoint applies.`,
      severity: isShut ? 'error' : 'warning',
    };
  }
}

const NAMING = ['principals', 'namespaces', 'serviceAccounts'] as const;
const SPARING = ['notPrincipals', 'notNamespaces', 'notServiceAccounts'] as const;

function fieldOfSource(rules: readonly AuthorizationRule[]): FieldPath | undefined {
  for (const [r, { from = [] }] of rules.entries()) {
    for (const [f, { source = {} }] of from.entries()) {
      const name = [...NAMING, ...SPARING].find((one) => (source[one] ?? []).length > 0);
      if (name !== undefined) return ['spec', 'rules', r, 'from', f, 'source', name];
    }
  }
  return undefined;
}

const namesOthersThanThese = ({ from = [] }: AuthorizationRule): boolean =>
  from.some(({ source = {} }) => SPARING.some((name) => (source[name] ?? []).length > 0));

const principalOf = ({ mesh }: CheckContext, { namespace, account }: Waypoint): string =>
  `${mesh.servedTo({ namespace, labels: {} }).config.trustDomain}/ns/${namespace}/sa/${account}`;

/** Whether a rule takes the waypoint for one whom it names. Addresses of waypoints are not known, so that those may be its. */
function admits(
  context: CheckContext,
  { from = [], when = [] }: AuthorizationRule,
  waypoint: Waypoint,
  home: string,
): boolean {
  if (when.some(({ key = '' }) => key.startsWith('source.') || key.startsWith('remote.'))) return true;
  return from.length === 0 || from.some(({ source = {} }) => isMet(context, source, waypoint, home));
}

function isMet(context: CheckContext, source: AuthorizationSource, waypoint: Waypoint, home: string): boolean {
  const principal = principalOf(context, waypoint);
  const { principals = [], namespaces = [], serviceAccounts = [] } = source;
  const { notPrincipals = [], notNamespaces = [], notServiceAccounts = [] } = source;
  const isAccount = (value: string): boolean => {
    const { namespace, name } = accountNamed(value, home);
    return namespace === waypoint.namespace && name === waypoint.account;
  };
  const any = (values: readonly string[], test: (value: string) => boolean): boolean =>
    values.length === 0 || values.some(test);
  const none = (values: readonly string[], test: (value: string) => boolean): boolean => !values.some(test);
  return (
    any(principals, (value) => fits(value, principal)) &&
    any(namespaces, (value) => fits(value, waypoint.namespace)) &&
    any(serviceAccounts, isAccount) &&
    none(notPrincipals, (value) => fits(value, principal)) &&
    none(notNamespaces, (value) => fits(value, waypoint.namespace)) &&
    none(notServiceAccounts, isAccount)
  );
}

function fits(pattern: string, value: string): boolean {
  if (pattern === '*') return true;
  if (pattern.startsWith('*')) return value.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return value.startsWith(pattern.slice(0, -1));
  return pattern === value || pattern === value.replace(/^[^/]*/, 'cluster.local');
}

/** Whether whom a rule names are gateways, which may call the Pods past the waypoint. */
function namesOnlyGateways(context: CheckContext, { from = [] }: AuthorizationRule, home: string): boolean {
  const byEnvoyGateway = context
    .index(envoyGateways)
    .filter(({ proxy, workload }) => workload.membership !== 'none' && routingType(proxy, false) === 'Endpoint')
    .map(({ workload }) => workload);
  const gateways = [...context.mesh.workloads.gateways, ...byEnvoyGateway];
  const named = from.flatMap(({ source = {} }) =>
    NAMING.flatMap((name) => (source[name] ?? []).map((value): AuthorizationSource => ({ [name]: [value] }))),
  );
  const isGateway = (source: AuthorizationSource): boolean =>
    gateways.some(({ namespace, serviceAccount }) =>
      isMet(context, source, { namespace, name: '', account: serviceAccount }, home),
    );
  return named.length > 0 && named.every(isGateway);
}
