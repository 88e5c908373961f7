/**
 * Changed policies for what no manifest shows: workloads of a namespace of which there are none, routes and Gateways of another repository. Requests
 * to these cannot be followed, so that nobody can say that nothing changes.
 */
import { canonical } from '../model/canonical';
import { optionalRecord, record, records, text, texts, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';
import type { ObjectChange } from './objects';
import type { OutOfSight } from './out-of-sight';
import { isSettingsAlone } from './settings';

/** Kinds that are for workloads of their namespace, or of all from the root namespace. */
const FOR_WORKLOADS = new Set(['AuthorizationPolicy', 'RequestAuthentication', 'PeerAuthentication']);
/** Kinds of Envoy Gateway's that are for routes and Gateways. */
const FOR_ROUTES = new Set(['SecurityPolicy', 'BackendTrafficPolicy', 'ClientTrafficPolicy', 'EnvoyExtensionPolicy']);

export function unseenTarget(
  change: ObjectChange,
  all: readonly ObjectChange[],
  meshes: readonly Mesh[],
): OutOfSight | undefined {
  const sides = [change.was, change.is].filter((one) => one !== undefined);
  const whom = sides
    .map((manifest) => forWhom(manifest, meshes) ?? forWhichService(manifest, meshes))
    .find((one) => one !== undefined);
  if (whom === undefined || isSettingsAlone(change) || isSameElsewhere(change, all)) return undefined;
  const { kind, namespace, name } = change.ref;
  return { what: `${kind} ${namespace}/${name} is ${change.ref.change}`, why: `it is for ${whom}, so what that does to traffic is not known` }; // prettier-ignore
}

/** The Service of a namespace that no manifest shows, for which a rule or a route of the mesh is. */
function forWhichService(manifest: Manifest, meshes: readonly Mesh[]): string | undefined {
  const { group, kind, namespace, body } = manifest;
  const spec = record(body.spec);
  const isOfMesh = spec.gateways === undefined || texts(spec.gateways).includes('mesh');
  const refs = [...records(spec.parentRefs), ...(kind === 'BackendTLSPolicy' ? records(spec.targetRefs) : [])];
  const hosts =
    group === 'networking.istio.io'
      ? kind === 'DestinationRule'
        ? [text(spec.host)]
        : kind === 'VirtualService' && isOfMesh
          ? texts(spec.hosts)
          : []
      : group === 'gateway.networking.k8s.io'
        ? refs
            .filter((ref) => ref.kind === 'Service')
            .map((ref) => `${text(ref.name)}.${text(ref.namespace) || namespace}.svc`)
        : [];
  const unseen = hosts.find((host) => host !== '' && meshes.every((mesh) => isUnseen(host, namespace, mesh)));
  return unseen === undefined ? undefined : `${unseen}, a Service of a namespace of which no manifest shows any`;
}

/** Names of two parts may be of a Service, and of what is outside: those are followed as hosts. */
function isUnseen(written: string, own: string, mesh: Mesh): boolean {
  const { clusterDomain } = mesh.config;
  const [name = '', namespace = own, svc] = written.split('.');
  const isOfCluster = !written.includes('.') || written.endsWith(`.svc.${clusterDomain}`) || (svc === 'svc' && written.endsWith('.svc')); // prettier-ignore
  const host = `${name}.${namespace}.svc.${clusterDomain}`;
  return isOfCluster && !written.includes('*') && mesh.services.named(host).size === 0 && mesh.isOpen(namespace);
}

/** Whom a policy is for, where no manifest shows any of these. */
function forWhom(manifest: Manifest, meshes: readonly Mesh[]): string | undefined {
  const { group, kind, namespace, body } = manifest;
  const spec = record(body.spec);
  const refs = [...records(spec.targetRefs), ...[optionalRecord(spec.targetRef)].filter((one) => one !== undefined)];
  const isIstios = group === 'security.istio.io' && FOR_WORKLOADS.has(kind);
  if (isIstios && refs.length === 0)
    return isNobodyIn(namespace, meshes) ? workloadsText(namespace, meshes) : undefined;
  if (group === 'networking.k8s.io' && kind === 'NetworkPolicy')
    return isNobodyIn(namespace, meshes) && isAboutServers(spec) ? workloadsText(namespace, meshes) : undefined;
  if (!isIstios && !(group === 'gateway.envoyproxy.io' && FOR_ROUTES.has(kind))) return undefined;
  const unseen = [...refs, ...records(spec.targetSelectors)].find((ref) => isOfUnseenKind(ref, namespace, meshes));
  return unseen === undefined ? undefined : `what is of kind ${text(unseen.kind)} in namespace ${namespace}, of which no manifest shows any`; // prettier-ignore
}

function workloadsText(namespace: string, meshes: readonly Mesh[]): string {
  const isRoot = meshes.some(({ config }) => config.rootNamespace === namespace);
  return `workloads of ${isRoot ? 'all namespaces' : `namespace ${namespace}`}, of which no manifest shows any`;
}

/** Whether nothing is known to run there; of the root namespace, whether nothing is anywhere. */
function isNobodyIn(namespace: string, meshes: readonly Mesh[]): boolean {
  return meshes.every((mesh) => {
    const isRoot = mesh.config.rootNamespace === namespace;
    const pods = isRoot ? mesh.workloads.all : mesh.workloads.inNamespace(namespace);
    const services = isRoot ? mesh.of('', 'Service') : mesh.of('', 'Service').filter((one) => one.namespace === namespace); // prettier-ignore
    return pods.length === 0 && services.length === 0;
  });
}

/** Whether a NetworkPolicy says who may come to its Pods: what these send is followed whoever they are. */
function isAboutServers({ policyTypes, ingress }: Json): boolean {
  return !Array.isArray(policyTypes) || policyTypes.includes('Ingress') || ingress !== undefined;
}

function isOfUnseenKind(ref: Json, namespace: string, meshes: readonly Mesh[]): boolean {
  const kind = text(ref.kind);
  if (kind === 'GatewayClass') return false;
  const isShown = (mesh: Mesh): boolean =>
    mesh.manifests.some((one) => one.kind === kind && one.namespace === namespace) ||
    (kind === 'Gateway' && mesh.gatewayApi.find(namespace, text(ref.name)) !== undefined);
  return !meshes.some(isShown);
}

/** Whether another object of the kind says the same on the other side: it has another name, and no more. */
function isSameElsewhere({ ref, was, is }: ObjectChange, all: readonly ObjectChange[]): boolean {
  if (was !== undefined && is !== undefined) return saidBy(was) === saidBy(is);
  const own = saidBy((was ?? is)!);
  return all.some((other) => {
    if (other.ref.kind !== ref.kind || other.ref.namespace !== ref.namespace) return false;
    const [there, still] = was === undefined ? [other.was, other.is] : [other.is, other.was];
    return there !== undefined && still === undefined && saidBy(there) === own;
  });
}

function saidBy({ group, body }: Manifest): string {
  const isOrdered = group !== 'security.istio.io' && group !== 'networking.k8s.io';
  return canonical(isOrdered ? record(body.spec) : inAnyOrder(record(body.spec)));
}

/** Lists of these policies say the same in any order. */
function inAnyOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inAnyOrder).sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inAnyOrder(one)]));
}
