import { type Trace, trace } from '../../trace';
import { outboundCapture } from '../../trace/capture';
import type { CheckContext } from '../context';
import { type EnvoyGatewayView, gatewaysOfPolicy } from '../envoy-gateway';
import { type OidcPolicy, oidcPolicies, urlParts } from '../oidc';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE822',
  name: 'oidc-provider-out-of-reach',
  severity: 'error',
  title: 'The proxies cannot fetch the token of a login',
  why: "Envoy Gateway's proxies call the token endpoint themselves. Beside a sidecar or behind NetworkPolicies that is egress like any other, and a login ends in 500 if nothing lets it out.",
  fix: "Declare the provider's host in a ServiceEntry that the proxies' namespace sees, and let their NetworkPolicies reach it.",
  see: 'https://gateway.envoyproxy.io/docs/tasks/security/oidc/',
  reads: ['SecurityPolicy'],
  footguns: ['Y13'],
  *check(context) {
    for (const policy of context.index(oidcPolicies)) {
      const call = tokenCall(policy);
      if (call === undefined) continue;
      for (const view of gatewaysOfPolicy(context, policy.manifest)) {
        const { outcome, refusal } = follow(context, view, call.url) ?? {};
        if (outcome !== 'refused' || !refusal) continue;
        yield {
          manifest: policy.manifest,
          field: ['spec', 'oidc', 'provider', call.field],
          what: `${call.url} from the proxies of Gateway ${view.gateway.config.namespace}/${view.gateway.config.name} in ${view.workload.namespace} is refused (${refusal.code}): ${refusal.what}`,
          ...(call.field === 'issuer' ? { severity: 'warning' as const } : {}),
        };
        break;
      }
    }
  },
};

/** The token endpoint is discovered at the issuer if it is not written, and is usually on the same host. */
function tokenCall({ oidc: { provider = {} } }: OidcPolicy): { url: string; field: string } | undefined {
  if (provider.backendRef || (provider.backendRefs ?? []).length > 0) return undefined;
  if (provider.tokenEndpoint) return { url: provider.tokenEndpoint, field: 'tokenEndpoint' };
  return provider.issuer ? { url: provider.issuer, field: 'issuer' } : undefined;
}

function follow({ mesh }: CheckContext, { workload }: EnvoyGatewayView, url: string): Trace | undefined {
  const port = urlParts(url)?.port;
  if (port === undefined) return undefined;
  const { captured, isUnknown } = outboundCapture(workload, mesh.servedTo(workload).config.capture, null, port);
  if (isUnknown) return undefined;
  const hasSidecar = workload.membership === 'sidecar' && captured;
  const labels = { ...workload.labels, 'sidecar.istio.io/inject': `${hasSidecar}` };
  try {
    return trace(mesh, { from: workload.namespace, labels, request: url, method: 'POST' });
  } catch {
    return undefined; // no URL: that is said elsewhere
  }
}
