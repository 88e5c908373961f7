/** AuthorizationPolicies that judge what reaches servers of Istio gateways, with the ports as a policy knows them. */
import type { Manifest } from '../model/manifest';
import { type CheckContext, defineIndex } from './context';
import { type GatewayView, gatewaysByName, selects } from './edge';
import { type AuthorizationPolicySpec, type AuthorizationRule, SECURITY, type Server, specOf } from './istio';

/** A server on the pods of a gateway. */
export interface JudgedServer {
  readonly gateway: GatewayView;
  readonly server: Server;
  /** Its port, and that of the pods behind the Service: policies go by the latter, and are often written with the first. */
  readonly ports: ReadonlySet<string>;
}

export interface GatewayPolicy {
  readonly manifest: Manifest;
  readonly spec: AuthorizationPolicySpec;
  readonly action: string;
  readonly servers: readonly JudgedServer[];
}

export const gatewayPolicies = defineIndex('policies at gateways', (context): readonly GatewayPolicy[] => {
  const gateways = [...context.index(gatewaysByName).values()].filter(
    ({ spec: { selector = {} } }) => Object.keys(selector).length > 0,
  );
  if (gateways.length === 0) return [];
  return context.of(SECURITY, 'AuthorizationPolicy').flatMap((manifest): GatewayPolicy[] => {
    const spec = specOf('AuthorizationPolicy', manifest);
    if (spec.targetRef || (spec.targetRefs ?? []).length > 0) return [];
    const servers = gateways.flatMap((gateway) => judgedBy(context, manifest, spec, gateway));
    return servers.length === 0 ? [] : [{ manifest, spec, action: spec.action ?? 'ALLOW', servers }];
  });
});

function judgedBy(
  context: CheckContext,
  manifest: Manifest,
  spec: AuthorizationPolicySpec,
  gateway: GatewayView,
): readonly JudgedServer[] {
  const labels = spec.selector?.matchLabels ?? {};
  const { selector = {}, servers = [] } = gateway.spec;
  const isEverywhere = manifest.namespace === context.mesh.config.rootNamespace;
  const pods = context.mesh.workloads.all.filter(
    (pod) =>
      selects(selector, pod.labels) &&
      selects(labels, pod.labels) &&
      (isEverywhere || pod.namespace === manifest.namespace),
  );
  // Pods that no manifest shows are known by what the Gateway and the policy say of them alike.
  const isMeant = Object.keys(labels).length > 0 && selects(selector, labels);
  if (pods.length === 0 && !isMeant) return [];
  const targets = pods.flatMap(({ namespace, labels: own }) =>
    context.mesh.serviceTargets({ type: 'gateway', namespace, labels: own, addresses: [] }),
  );
  return servers.map((server) => {
    const number = server.port?.number;
    const behind = targets.filter(({ port }) => port === number).map(({ targetPort }) => `${targetPort}`);
    return { gateway, server, ports: new Set([`${number}`, ...behind]) };
  });
}

/** The servers that a rule of a policy speaks of: those of the ports that it names, or all. */
export function serversOf({ servers }: GatewayPolicy, { to = [] }: AuthorizationRule): readonly JudgedServer[] {
  const named = to.map(({ operation }) => operation?.ports ?? []);
  const isForAll = named.length === 0 || named.some((ports) => ports.length === 0);
  return isForAll ? servers : servers.filter(({ ports }) => named.flat().some((port) => ports.has(port)));
}

/** Whether a rule of some ALLOW policy, judged by `isOpen`, lets something in at a server. */
export function isAdmitted(
  context: CheckContext,
  { gateway, server }: JudgedServer,
  isOpen: (rule: AuthorizationRule) => boolean,
): boolean {
  return context
    .index(gatewayPolicies)
    .filter(({ action }) => action === 'ALLOW')
    .some((policy) =>
      (policy.spec.rules ?? []).some(
        (rule) =>
          isOpen(rule) && serversOf(policy, rule).some((one) => one.gateway === gateway && one.server === server),
      ),
    );
}

export function portsOf(servers: readonly JudgedServer[]): string {
  return [...new Set(servers.map(({ server }) => server.port?.number))].join(', ');
}
