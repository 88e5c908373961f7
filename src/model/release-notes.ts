/**
 * What a release does otherwise that no request of `trace` shows: defaults of limits, of installations and of what controllers read. Each
 * is said of an upgrade only if the manifests have an object that it is about.
 */
import type { Manifest } from './manifest';
import type { Component } from './releases';
import { record, records, type Json } from './fields';

export interface ReleaseNote {
  readonly component: Component;
  /** The first release that does it. */
  readonly release: string;
  readonly what: string;
  /** What to do about it, or how to have it as before. */
  readonly advice: string;
  /** In the repository of the component. */
  readonly source: string;
  readonly isAbout: (manifest: Manifest, all: readonly Manifest[]) => boolean;
}

const ofKind =
  (...kinds: readonly string[]) =>
  ({ kind }: Manifest): boolean =>
    kinds.includes(kind);
const specOf = ({ body }: Manifest): Json => record(record(body).spec);
const isOfAmbient = ({ kind, labels }: Manifest): boolean =>
  kind === 'ZTunnel' || labels['istio.io/dataplane-mode'] === 'ambient';
const patchesOf = (...parts: readonly string[]) => {
  return (manifest: Manifest): boolean => manifest.kind === 'EnvoyPatchPolicy' && parts.some((part) => JSON.stringify(manifest.body).includes(part)); // prettier-ignore
};

