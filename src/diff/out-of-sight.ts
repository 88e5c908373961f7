/**
 * Changed objects of kinds that nothing here reads. Of those that are known to be nothing to traffic it is said so; what the others
 * do to it is not known, and never "no effect".
 */
import { canonical } from '../model/canonical';
import { record } from '../model/fields';
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

export interface OutOfSight {
  readonly what: string;
  readonly why: string;
}

/** Why nobody can tell what a change does; undefined if its kind is read here, or is nothing to traffic. */
export function outOfSight({ ref, was, is }: ObjectChange): OutOfSight | undefined {
  const manifest = is ?? was;
  if (manifest === undefined || ref.kind === 'HelmValues') return undefined;
  const { group } = manifest;
  const known = Object.hasOwn(READ, group) ? READ[group] : undefined;
  if (known?.test(ref.kind) === true || HARMLESS_GROUPS.test(group)) return undefined;
  if (group === '' && HARMLESS_CORE.has(ref.kind)) return undefined;
  if (group === 'argoproj.io' && ref.kind === 'Rollout') return undefined;
  const meaning = (side: typeof was): string => {
    const { metadata: _metadata, apiVersion: _version, status: _status, ...rest } = record(side?.body);
    return canonical(rest);
  };
  if (was !== undefined && is !== undefined && meaning(was) === meaning(is)) return undefined;
  return {
    what: `${ref.kind} ${ref.namespace === '' ? '' : `${ref.namespace}/`}${ref.name} is ${ref.change}`,
    why: `${reasonOf(group, ref.kind)}, so what that does to traffic is not known`,
  };
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
