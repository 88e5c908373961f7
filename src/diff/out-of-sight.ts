/**
 * Changed objects of kinds that nothing here reads. Of those that are known to be nothing to traffic it is said so; what the others
 * do to it is not known, and never "no effect".
 */
import { canonical } from '../model/canonical';
import { record, type Json } from '../model/fields';
import { networkConfig } from './network-config';
import type { ObjectChange } from './objects';

/** Kinds of groups that cannot alter where a request goes, or whether it arrives. */
const HARMLESS_GROUPS =
  /^(rbac\.authorization\.k8s\.io|policy|scheduling\.k8s\.io|storage\.k8s\.io|snapshot\.storage\.k8s\.io|monitoring\.coreos\.com|autoscaling|coordination\.k8s\.io|events\.k8s\.io|node\.k8s\.io|metrics\.k8s\.io|apiextensions\.k8s\.io|apiregistration\.k8s\.io|grafana\..*|cert-manager\.io|acme\.cert-manager\.io|external-secrets\.io|bitnami\.com|keda\.sh|velero\.io)$/;
const HARMLESS_CORE = new Set([
  'ConfigMap', 'Secret', 'ServiceAccount', 'PersistentVolume', 'PersistentVolumeClaim', 'ResourceQuota', 'LimitRange', 'Event', 'PodTemplate', 'Node', 'ComponentStatus',
]); // prettier-ignore
/** Groups that are read here, with the kinds of them that are. */
const READ: Readonly<Record<string, RegExp>> = {
  '': /^(Service|Pod|Namespace|Endpoints|ReplicationController)$/,
  apps: /./,
  batch: /./,
  'discovery.k8s.io': /./,
  'networking.k8s.io': /./,
  'networking.istio.io': /./,
  'security.istio.io': /./,
  'telemetry.istio.io': /./,
  'install.istio.io': /./,
  'extensions.istio.io': /./,
  'gateway.networking.k8s.io': /./,
  'gateway.networking.x-k8s.io': /./,
  'gateway.envoyproxy.io': /./,
  'sailoperator.io': /./,
};

/** Controllers that do as the spec of their objects says, whatever these are labelled. */
const READS_NO_MARKS = /(^|\.)(fluxcd\.io|argoproj\.io)$/;
/** Labels and annotations by which tools know their own. */
const BOOKKEEPING =
  /^(helm\.sh\/|meta\.helm\.sh\/|app\.kubernetes\.io\/|kubectl\.kubernetes\.io\/|argocd\.argoproj\.io\/|([\w-]+\.)*fluxcd\.io\/|checksum\/)/;

export interface OutOfSight {
  readonly what: string;
  readonly why: string;
}

/** Why nobody can tell what a change does; undefined if its kind is read here, or is nothing to traffic. */
export function outOfSight({ ref, was, is }: ObjectChange): OutOfSight | undefined {
  const manifest = is ?? was;
  if (manifest === undefined || ref.kind === 'HelmValues') return undefined;
  const { group } = manifest;
  const what = `${ref.kind} ${ref.namespace === '' ? '' : `${ref.namespace}/`}${ref.name} is ${ref.change}`;
  const configures = networkConfig({ ref, was, is });
  if (configures !== undefined) return { what, why: `${configures}, so what that does to traffic is not known` };
  const known = Object.hasOwn(READ, group) ? READ[group] : undefined;
  if (known?.test(ref.kind) === true || HARMLESS_GROUPS.test(group)) return undefined;
  if (group === '' && HARMLESS_CORE.has(ref.kind)) return undefined;
  if (group === 'argoproj.io' && ref.kind === 'Rollout') return undefined;
  const meaning = (side: typeof was): string => {
    const { metadata, apiVersion: _version, status: _status, ...rest } = record(side?.body);
    return canonical([rest, READS_NO_MARKS.test(group) ? null : marks(record(metadata))]);
  };
  if (was !== undefined && is !== undefined && meaning(was) === meaning(is)) return undefined;
  return {
    what,
    why: `${reasonOf(group, ref.kind)}, so what that does to traffic is not known`,
  };
}

/** Labels and annotations: many controllers take orders by them. */
function marks({ labels, annotations }: Json): unknown {
  const kept = (given: unknown): Json =>
    Object.fromEntries(Object.entries(record(given)).filter(([name]) => !BOOKKEEPING.test(name)));
  return [kept(labels), kept(annotations)];
}

function reasonOf(group: string, kind: string): string {
  if (kind === 'HelmRelease' || kind === 'HelmChart')
    return 'its chart makes objects of its values that no manifest shows (render it: helm template)';
  if (group === 'argoproj.io') return 'it makes Argo CD apply objects that no manifest here shows';
  if (kind === 'Kustomization')
    return 'kustomize makes other objects of these files than they hold (compare what kustomize build writes)';
  if (/cilium|calico|antrea/.test(group)) return 'another controller enforces it, beside NetworkPolicies';
  return `no rule of ${group === '' ? 'Kubernetes' : group} for ${kind} is read here`;
}
