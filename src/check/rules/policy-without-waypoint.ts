import { record } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { bindingOf, waypoints } from '../../model/waypoints';
import { isLedBy, targetRefsOf } from '../authorization';
import type { CheckContext } from '../context';
import { waypointProblemWords } from '../../trace/words/waypoints';
import { NETWORKING, type PolicyTarget, PROXY_POLICIES, type TargetRef } from '../istio';
import type { Hit, Rule } from '../rule';

/** Policies that only a proxy which reads HTTP applies, and a waypoint is that of what it serves. */
const KINDS = PROXY_POLICIES;

export const rule: Rule = {
  id: 'EDGE713',
  name: 'policy-without-waypoint',
  severity: 'error',
  title: 'A policy is for what no waypoint serves',
  why: 'What targets a Service, a ServiceEntry or a waypoint is applied by the waypoint. Traffic that goes through none is sent straight to its destination, and the policy is never read.',
  fix: 'Bind what the policy targets to a waypoint: label it istio.io/use-waypoint.',
  see: 'https://istio.io/latest/docs/ambient/usage/waypoint/#useawaypoint',
  reads: KINDS.map(([, kind]) => kind),
  findsAbsence: true,
  causedBy: ['EDGE702'],
  footguns: ['A12'],
  *check(context) {
    for (const [group, kind] of KINDS) {
      for (const manifest of context.of(group, kind)) {
        const spec = record(record(manifest.body).spec) as PolicyTarget;
        for (const [at, ref] of targetRefsOf(spec).entries()) yield* forTarget(context, manifest, ref, at, spec);
        if (kind === 'RequestAuthentication') yield* atZtunnel(context, manifest, spec);
      }
    }
  },
};

function* forTarget(
  context: CheckContext,
  policy: Manifest,
  { kind = '', name = '' }: TargetRef,
  at: number,
  { targetRef }: PolicyTarget,
): Generator<Hit> {
  const { mesh } = context;
  const field = targetRef === undefined ? ['spec', 'targetRefs', at, 'name'] : ['spec', 'targetRef', 'name'];
  if (kind === 'Gateway') {
    const gateway = mesh.gatewayApi.find(policy.namespace, name);
    if (gateway?.controller !== 'istio-waypoint' || isUsed(context, policy.namespace, name)) return;
    yield {
      manifest: policy,
      field,
      // What uses it may be in other repositories.
      severity: 'warning',
      what: `no Service, ServiceEntry, Pod or Namespace here is bound to waypoint ${policy.namespace}/${name}, which it targets`,
      fix: `Label what the waypoint is to serve istio.io/use-waypoint: ${name}.`,
    };
    return;
  }
  if (kind !== 'Service' && kind !== 'ServiceEntry') return;
  const target = context.find(kind === 'Service' ? '' : NETWORKING, kind, policy.namespace, name);
  if (target === undefined) return;
  const binding = bindingOf(mesh, target);
  // What nobody binds to a waypoint, for a policy of access to an external host, is another rule's.
  if (binding === undefined && kind === 'ServiceEntry' && policy.kind === 'AuthorizationPolicy') return;
  if (binding !== undefined && binding.problem === undefined) return;
  const problem = binding?.problem && waypointProblemWords(binding.problem);
  const isShown = mesh.namespaces.has(policy.namespace);
  yield {
    manifest: policy,
    field,
    what:
      problem === undefined
        ? `${kind} ${policy.namespace}/${name}, which it targets, is bound to no waypoint${isShown ? '' : ` by a label of its own, and no manifest shows namespace ${policy.namespace}`}`
        : `${policy.kind} ${policy.namespace}/${policy.name} is for ${kind} ${policy.namespace}/${name}, which is led through no waypoint: ${problem.what}`,
    fix: problem === undefined ? adviceFor(context, policy, kind, name) : `${sentence(problem.fix)}.`,
    ...(isShown ? {} : { severity: 'warning' as const }),
    onTheWay: [target, ...context.of('', 'Namespace').filter((one) => one.name === policy.namespace)],
  };
}

function adviceFor(context: CheckContext, { namespace }: Manifest, kind: string, name: string): string {
  if (context.mesh.membershipIn(namespace) === 'sidecar' && kind === 'Service')
    return `Give the policy a selector for the Pods of Service ${namespace}/${name} in place of targetRefs: their sidecars read that.`;
  const near = waypoints(context.mesh).find(({ config }) => config.namespace === namespace);
  const waypoint = near?.config.name ?? 'waypoint';
  return `Label ${kind} ${namespace}/${name} istio.io/use-waypoint: ${waypoint}${near ? '' : ', and make a Gateway of that name and class istio-waypoint'}.`;
}

function isUsed(context: CheckContext, namespace: string, name: string): boolean {
  const { mesh } = context;
  if (mesh.services.all.some((service) => isLedBy(context, service, { namespace, name }))) return true;
  const labelled = [
    ...mesh.workloads.all.map(({ labels }) => labels),
    ...[...mesh.namespaces.values()].map(({ labels }) => labels),
  ];
  if (labelled.some((labels) => labels['istio.io/use-waypoint'] === name)) return true;
  // Nothing here that could use it: then nothing can be said.
  return !mesh.services.all.some(
    (service) => service.namespace === namespace && !service.assumed && service.config.name !== name,
  );
}

/** A RequestAuthentication for pods that have no proxy but ztunnel. */
function* atZtunnel(context: CheckContext, manifest: Manifest, spec: PolicyTarget): Generator<Hit> {
  if (targetRefsOf(spec).length > 0) return;
  const { workloads, config } = context.mesh;
  if (manifest.namespace === config.rootNamespace) return;
  const pods = workloads.selected(manifest.namespace, spec.selector?.matchLabels ?? {});
  if (pods.length === 0 || pods.some(({ membership }) => membership !== 'ztunnel')) return;
  yield {
    manifest,
    field: ['spec', 'selector'],
    what: `${pods
      .slice(0, 3)
      .map((pod) => `${pod.namespace}/${pod.name}`)
      .join(', ')} has no proxy but ztunnel, which reads no tokens`,
    fix: 'Give it targetRefs to the Service, and bind that to a waypoint (istio.io/use-waypoint).',
  };
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