export const RELEASE_NOTES: readonly ReleaseNote[] = [
  {
    component: 'istio',
    release: '1.29',
    what: 'istio-cni brings the iptables rules of ambient Pods up to date when it starts (reconcileIptablesOnStartup)',
    advice: 'Set cni.ambient.reconcileIptablesOnStartup to false to keep rules as they are until Pods are restarted.',
    source: 'releasenotes/notes/reconcile-iptables-default-true.yaml',
    isAbout: isOfAmbient,
  },
  {
    component: 'istio',
    release: '1.30',
    what: 'the agent of istio-cni leaves out Pods of excludeNamespaces as its plugin does: those in ambient mode are taken out of the mesh',
    advice: 'Read cni.excludeNamespaces, and take namespaces away that are to stay in ambient mode.',
    source: 'releasenotes/notes/59295.yaml',
    isAbout: ({ body }) => /"excludeNamespaces":\["/.test(JSON.stringify(body)) && /"cni"|IstioCNI/.test(JSON.stringify(body)), // prettier-ignore
  },
  {
    component: 'istio',
    release: '1.31',
    what: 'endpoints that are not ready are sent to proxies, unless outlierDetection has minHealthPercent',
    advice: 'Set PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS=false in the environment of istiod to have it as before.',
    source: 'releasenotes/notes/60690.yaml',
    isAbout: (manifest) => manifest.kind === 'DestinationRule' && JSON.stringify(manifest.body).includes('"outlierDetection"'), // prettier-ignore
  },
  {
    component: 'istio',
    release: '1.31',
    what: 'a subset that sets no TLS has that of its DestinationRule also where mutual TLS is chosen by endpoint',
    advice: 'Read subsets of rules whose trafficPolicy sets tls.',
    source: 'releasenotes/notes/dr-subset-tls-mode-fallback.yaml',
    isAbout: (manifest) => manifest.kind === 'DestinationRule' && records(specOf(manifest).subsets).length > 0 && JSON.stringify(specOf(manifest).trafficPolicy ?? {}).includes('"tls"'), // prettier-ignore
  },
  {
    component: 'istio',
    release: '1.32',
    what: 'istiod fetches no keys (jwksUri) from link-local addresses and metadata services of clouds',
    advice: 'Serve keys from an address of another range.',
    source: 'releasenotes/notes/jwks-ssrf-default-block.yaml',
    isAbout: (manifest) => manifest.kind === 'RequestAuthentication' && JSON.stringify(manifest.body).includes('169.254.'), // prettier-ignore
  },
  {
    component: 'envoyGateway',
    release: '1.7',
    what: 'the custom response filter is first in the order of HTTP filters, which changes replies and headers of the proxy itself',
    advice:
      'Read responseOverride of BackendTrafficPolicies, and set filterOrder in the EnvoyProxy to have it as before.',
    source: 'release-notes/v1.7.0.yaml',
    isAbout: (manifest) => manifest.kind === 'BackendTrafficPolicy' && specOf(manifest).responseOverride !== undefined,
  },
  {
    component: 'envoyGateway',
    release: '1.8',
    what: 'a timeout of 0s in a SecurityPolicy means none, where it ended requests at once',
    advice: 'Write the timeout that is meant.',
    source: 'release-notes/v1.8.0.yaml',
    isAbout: (manifest) => manifest.kind === 'SecurityPolicy' && /"timeout":"0s"/.test(JSON.stringify(manifest.body)),
  },
  {
    component: 'envoyGateway',
    release: '1.8',
    what: 'the body of a directResponse is read for command operators: what stands between % is replaced',
    advice: 'Write %% for a percent sign.',
    source: 'release-notes/v1.8.0.yaml',
    isAbout: (manifest) =>
      manifest.kind === 'HTTPRouteFilter' && /"directResponse".*%/.test(JSON.stringify(manifest.body)),
  },
  {
    component: 'envoyGateway',
    release: '1.8',
    what: 'samplingFraction of an EnvoyProxy is taken as the fraction that it is: a hundred times more is sampled than before',
    advice: 'Divide the fraction by 100 to have as many traces as before.',
    source: 'release-notes/v1.8.0.yaml',
    isAbout: (manifest) =>
      manifest.kind === 'EnvoyProxy' && JSON.stringify(manifest.body).includes('"samplingFraction"'),
  },
  {
    component: 'envoyGateway',
    release: '1.8',
    what: 'one filter of OAuth2 serves all routes, and merged policies give other names in the configuration of proxies',
    advice: 'Read EnvoyPatchPolicies that name them.',
    source: 'release-notes/v1.8.0.yaml',
    isAbout: patchesOf('oauth2', 'securitypolicy'),
  },
  {
    component: 'envoyGateway',
    release: '1.9',
    what: 'Lua in EnvoyExtensionPolicies is off by default',
    advice: 'Set extensionApis.enableLua in the configuration of Envoy Gateway.',
    source: 'release-notes/v1.9.0.yaml',
    isAbout: (manifest) => manifest.kind === 'EnvoyExtensionPolicy' && specOf(manifest).lua !== undefined,
  },
  {
    component: 'envoyGateway',
    release: '1.9',
    what: 'traces that a client asks for are made only if clientSamplingFraction lets it ask',
    advice: 'Set clientSamplingFraction in the tracing of the EnvoyProxy.',
    source: 'release-notes/v1.9.0.yaml',
    isAbout: (manifest) => manifest.kind === 'EnvoyProxy' && JSON.stringify(manifest.body).includes('"tracing"'),
  },
  {
    component: 'envoyGateway',
    release: '1.9',
    what: 'TLS towards backends goes up to 1.3 by default, and was held at 1.2',
    advice: 'Set maxVersion in backendTLS of the EnvoyProxy to have it as before.',
    source: 'release-notes/v1.9.0.yaml',
    isAbout: ofKind('BackendTLSPolicy', 'Backend'),
  },
  {
    component: 'envoyGateway',
    release: '1.9',
    what: 'names of JWT providers, Lua filters, DNS clusters, shared rate limits and CA secrets in the configuration of proxies are others',
    advice: 'Read EnvoyPatchPolicies that name them.',
    source: 'release-notes/v1.9.0.yaml',
    isAbout: ofKind('EnvoyPatchPolicy'),
  },
  {
    component: 'envoyGateway',
    release: '1.9',
    what: 'dot segments with parameters are resolved, since 1.9.1: /shop/..;v=1/admin is /admin to routes and policies, and was a path below /shop',
    advice: 'Run 1.9.1 or newer, and look whether clients send such paths.',
    source: 'CVE-2026-73551 of Envoy; DefaultEnvoyProxyImage of api/v1alpha1/shared_types.go',
    isAbout: (manifest) => manifest.kind === 'HTTPRoute' && JSON.stringify(manifest.body).includes('"path":{'),
  },
  {
    component: 'envoyGateway',
    release: '1.9',
    what: 'the issuer of an OIDC login must be https, and users that are logged in have to log in once more',
    advice: 'Write an issuer with https.',
    source: 'release-notes/v1.9.1.yaml',
    isAbout: (manifest) => manifest.kind === 'SecurityPolicy' && specOf(manifest).oidc !== undefined,
  },
  {
    component: 'gatewayApi',
    release: '1.5',
    what: 'an admission policy (safe-upgrades) refuses CRDs older than 1.5, and of the experimental channel over the standard one',
    advice: 'To go back, take the ValidatingAdmissionPolicy safe-upgrades.gateway.networking.k8s.io away first.',
    source: 'config/crd/standard/gateway.networking.k8s.io_vap_safeupgrades.yaml',
    isAbout: ({ group }) => group === 'gateway.networking.k8s.io',
  },
  {
    component: 'gatewayApi',
    release: '1.6',
    what: 'sessionPersistence.idleTimeout of an HTTPRoute is gone',
    advice: 'Take the field away before the CRDs are applied.',
    source: 'CHANGELOG/1.6-CHANGELOG.md',
    isAbout: (manifest) => manifest.kind === 'HTTPRoute' && /"sessionPersistence":[^}]*"idleTimeout"/.test(JSON.stringify(manifest.body)), // prettier-ignore
  },
];
