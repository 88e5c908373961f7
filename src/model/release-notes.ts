/**
 * What a release does otherwise that no request of `trace` shows: defaults of limits, of installations and of what controllers read. Each
 * is said of an upgrade only if the manifests have an object that it is about.
 */
import type { Manifest } from './manifest';
import type { Component } from './releases';
import { record, records, text, texts, type Json } from './fields';

export interface ReleaseNote {
  readonly component: Component;
  /** The first release that does it. */
  readonly since: string;
  /** Patch releases that began with it, where not all of their release do, as of a switch. */
  readonly patches?: readonly string[];
  /** Of a fault: the releases that mend it. */
  readonly mended?: { readonly since: string; readonly patches: readonly string[] };
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
const specOf = ({ body }: Pick<Manifest, 'body'>): Json => record(record(body).spec);
const isOfAmbient = ({ kind, labels }: Manifest): boolean =>
  kind === 'ZTunnel' || labels['istio.io/dataplane-mode'] === 'ambient';
const ofPolicies =
  (part: RegExp) =>
  ({ kind, body }: Manifest): boolean =>
    kind === 'AuthorizationPolicy' && part.test(JSON.stringify(body));
/** Values of fields of sources, and of conditions on the same. */
function valuesOfPolicy(manifest: Manifest, name: RegExp): readonly string[] {
  if (manifest.kind !== 'AuthorizationPolicy') return [];
  return records(specOf(manifest).rules).flatMap((rule) => [
    ...records(rule.from).flatMap(({ source }) => Object.entries(record(source)).flatMap(([field, values]) => (name.test(field) ? texts(values) : []))), // prettier-ignore
    ...records(rule.when).flatMap(({ key, values, notValues }) => name.test(text(key)) ? [...texts(values), ...texts(notValues)] : []), // prettier-ignore
  ]);
}
const patchesOf = (...parts: readonly string[]) => {
  return (manifest: Manifest): boolean => manifest.kind === 'EnvoyPatchPolicy' && parts.some((part) => JSON.stringify(manifest.body).includes(part)); // prettier-ignore
};

export const RELEASE_NOTES: readonly ReleaseNote[] = [
  {
    component: 'istio',
    since: '1.29',
    what: 'istio-cni brings the iptables rules of ambient Pods up to date when it starts (reconcileIptablesOnStartup)',
    advice: 'Set cni.ambient.reconcileIptablesOnStartup to false to keep rules as they are until Pods are restarted.',
    source: 'releasenotes/notes/reconcile-iptables-default-true.yaml',
    isAbout: isOfAmbient,
  },
  {
    component: 'istio',
    since: '1.30',
    what: 'the agent of istio-cni leaves out Pods of excludeNamespaces as its plugin does: those in ambient mode are taken out of the mesh',
    advice: 'Read cni.excludeNamespaces, and take namespaces away that are to stay in ambient mode.',
    source: 'releasenotes/notes/59295.yaml',
    isAbout: ({ body }) => /"excludeNamespaces":\["/.test(JSON.stringify(body)) && /"cni"|IstioCNI/.test(JSON.stringify(body)), // prettier-ignore
  },
  {
    component: 'istio',
    since: '1.31',
    what: 'endpoints that are not ready are sent to proxies, unless outlierDetection has minHealthPercent',
    advice: 'Set PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS=false in the environment of istiod to have it as before.',
    source: 'releasenotes/notes/60690.yaml',
    isAbout: (manifest) => manifest.kind === 'DestinationRule' && JSON.stringify(manifest.body).includes('"outlierDetection"'), // prettier-ignore
  },
  {
    component: 'istio',
    since: '1.31',
    what: 'a subset that sets no TLS has that of its DestinationRule also where mutual TLS is chosen by endpoint',
    advice: 'Read subsets of rules whose trafficPolicy sets tls.',
    source: 'releasenotes/notes/dr-subset-tls-mode-fallback.yaml',
    isAbout: (manifest) => manifest.kind === 'DestinationRule' && records(specOf(manifest).subsets).length > 0 && JSON.stringify(specOf(manifest).trafficPolicy ?? {}).includes('"tls"'), // prettier-ignore
  },
  {
    component: 'istio',
    since: '1.32',
    patches: ['1.29.7', '1.31.1'],
    what: 'istiod fetches no keys (jwksUri) from link-local addresses and metadata services of clouds',
    advice: 'Serve keys from an address of another range.',
    source: 'releasenotes/notes/jwks-ssrf-default-block.yaml; announcements of 1.29.7 and 1.31.1',
    isAbout: (manifest) => manifest.kind === 'RequestAuthentication' && JSON.stringify(manifest.body).includes('169.254.'), // prettier-ignore
  },
  {
    component: 'istio',
    since: '1.30',
    patches: ['1.28.5', '1.29.1'],
    what: 'tokens signed with a key that is in the source of Istio are refused where istiod cannot fetch the keys of a RequestAuthentication (CVE-2026-31837)',
    advice: 'Until then, write the keys into jwks.',
    source: 'ISTIO-SECURITY-2026-001; announcement of 1.29.1',
    isAbout: ({ kind, body }) => kind === 'RequestAuthentication' && records(specOf({ body }).jwtRules).some(({ jwks }) => jwks === undefined), // prettier-ignore
  },
  {
    component: 'istio',
    since: '1.30',
    patches: ['1.28.5', '1.29.1'],
    what: 'each value counts of a header that a request has several times, where a policy asks for one (CVE-2026-26308 of Envoy): before, they are compared joined, which a DENY of one of them does not meet',
    advice: 'Restart proxies: it is they that mend it.',
    source: 'ISTIO-SECURITY-2026-001; announcement of 1.29.1',
    isAbout: ofPolicies(/"request\.headers\[/),
  },
  {
    component: 'istio',
    since: '1.30',
    patches: ['1.28.6', '1.29.2'],
    what: 'serviceAccounts of an AuthorizationPolicy are taken as they are written (CVE-2026-39350): before, a dot in one stands for any character, so that an ALLOW lets others in, and a DENY holds others',
    advice: 'Name principals instead until then.',
    source: 'releasenotes/notes/59700.yaml',
    isAbout: (manifest) => valuesOfPolicy(manifest, /serviceAccounts?$/i).some((value) => value.includes('.')),
  },
  {
    component: 'istio',
    since: '1.30',
    patches: ['1.28.7', '1.29.3'],
    what: 'namespaces of an AuthorizationPolicy, and principals with a star in front, are taken as they are written: before, what is no letter, digit, slash or dash is part of an expression',
    advice:
      'Write namespaces and principals without such characters until then; a second star counts for itself afterwards.',
    source: 'releasenotes/notes/59992.yaml',
    isAbout: (manifest) => valuesOfPolicy(manifest, /(namespaces?)$/i).some((value) => /[.+?|()[\]{}^$\\]/.test(value)) || valuesOfPolicy(manifest, /principals?$/i).some((value) => /^\*.*[.*+?|()[\]{}^$\\]/.test(value)), // prettier-ignore
  },
  {
    component: 'istio',
    since: '1.30',
    patches: ['1.29.2'],
    mended: { since: '1.31', patches: ['1.29.5', '1.30.2'] },
    what: 'proxies older than 1.29.2 refuse what istiod sends them for HBONE: waypoints and sidecars beside ambient mode keep what they have until they are restarted, and fail if they start anew',
    advice: 'Go to a release that mends it, 1.29.5, 1.30.2 or 1.31, or move all proxies at once.',
    source: 'istio/istio#60486; announcement of 1.29.5',
    isAbout: (manifest) => isOfAmbient(manifest) || (manifest.kind === 'Gateway' && specOf(manifest).gatewayClassName === 'istio-waypoint'), // prettier-ignore
  },
  {
    component: 'istio',
    since: '1.31',
    patches: ['1.29.7', '1.30.4'],
    what: 'dot segments with parameters are resolved (CVE-2026-73551 of Envoy): /shop/..;v=1/admin is /admin to routes and policies, and was a path below /shop',
    advice: 'Restart proxies: it is they that resolve them. Look whether clients send such paths.',
    source: 'announcements of 1.29.7 and 1.30.4',
    isAbout: ({ kind, body }) => (kind === 'AuthorizationPolicy' && /"(not)?[pP]aths":/.test(JSON.stringify(body))) || (kind === 'VirtualService' && JSON.stringify(body).includes('"uri":{')) || (kind === 'HTTPRoute' && JSON.stringify(body).includes('"path":{')), // prettier-ignore
  },
  {
    component: 'istio',
    since: '1.31',
    patches: ['1.29.7', '1.30.4', '1.31.1'],
    what: 'sidecars open no connection where the authority of a BackendTLSPolicy cannot be read (GHSA-qm8v-g4f9-qhjx): before, they send plain text',
    advice: 'Look whether the ConfigMaps and Secrets of caCertificateRefs are there.',
    source: 'announcements of 1.29.7, 1.30.4 and 1.31.1',
    isAbout: ofKind('BackendTLSPolicy'),
  },
  {
    component: 'istio',
    since: '1.31',
    what: 'images and charts are no longer published to gcr.io/istio-release, registry.istio.io and istio-release.storage.googleapis.com',
    advice:
      'Take charts from https://blob.istio.io/istio-release/charts or oci://ghcr.io/istio/release/charts, and images from docker.io/istio.',
    source: 'upgrade notes of 1.31',
    isAbout: ({ body }) => /gcr\.io\/istio-release|registry\.istio\.io|istio-release\.storage\.googleapis\.com/.test(JSON.stringify(body)), // prettier-ignore
  },
  {
    component: 'istio',
    since: '1.31',
    patches: ['1.29.6', '1.30.3'],
    what: 'workloads of a WorkloadGroup that register by themselves are reached over HBONE: those that registered before are reached in plain text until they do so anew',
    advice: 'Let them connect anew, or write the label networking.istio.io/tunnel: http at their WorkloadEntries.',
    source: 'upgrade notes of 1.31; announcement of 1.29.6',
    isAbout: (manifest, all) => manifest.kind === 'WorkloadGroup' && all.some(isOfAmbient),
  },
  {
    component: 'istio',
    since: '1.31',
    what: 'PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY is read no more: gateways make a span of each request that they send',
    advice: 'Take the variable away.',
    source: 'releasenotes/notes/remove-spawn-upstream-span-for-gateway.yaml',
    isAbout: ({ body }) => JSON.stringify(body).includes('PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY'),
  },
  {
    component: 'envoyGateway',
    since: '1.7',
    what: 'the custom response filter is first in the order of HTTP filters, which changes replies and headers of the proxy itself',
    advice:
      'Read responseOverride of BackendTrafficPolicies, and set filterOrder in the EnvoyProxy to have it as before.',
    source: 'release-notes/v1.7.0.yaml',
    isAbout: (manifest) => manifest.kind === 'BackendTrafficPolicy' && specOf(manifest).responseOverride !== undefined,
  },
  {
    component: 'envoyGateway',
    since: '1.8',
    what: 'a timeout of 0s in a SecurityPolicy means none, where it ended requests at once',
    advice: 'Write the timeout that is meant.',
    source: 'release-notes/v1.8.0.yaml',
    isAbout: (manifest) => manifest.kind === 'SecurityPolicy' && /"timeout":"0s"/.test(JSON.stringify(manifest.body)),
  },
  {
    component: 'envoyGateway',
    since: '1.8',
    what: 'the body of a directResponse is read for command operators: what stands between % is replaced',
    advice: 'Write %% for a percent sign.',
    source: 'release-notes/v1.8.0.yaml',
    isAbout: (manifest) =>
      manifest.kind === 'HTTPRouteFilter' && /"directResponse".*%/.test(JSON.stringify(manifest.body)),
  },
  {
    component: 'envoyGateway',
    since: '1.8',
    what: 'samplingFraction of an EnvoyProxy is taken as the fraction that it is: a hundred times more is sampled than before',
    advice: 'Divide the fraction by 100 to have as many traces as before.',
    source: 'release-notes/v1.8.0.yaml',
    isAbout: (manifest) =>
      manifest.kind === 'EnvoyProxy' && JSON.stringify(manifest.body).includes('"samplingFraction"'),
  },
  {
    component: 'envoyGateway',
    since: '1.8',
    what: 'one filter of OAuth2 serves all routes, and merged policies give other names in the configuration of proxies',
    advice: 'Read EnvoyPatchPolicies that name them.',
    source: 'release-notes/v1.8.0.yaml',
    isAbout: patchesOf('oauth2', 'securitypolicy'),
  },
  {
    component: 'envoyGateway',
    since: '1.9',
    what: 'Lua in EnvoyExtensionPolicies is off by default',
    advice: 'Set extensionApis.enableLua in the configuration of Envoy Gateway.',
    source: 'release-notes/v1.9.0.yaml',
    isAbout: (manifest) => manifest.kind === 'EnvoyExtensionPolicy' && specOf(manifest).lua !== undefined,
  },
  {
    component: 'envoyGateway',
    since: '1.9',
    what: 'traces that a client asks for are made only if clientSamplingFraction lets it ask',
    advice: 'Set clientSamplingFraction in the tracing of the EnvoyProxy.',
    source: 'release-notes/v1.9.0.yaml',
    isAbout: (manifest) => manifest.kind === 'EnvoyProxy' && JSON.stringify(manifest.body).includes('"tracing"'),
  },
  {
    component: 'envoyGateway',
    since: '1.9',
    what: 'TLS towards backends goes up to 1.3 by default, and was held at 1.2',
    advice: 'Set maxVersion in backendTLS of the EnvoyProxy to have it as before.',
    source: 'release-notes/v1.9.0.yaml',
    isAbout: ofKind('BackendTLSPolicy', 'Backend'),
  },
  {
    component: 'envoyGateway',
    since: '1.9',
    what: 'names of JWT providers, Lua filters, DNS clusters, shared rate limits and CA secrets in the configuration of proxies are others',
    advice: 'Read EnvoyPatchPolicies that name them.',
    source: 'release-notes/v1.9.0.yaml',
    isAbout: ofKind('EnvoyPatchPolicy'),
  },
  {
    component: 'envoyGateway',
    since: '1.9',
    patches: ['1.9.1'],
    what: 'dot segments with parameters are resolved (CVE-2026-73551): /shop/..;v=1/admin is /admin to routes and policies, and was a path below /shop',
    advice: 'Look whether clients send such paths.',
    source: 'CVE-2026-73551 of Envoy; DefaultEnvoyProxyImage of api/v1alpha1/shared_types.go',
    isAbout: (manifest) => manifest.kind === 'HTTPRoute' && JSON.stringify(manifest.body).includes('"path":{'),
  },
  {
    component: 'envoyGateway',
    since: '1.9',
    patches: ['1.9.1'],
    what: 'the issuer of an OIDC login must be https, and users that are logged in have to log in once more',
    advice: 'Write an issuer with https.',
    source: 'release-notes/v1.9.1.yaml',
    isAbout: (manifest) => manifest.kind === 'SecurityPolicy' && specOf(manifest).oidc !== undefined,
  },
  {
    component: 'gatewayApi',
    since: '1.5',
    what: 'an admission policy (safe-upgrades) refuses CRDs older than 1.5, and of the experimental channel over the standard one',
    advice: 'To go back, take the ValidatingAdmissionPolicy safe-upgrades.gateway.networking.k8s.io away first.',
    source: 'config/crd/standard/gateway.networking.k8s.io_vap_safeupgrades.yaml',
    isAbout: ({ group }) => group === 'gateway.networking.k8s.io',
  },
  {
    component: 'gatewayApi',
    since: '1.6',
    what: 'sessionPersistence.idleTimeout of an HTTPRoute is gone',
    advice: 'Take the field away before the CRDs are applied.',
    source: 'CHANGELOG/1.6-CHANGELOG.md',
    isAbout: (manifest) => manifest.kind === 'HTTPRoute' && /"sessionPersistence":[^}]*"idleTimeout"/.test(JSON.stringify(manifest.body)), // prettier-ignore
  },
];
