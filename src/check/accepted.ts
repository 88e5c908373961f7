/** Manifests as a cluster would come to have them: without what an API server or istiod's admission webhook refuses or drops. */
import type { Manifest } from '../model/manifest';
import type { LeftOut } from '../model/left-out';
import { Mesh } from '../model/mesh';
import { type MeshConfig, readMeshConfig } from '../model/mesh-config';
import type { MeshOptions } from '../model/mesh-options';
import { unknownFields } from '../model/placeholders';
import { releasesInForce } from '../model/releases-in-force';
import { list, record, text, texts } from '../model/fields';
import { peerAuthenticationIssues, requestAuthenticationIssues, telemetryIssues } from './admission/authentication';
import { authorizationPolicyIssues } from './admission/authorization-policy';
import { destinationRuleIssues } from './admission/destination-rule';
import { gatewayIssues } from './admission/gateway';
import type { Issue } from './admission/issue';
import { serviceEntryIssues } from './admission/service-entry';
import { sidecarIssues } from './admission/sidecar';
import { virtualServiceIssues } from './admission/virtual-service';
import { schemasInForce } from './context';
import { storedBy } from './released';
import { admit } from './schema/admit';
import type { Schemas } from './schema/store';

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
export function refusalOf(manifest: Manifest, config: MeshConfig, schemas: Schemas): string | undefined {
  const key = `${manifest.group}/${manifest.kind}`;
  const judge = Object.hasOwn(JUDGES, key) ? JUDGES[key] : undefined;
  // What a tool fills in later is not known, and so not what a webhook says of it.
  if (judge === undefined || isStored(manifest) || unknownFields(manifest).length > 0) return undefined;
  for (const { what, isWarning } of judge(admit(manifest, schemas).manifest, config))
    if (isWarning !== true) return what;
  return undefined;
}

/** What an API server has given its id has been let in, whatever a webhook would say today. */
function isStored({ body }: Manifest): boolean {
  return text(record(record(body).metadata).uid) !== '';
}

/** The mesh without what a cluster would not have; a trace of a request that such an object speaks of says so. */
export function acceptedMesh(manifests: readonly Manifest[], options: MeshOptions = {}): Mesh {
  const config = readMeshConfig(manifests, options);
  const releases = releasesInForce(manifests, options);
  const schemas = schemasInForce(manifests, releases);
  const leftOut: LeftOut[] = [];
  const kept = manifests.flatMap((manifest) => {
    const { kind, namespace, name } = manifest;
    const leave = (by: LeftOut['by'], why: string, field?: string): void =>
      void leftOut.push({ manifest, kind, namespace, name, by, why, ...(field === undefined ? {} : { field }), hosts: hostsOf(manifest) }); // prettier-ignore
    const stored = isStored(manifest) ? undefined : storedBy(manifest, schemas, releases);
    for (const { field, why } of stored?.missing ?? []) leave('api-server', why, field);
    const has = stored === undefined ? manifest : stored.manifest;
    if (has === undefined) return [];
    const why = refusalOf(has, config, schemas);
    if (why === undefined) return [has];
    leave('webhook', why);
    return [];
  });
  return new Mesh(leftOut.length === 0 ? manifests : kept, options, leftOut);
}

/** Hosts that an object speaks of; undefined where it speaks of all. */
function hostsOf({ kind, body }: Manifest): readonly string[] | undefined {
  const spec = record(record(body).spec);
  if (/^(HTTP|GRPC|TLS)Route$/.test(kind)) return list(spec.hostnames).length > 0 ? texts(spec.hostnames) : undefined;
  if (kind === 'ServiceEntry' || kind === 'VirtualService')
    return list(spec.hosts).length > 0 ? texts(spec.hosts) : undefined;
  // No request fares otherwise for it.
  if (kind === 'Telemetry') return [];
  return kind === 'DestinationRule' && text(spec.host) !== '' ? [text(spec.host)] : undefined;
}
