/** Manifests as a cluster would come to have them: without what an API server or istiod's admission webhook refuses or drops. */
import type { Manifest } from '../model/manifest';
import type { LeftOut } from '../model/left-out';
import { Mesh } from '../model/mesh';
import { type MeshConfig, readMeshConfig } from '../model/mesh-config';
import type { MeshOptions } from '../model/mesh-options';
import { unknownFields } from '../model/placeholders';
import { releasesInForce } from '../model/releases-in-force';
import { releasesOfCrds } from '../model/revision-releases';
import { list, record, text, texts } from '../model/fields';
import { isAdmitted } from '../model/workloads';
import { peerAuthenticationIssues, requestAuthenticationIssues, telemetryIssues } from './admission/authentication';
import { authorizationPolicyIssues } from './admission/authorization-policy';
import { destinationRuleIssues } from './admission/destination-rule';
import { gatewayIssues } from './admission/gateway';
import type { Issue } from './admission/issue';
import { serviceEntryIssues } from './admission/service-entry';
import { sidecarIssues } from './admission/sidecar';
import { virtualServiceIssues } from './admission/virtual-service';
import { definitionsInForce, schemasInForce } from './context';
import { isAskedOf, isFollowedAnyway, storedBy } from './released';
import { type Admitted, admit } from './schema/admit';
import { Taken } from './taken';

type Judge = (manifest: Manifest, config: MeshConfig) => Iterable<Issue>;

const JUDGES: Readonly<Record<string, Judge>> = {
  'networking.istio.io/ServiceEntry': (manifest, { istio }) => serviceEntryIssues(manifest, istio),
  'networking.istio.io/VirtualService': virtualServiceIssues,
  'networking.istio.io/DestinationRule': destinationRuleIssues,
  'networking.istio.io/Gateway': gatewayIssues,
  'networking.istio.io/Sidecar': (manifest, { rootNamespace, istio }) => sidecarIssues(manifest, rootNamespace, istio),
  'security.istio.io/AuthorizationPolicy': (manifest, { istio }) => authorizationPolicyIssues(manifest, istio),
  'security.istio.io/PeerAuthentication': peerAuthenticationIssues,
  'security.istio.io/RequestAuthentication': requestAuthenticationIssues,
  'telemetry.istio.io/Telemetry': telemetryIssues,
};

/** Why istiod's webhook refuses an object; undefined if it takes it. */
export function refusalOf({ original, manifest }: Admitted, config: MeshConfig): string | undefined {
  const key = `${original.group}/${original.kind}`;
  const judge = Object.hasOwn(JUDGES, key) ? JUDGES[key] : undefined;
  // What a tool fills in later is not known, and so not what a webhook says of it.
  if (judge === undefined || unknownFields(original).length > 0) return undefined;
  for (const { what, isWarning } of judge(manifest, config)) if (isWarning !== true) return what;
  return undefined;
}

/** What an API server has given its id, or a kubelet its state, has been let in, whatever a webhook would say today. */
function isStored({ kind, body }: Manifest): boolean {
  return text(record(record(body).metadata).uid) !== '' || (kind === 'Pod' && isAdmitted(record(body)));
}

/**
 * The mesh without what a cluster would not have; a trace of a request that such an object speaks of says so. `taken`: what other states of
 * it have that was judged before.
 */
export function acceptedMesh(manifests: readonly Manifest[], options: MeshOptions = {}, taken = new Taken()): Mesh {
  const config = readMeshConfig(manifests, options);
  const releases = releasesOfCrds(manifests, releasesInForce(manifests, options));
  const schemas = schemasInForce(manifests, releases);
  const known = taken.by(config, releases, definitionsInForce(manifests, releases));
  const leftOut: LeftOut[] = [];
  const kept = manifests.flatMap((manifest) => {
    if (known.has(manifest.body)) return [manifest];
    const { kind, namespace, name } = manifest;
    const isFollowed = isFollowedAnyway(manifest);
    const leave = (by: LeftOut['by'], why: string, field?: string): void =>
      void leftOut.push({ manifest, kind, namespace, name, by, why, ...(field === undefined ? {} : { field }), ...(isFollowed ? { isFollowed } : {}), hosts: hostsOf(manifest, config), ...(isForAll(manifest) ? { isForAll: true } : {}) }); // prettier-ignore
    if (isStored(manifest) || !isAskedOf(manifest)) return [manifest];
    const admitted = admit(manifest, schemas);
    const stored = storedBy(admitted, schemas, releases);
    if (isFollowed) {
      const [refusal] = stored?.manifest === undefined ? (stored?.missing ?? []) : [];
      if (refusal !== undefined) leave('api-server', refusal.why);
      else known.add(manifest.body);
      return [manifest];
    }
    for (const { field, why } of stored?.missing ?? []) leave('api-server', why, field);
    const has = stored === undefined ? manifest : stored.manifest;
    if (has === undefined) return [];
    const why = refusalOf(has === manifest ? admitted : admit(has, schemas), config);
    if (why === undefined) {
      if (has === manifest) known.add(manifest.body);
      return [has];
    }
    leave('webhook', why);
    return [];
  });
  return new Mesh(leftOut.length === 0 ? manifests : kept, options, leftOut);
}

/** Hosts that an object speaks of; undefined where it speaks of all. */
function hostsOf(
  { kind, namespace, name, body }: Manifest,
  { clusterDomain }: MeshConfig,
): readonly string[] | undefined {
  const spec = record(record(body).spec);
  if (/^(HTTP|GRPC|TLS)Route$/.test(kind)) return list(spec.hostnames).length > 0 ? texts(spec.hostnames) : undefined;
  if (kind === 'ServiceEntry' || kind === 'VirtualService')
    return list(spec.hosts).length > 0 ? texts(spec.hosts) : undefined;
  if (kind === 'Service') return [name, `${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.${clusterDomain}`]; // prettier-ignore
  // No request fares otherwise for it.
  if (kind === 'Telemetry') return [];
  return kind === 'DestinationRule' && text(spec.host) !== '' ? [text(spec.host)] : undefined;
}

/** Whether the hosts of an entry count for nothing, since connections go on to whatever address was dialled. */
function isForAll({ kind, body }: Manifest): boolean {
  return kind === 'ServiceEntry' && (text(record(record(body).spec).resolution) || 'NONE') === 'NONE';
}
