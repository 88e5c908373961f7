/**
 * Settings of Istio that no CRD has, so that no schema tells which release reads them: fields of the mesh configuration, variables of istiod,
 * labels and annotations. Each with the first release that reads it, and what an older one does.
 */
import { record, text } from './fields';
import type { FieldPath, Manifest } from './manifest';
import { fieldOf, installationOf } from './installation';
import { COMPONENTS, isSince } from './releases';

interface Setting {
  /** As users write it. */
  readonly name: string;
  readonly since: string;
  /** What a release does that does not read it. */
  readonly before: string | ((release: string) => string);
  /** In the repository of Istio, or of its API. */
  readonly source: string;
  readonly find: (manifest: Manifest) => FieldPath | undefined;
}

/** A field of the mesh configuration, wherever that is kept; with `value`, only where it has that. */
const ofMesh =
  (path: string, value?: string) =>
  (manifest: Manifest): FieldPath | undefined => {
    const steps = path.split('.');
    const installation = installationOf(manifest);
    const found = steps.reduce<unknown>((inner, step) => record(inner)[step], installation?.meshConfig);
    if (installation === undefined || found === undefined || (value !== undefined && text(found) !== value))
      return undefined;
    return fieldOf(installation, 'meshConfig', steps);
  };

const ofIstiod =
  (name: string) =>
  (manifest: Manifest): FieldPath | undefined =>
    installationOf(manifest)?.env[name] === undefined ? undefined : [];

const labelled =
  (name: string) =>
  ({ labels }: Manifest): FieldPath | undefined =>
    labels[name] === undefined ? undefined : ['metadata', 'labels', name];

const annotated =
  (name: string, ...kinds: readonly string[]) =>
  ({ kind, annotations }: Manifest): FieldPath | undefined =>
    annotations[name] === undefined || !kinds.includes(kind) ? undefined : ['metadata', 'annotations', name];

const MODES = 'mesh/v1alpha1/config.proto of istio.io/api, pilot/pkg/networking/util/util.go';

const SETTINGS: readonly Setting[] = [
  {
    name: 'outboundTrafficPolicy.mode ALLOW_ANY_DYNAMIC_DNS',
    since: '1.31',
    before: (release) =>
      isSince('istio', release, '1.30')
        ? 'has the word and does nothing by it: requests to hosts that nobody declares are blocked, as under REGISTRY_ONLY'
        : 'cannot read the mesh configuration for it, and goes on with what it read last, or with the defaults of all settings',
    source: MODES,
    find: ofMesh('outboundTrafficPolicy.mode', 'ALLOW_ANY_DYNAMIC_DNS'),
  },
  {
    name: 'outboundTrafficPolicy.tls',
    since: '1.31',
    before: 'does not read it: no TLS is originated to hosts that nobody declares',
    source: MODES,
    find: ofMesh('outboundTrafficPolicy.tls'),
  },
  {
    name: 'defaultTrafficPolicy',
    since: '1.31',
    before: "does not read it: what DestinationRules leave out is Istio's own default",
    source: 'releasenotes/notes/mesh-default-traffic-policy.yaml',
    find: ofMesh('defaultTrafficPolicy'),
  },
  {
    name: 'serviceEntryVisibility',
    since: '1.31',
    before:
      'does not read it: ServiceEntries are seen by whom their exportTo names, and by every namespace without one',
    source: 'releasenotes/notes/60870-serviceentry-visibility.yaml',
    find: ofMesh('serviceEntryVisibility'),
  },
  {
    name: 'connectionSettings',
    since: '1.31',
    before: 'does not read it: limits and timeouts of listeners, and what becomes of paths, stay those of before',
    source: 'releasenotes/notes/connection-settings.yaml',
    find: ofMesh('defaultConfig.connectionSettings'),
  },
  {
    name: 'PILOT_ENABLE_STRICT_GATEWAY_MERGING',
    since: '1.31',
    before: "does not read it: Istio's Gateways of other namespaces are merged into gateways of the Gateway API",
    source: 'releasenotes/notes/strict-gateway-merging.yaml',
    find: ofIstiod('PILOT_ENABLE_STRICT_GATEWAY_MERGING'),
  },
  {
    name: 'PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE',
    since: '1.30',
    before: 'does not read it: of one host in several namespaces sidecars take that of the first by name',
    source: 'releasenotes/notes/sidecar-pick-best-service-namespace.yaml',
    find: ofIstiod('PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE'),
  },
  {
    name: 'PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS',
    since: '1.30',
    before: 'does not read it: where policies of one workload name several providers, what their rules match is denied',
    source: 'releasenotes/notes/58082.yaml',
    find: ofIstiod('PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS'),
  },
  ...['', '-namespace']
    .map((end) => `istio.io/use-waypoint-canary${end}`)
    .map((name): Setting => ({
      name,
      since: '1.31',
      before: 'does not read it: all connections go through the first waypoint',
      source: 'releasenotes/notes/60801-weighted-waypoint-canary.yaml',
      find: labelled(name),
    })),
  {
    name: 'istio.io/ignore-policy-attachment',
    since: '1.30',
    before: 'does not read it, and follows the policy',
    source: 'releasenotes/notes/60122.yaml',
    find: annotated('istio.io/ignore-policy-attachment', 'BackendTLSPolicy', 'XBackendTrafficPolicy'),
  },
  {
    name: 'ambient.istio.io/xfcc-include-client-identity',
    since: '1.30',
    before: 'does not read it: what the waypoint sends on has no x-forwarded-client-cert of its own',
    source: 'releasenotes/notes/54995.yaml',
    find: annotated('ambient.istio.io/xfcc-include-client-identity', 'Gateway', 'GatewayClass'),
  },
  {
    name: 'istio.io/connect-strategy',
    since: '1.30',
    before: 'does not read it: of several addresses that DNS answers, one is tried',
    source: 'releasenotes/notes/ambient-dns-connection-strategy.yaml',
    find: annotated('istio.io/connect-strategy', 'ServiceEntry'),
  },
];

export interface UnreadSetting {
  readonly name: string;
  readonly since: string;
  readonly before: string;
  readonly field: FieldPath;
}

/** Settings of a manifest that a release does not read yet. */
export function settingsUnreadBy(manifest: Manifest, release: string): readonly UnreadSetting[] {
  if (release === COMPONENTS.istio.releases[0]?.name) return [];
  return SETTINGS.filter(({ since }) => !isSince('istio', release, since)).flatMap(({ name, since, before, find }) => {
    const field = find(manifest);
    return field === undefined ? [] : [{ name, since, field, before: typeof before === 'string' ? before : before(release) }]; // prettier-ignore
  });
}
