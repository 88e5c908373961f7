import { record, text } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import type { Workload } from '../../model/workloads';
import { type JudgingPolicy, judgingPolicies, targetRefsOf, workloadsOf } from '../authorization';
import type { CheckContext } from '../context';
import { SECURITY, specOf } from '../istio';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE341',
  name: 'policy-untold-to-ztunnel',
  severity: 'error',
  title: 'A policy is for workloads that only ztunnel serves, and ztunnel is not told of it',
  why: 'istiod tells ztunnel of ALLOW and DENY alone; of CUSTOM and AUDIT it tells it nothing, and connections pass as if the policy were not written. Of mutual TLS for ports it tells it what it can make a policy of, and leaves out the rest.',
  fix: 'Lead the Service through a waypoint (label istio.io/use-waypoint), and give the policy targetRefs that name the Service in place of its selector.',
  see: 'https://istio.io/latest/docs/ambient/usage/l4-policy/',
  reads: ['AuthorizationPolicy', 'PeerAuthentication'],
  footguns: ['A15'],
  *check(context) {
    for (const policy of context.index(judgingPolicies)) yield* ofAction(context, policy);
    for (const manifest of context.of(SECURITY, 'PeerAuthentication')) yield* ofPorts(context, manifest);
  },
};

function* ofAction(context: CheckContext, policy: JudgingPolicy): Generator<Hit> {
  const { manifest, spec, action } = policy;
  if ((action !== 'CUSTOM' && action !== 'AUDIT') || targetRefsOf(spec).length > 0) return;
  const all = workloadsOf(context, policy);
  const served = all.filter(({ membership }) => membership === 'ztunnel');
  const { mesh } = context;
  // Pods of an ambient namespace that no manifest shows.
  const isUnseen = all.length === 0 && manifest.namespace !== mesh.config.rootNamespace && mesh.membershipIn(manifest.namespace) === 'ztunnel'; // prettier-ignore
  if (served.length === 0 && !isUnseen) return;
  const whom = isUnseen ? `Pods of ambient namespace ${manifest.namespace}` : namesOf(served);
  const provider = text(record(record(record(manifest.body).spec).provider).name);
  yield {
    manifest,
    field: ['spec', 'action'],
    ...(action === 'AUDIT' || isUnseen ? { severity: 'warning' as const } : {}),
    what:
      action === 'CUSTOM'
        ? `${whom} are served by ztunnel alone, which is told of no CUSTOM policy: nobody asks ${provider === '' ? 'the provider' : provider}, and whatever else is allowed gets in`
        : `${whom} are served by ztunnel alone, which is told of no AUDIT policy: nothing is recorded`,
  };
}

/** Ports of which ztunnel demands something else than a sidecar would: it goes by what istiod makes of the policy. */
function* ofPorts(context: CheckContext, manifest: Manifest): Generator<Hit> {
  const { mesh } = context;
  const { selector, portLevelMtls = {}, mtls } = specOf('PeerAuthentication', manifest);
  const labels = selector?.matchLabels ?? {};
  if (Object.keys(labels).length === 0 || Object.keys(portLevelMtls).length === 0) return;
  const served = mesh.workloads
    .selected(manifest.namespace, labels)
    .filter(({ membership }) => membership === 'ztunnel');
  const [first] = served;
  if (first === undefined) return;
  const whom = namesOf(served);
  const meant = (port: number): string =>
    mesh.peerAuthentications.forWorkload(first.namespace, first.labels, port).mode;
  const told = mesh.peerAuthentications.atZtunnel;
  const isStrict = (port: number): boolean => told.call(mesh.peerAuthentications, first.namespace, first.labels, port).mode === 'STRICT'; // prettier-ignore
  // A port that no policy names stands for all the others.
  if (meant(OTHER) === 'STRICT' && !isStrict(OTHER)) {
    yield {
      manifest,
      field: ['spec', 'selector'],
      what: `mutual TLS is STRICT for ${whom}, and ztunnel takes plain text on every port: the policy of namespace ${manifest.namespace} that says no mode hides that of the mesh from what istiod makes of this one`,
      fix: 'Write mtls.mode: STRICT here, beside portLevelMtls.',
    };
    return;
  }
  for (const port of Object.keys(portLevelMtls)) {
    const number = Number(port);
    const { config } = mesh.peerAuthentications.forWorkload(first.namespace, first.labels, number);
    if (config?.manifest !== manifest) continue;
    if (meant(number) === 'STRICT' && !isStrict(number))
      yield {
        manifest,
        field: ['spec', 'portLevelMtls', port, 'mode'],
        what: `port ${port} of ${whom} is STRICT, and ztunnel takes plain text on it: where the mesh is STRICT and the policy is ${text(mtls?.mode)} for the other ports, istiod makes nothing of the port`,
        fix: `Write a PeerAuthentication for namespace ${manifest.namespace} with mtls.mode: STRICT, which makes istiod tell ztunnel of the port.`,
      };
    else if (meant(number) !== 'STRICT' && isStrict(number))
      yield {
        manifest,
        field: ['spec', 'portLevelMtls', port, 'mode'],
        severity: 'warning',
        what: `port ${port} of ${whom} is ${meant(number)}, and ztunnel demands mutual TLS on it: it is told of DISABLE for a port only where the policy says mtls.mode: STRICT`,
        fix: 'Write PERMISSIVE for the port, if plain text from outside the mesh is to get in.',
      };
  }
}

const OTHER = 0;

/** The first few, by the names that people know them by. */
function namesOf(workloads: readonly Workload[]): string {
  const names = [...new Set(workloads.map(({ namespace, controller, name }) => `${namespace}/${controller ?? name}`))];
  return `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;
}
