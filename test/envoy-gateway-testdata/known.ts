/** Why `trace` says otherwise than the translator in some worlds; what is not explained here is a fault. */
import type { Compared } from './compare';

const REASONS: readonly (readonly [worlds: RegExp, why: string])[] = [
  [
    /secret-does-not-exist|missing-secret|one-invalid-ref|attached-routes|routing-type-listener|tls-settings-invalid|invalid-no-service$|jwt-and-invalid-oidc|credential-injection|tls-frontend-backend|backendtlspolicy-(?:invalid-ca|status-conditions-truncated)|merged-invalid-valueref|clienttrafficpolicy-invalid-settings|backend-tls-settings/, // prettier-ignore
    'a Secret, a CA or a namespace that no manifest shows is taken as there, with a note',
  ],
  [
    /secret-is-not-valid|invalid-multiple-tls|mismatched-tls|cert-bundle-both-invalid|duplicated-api-key|invalid-lua|policy-with-invalid|^sds/, // prettier-ignore
    'what is in a Secret, and whether code is valid, is not looked at',
  ],
  [/(?:service|backendref).*serviceimport|no-service\.import|serviceimport-backendref-mixed|serviceimport-backendrefs-diff|invalid-no-serviceimport|serviceimport-target/, 'a ServiceImport, which a controller makes, is not known where no manifest shows it, nor are its endpoints'], // prettier-ignore
  [
    /extproc|wasm|lua|failopen/,
    'code of others that is refused beside code that is not, and code that Envoy Gateway fetches',
  ],
  [/x?listenerset-httproute|healthcheck-overrides/, 'up to 1.8 the tests give the translator routes of one age in an order of their own, where Envoy Gateway sorts them before'], // prettier-ignore
  [/grpcroute-mixed-with-httproute/, 'a route without matches, as no API server has it: / is filled in there'],
  [/merge-tcp-invalid/, 'policies for TCP that are merged'],
  [/status-conditions/, 'the tests leave a namespace out, whose routes no listener admits then'],
  [/parametersref/, 'the tests leave out what watches Gateways, and refuses such a one before the translator sees it'],
  [/bad-sinks|envoyproxy-for-gatewayclass|mergegateways-conflict/, 'an EnvoyProxy that Envoy Gateway refuses is not known as such'], // prettier-ignore
  [/custom-filter-order|client-ip-detection|backendref-host-infra|envoypatchpolicy/, 'the reading of the intermediate form here leaves it out: orders of filters, addresses of clients, Envoy Gateway outside Kubernetes, patches that are refused'], // prettier-ignore
];

export function reasonOf({ world, difference }: Compared): string | undefined {
  return difference === undefined ? undefined : REASONS.find(([worlds]) => worlds.test(world))?.[1];
}
