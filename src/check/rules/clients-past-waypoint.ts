import type { Service } from '../../model/services';
import { isHttpOrAuto } from '../../model/protocols';
import { bindingOf } from '../../model/waypoints';
import type { Workload } from '../../model/workloads';
import { RequestError, trace } from '../../trace';
import { judgingPolicies, targetRefsOf } from '../authorization';
import type { CheckContext } from '../context';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE717',
  name: 'clients-past-waypoint',
  severity: 'warning',
  title: 'Clients come to a Service past the waypoint whose policy is to hold them',
  why: 'ztunnel leads its own workloads through the waypoint of a Service. Workloads with sidecars, and those outside the mesh, connect to the Pods: nobody asks them what a policy of the waypoint says, unless the Pods take connections of the waypoint alone.',
  fix: 'Write an AuthorizationPolicy with a selector for the Pods that allows the account of the waypoint alone.',
  see: 'https://istio.io/latest/docs/ambient/usage/l7-features/',
  reads: ['AuthorizationPolicy'],
  footguns: ['A16'],
  *check(context) {
    const { mesh } = context;
    for (const { manifest, spec, action } of context.index(judgingPolicies)) {
      if (action !== 'ALLOW' && action !== 'DENY') continue;
      for (const [at, { kind, name }] of targetRefsOf(spec).entries()) {
        const service = kind !== 'Service' ? undefined : mesh.services.inNamespace(manifest.namespace).find(({ config }) => config.kind === 'Service' && config.name === name); // prettier-ignore
        const binding = service && bindingOf(mesh, service.config.manifest);
        if (service === undefined || binding === undefined || binding.problem !== undefined) continue;
        const past = othersOf(context).find((client) => comesPast(context, client, service));
        if (past === undefined) continue;
        const { namespace, name: waypoint } = binding;
        const account = mesh.workloads.find(namespace, waypoint)?.serviceAccount ?? waypoint;
        yield {
          manifest,
          field: ['spec', ...(spec.targetRef === undefined ? ['targetRefs', at] : ['targetRef']), 'name'],
          what: `${past.namespace}/${past.name}, which ${past.membership === 'sidecar' ? 'has a sidecar' : 'is outside the mesh'}, comes to Service ${service.namespace}/${name} past waypoint ${namespace}/${waypoint}, and so past this policy`,
          fix: `Write an AuthorizationPolicy with a selector for the Pods of Service ${service.namespace}/${name} that allows principal ${mesh.config.trustDomain}/ns/${namespace}/sa/${account} alone; or put the clients into ambient mode.`,
        };
        break;
      }
    }
  },
};

/** One workload of each kind that has no ztunnel: they come to a Service alike. */
function othersOf({ mesh }: CheckContext): readonly Workload[] {
  return (['sidecar', 'none'] as const).flatMap((kind) =>
    mesh.workloads.all
      .filter(
        ({ membership, manifest, namespace }) =>
          membership === kind && manifest !== undefined && namespace !== mesh.config.rootNamespace,
      ) // prettier-ignore
      .slice(0, 1),
  );
}

function comesPast({ mesh }: CheckContext, { namespace, name }: Workload, service: Service): boolean {
  const port = service.ports.find(({ protocol }) => isHttpOrAuto(protocol)) ?? service.ports[0];
  if (port === undefined) return false;
  const scheme = isHttpOrAuto(port.protocol) ? 'http' : 'tcp';
  try {
    const told = trace(mesh, { from: `${namespace}/${name}`, request: `${scheme}://${service.host}:${port.port}` });
    return told.outcome === 'delivered' && told.hops.every(({ proxy }) => proxy.kind !== 'waypoint');
  } catch (error) {
    if (error instanceof RequestError) return false;
    throw error;
  }
}
