/** Which policies are about a workload: by selector, by the gateway or waypoint that it is, or by the service that is called. */
import { labelsMatch, optionalRecord, record, records, strings, text, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { compareAge, config, push, type Config } from '../model/objects';

interface Named {
  readonly namespace: string;
  readonly name: string;
}

export function targetRefs(policy: Config): readonly Json[] {
  const refs = records(policy.spec.targetRefs);
  const single = optionalRecord(policy.spec.targetRef);
  return refs.length > 0 || single === undefined ? refs : [single];
}

/** Whether a policy is about a workload: by its selector, or by naming the gateway that the workload is. */
export function attaches(policy: Config, namespace: string, labels: Readonly<Record<string, string>>): boolean {
  const refs = targetRefs(policy);
  const gateway = labels['gateway.networking.k8s.io/gateway-name'];
  if (refs.length === 0) return labelsMatch(strings(record(policy.spec.selector).matchLabels), labels);
  if (gateway === undefined || policy.namespace !== namespace) return false;
  return refs.some(
    (ref) => ref.kind === 'Gateway' && text(ref.group) === 'gateway.networking.k8s.io' && ref.name === gateway,
  );
}

/** Only of AuthorizationPolicies the annotation is read, as `strconv.ParseBool` has it. */
function isDryRun({ kind, manifest }: Config): boolean {
  return kind === 'AuthorizationPolicy' && /^(?:1|t|T|TRUE|true|True)$/.test(manifest.annotations['istio.io/dry-run'] ?? ''); // prettier-ignore
}

/** Whether a policy names a waypoint, its class, or the service that is called; selectors do not count. */
export function attachesToWaypoint(
  mesh: Mesh,
  policy: Config,
  waypoint: Named,
  service?: Named & { readonly kind: string },
): boolean {
  return targetRefs(policy).some((ref) => {
    const name = text(ref.name);
    if (ref.kind === service?.kind) return policy.namespace === service?.namespace && name === service?.name;
    if (ref.kind === 'GatewayClass') return policy.namespace === mesh.config.rootNamespace && name === 'istio-waypoint';
    return ref.kind === 'Gateway' && policy.namespace === waypoint.namespace && name === waypoint.name;
  });
}

/** Policies of a waypoint: those that name its Gateway, its class, or the service that is called; selectors do not count. */
export function waypointPolicies(
  mesh: Mesh,
  kind: 'AuthorizationPolicy' | 'RequestAuthentication',
  waypoint: Named,
  service?: Named & { readonly kind: string },
): readonly Config[] {
  const key = `${kind} of waypoint ${waypoint.namespace}/${waypoint.name} for ${service?.kind} ${service?.namespace}/${service?.name}`;
  return mesh.remember(mesh, key, () => ofWaypoint(mesh, kind, waypoint, service));
}

const ofWaypoint: typeof waypointPolicies = (mesh, kind, waypoint, service) =>
  allOf(mesh, kind).filter((policy) => attachesToWaypoint(mesh, policy, waypoint, service));

/** All that count, by age. */
function allOf(mesh: Mesh, kind: 'AuthorizationPolicy' | 'RequestAuthentication'): readonly Config[] {
  return mesh.remember(mesh, `${kind} by age`, () =>
    mesh
      .of('security.istio.io', kind)
      .map(config)
      .filter((policy) => !isDryRun(policy))
      .sort(compareAge),
  );
}

/** The AuthorizationPolicies of a workload: those of the root namespace first, each namespace's by age. */
export function policiesFor(
  mesh: Mesh,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): readonly Config[] {
  return mesh.remember(labels, `authorization policies in ${namespace}`, () => {
    const byNamespace = mesh.remember(mesh, 'authorization policies', () => {
      const grouped = new Map<string, Config[]>();
      for (const policy of allOf(mesh, 'AuthorizationPolicy')) push(grouped, policy.namespace, policy);
      return grouped;
    });
    return [...new Set([mesh.config.rootNamespace, namespace])].flatMap((owner) =>
      (byNamespace.get(owner) ?? []).filter((policy) => attaches(policy, namespace, labels)),
    );
  });
}

/** The RequestAuthentications of a workload: those of its namespace and of the mesh's. */
export function tokenPoliciesFor(mesh: Mesh, own: string, labels: Readonly<Record<string, string>>): readonly Config[] {
  return mesh.remember(labels, `token policies in ${own}`, () =>
    mesh
      .of('security.istio.io', 'RequestAuthentication')
      .map(config)
      .filter(({ namespace }) => namespace === own || namespace === mesh.config.rootNamespace)
      .filter((policy) => attaches(policy, own, labels)),
  );
}
