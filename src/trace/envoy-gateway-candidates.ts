/** The rules of routes that may take a request at listeners of Envoy Gateway's, in the order in which Envoy asks them. */
import { hostnamesAt, type Attachment } from '../model/attachments';
import type { Served } from '../model/envoy-gateway-chains';
import { cookieConditions, routeFault, ruleFaults, type RuleFault } from '../model/envoy-gateway-rules';
import { record, records, type Json } from '../model/fields';
import { byEnvoyGatewayPrecedence, httpRules } from '../model/gateway-api-rules';
import type { Mesh } from '../model/mesh';
import { push } from '../model/objects';
import type { HttpRule } from '../model/virtual-services';
import { DomainIndex } from './envoy';
import type { Stage } from './envoy-gateway-stage';
import { weighted, type Route } from './http-routes';

/** A route of Envoy's, and what Envoy Gateway's filters and policies go by. */
export interface Candidate extends Route {
  readonly attachment: Attachment;
  readonly rule: HttpRule;
  /** The rule as it is written. */
  readonly own: Json;
  /** Why Envoy Gateway answers 500 in its place. */
  readonly fault: RuleFault | undefined;
}

export function attachedAt({ mesh }: Pick<Stage, 'mesh'>, listeners: readonly Served[]): readonly Attachment[] {
  return listeners.flatMap((served) =>
    mesh.gatewayApi.attachedTo(served.gateway).filter(({ listener }) => listener === served.listener),
  );
}

/** The rules of the routes at some listeners by host. */
export function candidatesAt(
  stage: Pick<Stage, 'mesh' | 'gateway' | 'proxy'>,
  listeners: readonly Served[],
): DomainIndex<() => readonly Candidate[]> {
  const { mesh, gateway, proxy } = stage;
  const names = listeners.map((one) => `${one.gateway.config.namespace}/${one.gateway.config.name} ${one.gateway.listeners.indexOf(one.listener)}`); // prettier-ignore
  return mesh.remember(gateway, `hosts at ${names.join()}`, () => {
    const byHost = new Map<string, Attachment[]>();
    for (const attachment of attachedAt(stage, listeners))
      if (routeFault(attachment.route, mesh) === undefined)
        for (const host of hostnamesAt(attachment)) push(byHost, host, attachment);
    const domains = new DomainIndex<() => readonly Candidate[]>();
    for (const [host, attachments] of byHost)
      domains.add(host, () =>
        mesh.remember(attachments, 'candidates', () =>
          inOrder(attachments, proxy.spec.preserveRouteOrder === true, mesh),
        ),
      );
    return domains;
  });
}

function routeOf(rule: HttpRule): Route {
  const clusters = weighted(rule.route, (destination) => destination.host);
  const mirrors = rule.mirrors
    .filter(({ destination: { host } }) => host !== '')
    .map(({ destination, percent }) => ({ cluster: `${destination.host}:${destination.port}`, percent, destination }));
  return { name: rule.name, rule, match: rule.matches[0] ?? null, clusters, gatewaySemantics: true, mirrors };
}

function inOrder(attachments: readonly Attachment[], asGiven: boolean, mesh: Mesh): readonly Candidate[] {
  const byRule = new Map<HttpRule, Candidate>();
  for (const attachment of attachments) {
    const { route } = attachment;
    const faults = ruleFaults(route, mesh);
    const written = records(route.config.spec.rules);
    for (const rule of httpRules(route, mesh.gatewayApi.input, mesh.config.clusterDomain, { byEnvoyGateway: true })) {
      const index = Number(/\d+/.exec(rule.ref.rule)?.[0] ?? 0);
      const own = record(written[index]);
      const fault = faults[index];
      if (fault?.is === 'match') continue;
      const sets = cookieConditions(own, route, mesh);
      for (const cookies of sets.length > 0 ? sets : [[]]) {
        const copy = { ...rule };
        byRule.set(copy, { ...routeOf(copy), cookies, attachment, rule: copy, own, fault });
      }
    }
  }
  const rules = [...byRule.keys()];
  const cookiesOf = (rule: HttpRule): readonly Json[] => byRule.get(rule)?.cookies ?? [];
  return (asGiven ? rules : byEnvoyGatewayPrecedence(rules, cookiesOf)).flatMap((rule) => byRule.get(rule) ?? []);
}
