/**
 * Authorization of which Envoy Gateway can make nothing for connections: of a rule without clientCIDRs it makes a matcher without a predicate, which it
 * then refuses itself, with all that the same proxies have (buildTCPPrincipalPredicate of internal/xds/translator/authorization_tcp.go,
 * "skipped publishing xds resources" of internal/xds/runner/runner.go; 1.7.0 to 1.9.1, seen in the lab).
 */
import { streamPolicies } from './envoy-gateway-policies';
import { record, records, text, texts } from './fields';
import type { ApiGateway } from './gateway-api';
import type { Manifest } from './manifest';
import type { Mesh } from './mesh';

export interface Unwritten {
  readonly policy: Named;
  /** The rule of the policy that has no clientCIDRs. */
  readonly rule: number;
  /** A route whose connections it is for. */
  readonly route: Named;
}

type Named = Pick<Manifest, 'kind' | 'namespace' | 'name'>;

/** Why Envoy Gateway writes nothing for the proxies of a Gateway; undefined if it does. */
export function unwritten(gateway: ApiGateway, mesh: Mesh): Unwritten | undefined {
  return mesh.remember(gateway, 'unwritten', () => {
    for (const one of mesh.gatewayApi.servedWith(gateway))
      for (const attachment of mesh.gatewayApi.attachedTo(one)) {
        const { route } = attachment;
        if (route.kind !== 'TLSRoute' && route.kind !== 'TCPRoute') continue;
        const [first] = records(route.config.spec.rules);
        const { authorization: policy } = streamPolicies({ ...attachment, rule: text(first?.name) }, mesh);
        const rules = records(record(policy?.spec.authorization).rules);
        const rule = rules.findIndex(({ principal }) => texts(record(principal).clientCIDRs).length === 0);
        if (policy !== undefined && rule >= 0)
          return { policy: named(policy.manifest), rule, route: named(route.config.manifest) };
      }
    return undefined;
  });
}

const named = ({ kind, namespace, name }: Manifest): Named => ({ kind, namespace, name });
