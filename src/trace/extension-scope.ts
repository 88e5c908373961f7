/** Which proxies an extension of Envoy is for, and which of them a trace understands. */
import { labelsMatch, record, records, strings, text, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import type { Config } from '../model/objects';

/** A proxy as extensions choose it. */
export interface ExtendedProxy {
  readonly namespace: string;
  readonly workload: string | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** Whether an object is for a proxy: in its namespace or the mesh's, by labels or by naming the gateway that the proxy is. */
export function isFor(mesh: Mesh, object: Config, selector: Json | undefined, proxy: ExtendedProxy): boolean {
  if (object.namespace !== proxy.namespace && object.namespace !== mesh.config.rootNamespace) return false;
  const refs = [...records(object.spec.targetRefs), record(object.spec.targetRef)].filter(
    (ref) => text(ref.name) !== '',
  );
  if (refs.length === 0) return labelsMatch(strings(selector), proxy.labels);
  const gateway = proxy.labels['gateway.networking.k8s.io/gateway-name'] ?? proxy.workload;
  return refs.some((ref) => ref.kind !== 'Gateway' || ref.name === gateway);
}

/** Whether a match names a cluster. */
export function namesCluster(match: Json, cluster: string | null): boolean {
  const [, port, subset, service] = (cluster ?? '').split('|');
  const wanted = record(match.cluster);
  const isNot = (field: string, value: string | undefined) => text(wanted[field]) !== '' && wanted[field] !== value;
  if (isNot('name', cluster ?? '') || isNot('service', service) || isNot('subset', subset)) return false;
  return !wanted.portNumber || wanted.portNumber === Number(port);
}
