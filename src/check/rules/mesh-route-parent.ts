import type { FieldPath, Manifest } from '../../model/manifest';
import { isHttpOrAuto } from '../../model/protocols';
import type { Service } from '../../model/services';
import type { CheckContext } from '../context';
import { GATEWAY_API, ROUTE_KINDS, type Reference, routeSpec } from '../gateway-api';
import type { Hit, Rule } from '../rule';
import { nearestName } from '../../model/near-names';

export const rule: Rule = {
  id: 'EDGE805',
  name: 'mesh-route-parent',
  severity: 'error',
  title: 'A route for the mesh has a parent on which it has no effect',
  why: 'A route takes the place of the usual routing of its parent only if that is a Service or a ServiceEntry that exists, on a port of the protocol of the route.',
  fix: 'Name a Service of type ClusterIP and one of its ports, or attach the route to a Gateway.',
  see: 'https://gateway-api.sigs.k8s.io/mesh/',
  reads: [...ROUTE_KINDS],
  findsAbsence: true,
  footguns: ['G10'],
  *check(context) {
    for (const kind of ROUTE_KINDS) {
      for (const manifest of context.of(GATEWAY_API, kind)) {
        const { parentRefs = [], hostnames = [] } = routeSpec(manifest);
        let isUsed = parentRefs.length > 0;
        for (const [at, parent] of parentRefs.entries()) {
          const hit = judge(context, kind, parent, parent.namespace ?? manifest.namespace);
          if (hit) yield { manifest, ...hit, field: ['spec', 'parentRefs', at, ...hit.field] };
          isUsed &&= hit === undefined;
        }
        const hit = isUsed && (kind === 'HTTPRoute' || kind === 'GRPCRoute') ? ofHostnames(manifest, parentRefs, hostnames) : undefined; // prettier-ignore
        if (hit !== undefined) yield { manifest, ...hit };
      }
    }
  },
};

/** Of parents of the mesh alone istiod takes the names that these have in place of the route's own (HTTPRouteCollection in route_collections.go). */
function ofHostnames(
  manifest: Manifest,
  parents: readonly Reference[],
  hostnames: readonly string[],
): (Hit & { readonly field: FieldPath }) | undefined {
  if (!parents.every(({ kind }) => kind === 'Service')) return undefined;
  const foreign = hostnames.find(
    (host) => !parents.some(({ name = '', namespace = manifest.namespace }) => host === name || host.startsWith(`${name}.${namespace}`)), // prettier-ignore
  );
  if (foreign === undefined) return undefined;
  const { name, namespace = manifest.namespace } = parents[0] ?? {};
  return {
    field: ['spec', 'hostnames'],
    severity: 'warning',
    what: `hostname ${foreign} counts for nothing: the route is for what is sent to Service ${namespace}/${name} by the names that this has`,
    why: 'Hostnames of a route choose among those of a Gateway. At a Service the route is for the names of the Service: requests for others are not led by it, and all for its own are.',
    fix: 'Take hostnames out, and tell requests apart by paths or headers; or attach the route to a Gateway.',
  };
}

const ISTIO = 'networking.istio.io';
const PARENTS = ['Gateway', 'ListenerSet', 'XListenerSet', 'Service', 'ServiceEntry'];

function judge(
  context: CheckContext,
  kind: (typeof ROUTE_KINDS)[number],
  { group = GATEWAY_API, kind: parent = 'Gateway', name = '', port }: Reference,
  namespace: string,
): Hit | undefined {
  if (!PARENTS.includes(parent))
    return { field: ['kind'], what: `a ${kind} has ${parent} ${namespace}/${name} for a parent`, severity: 'warning' };
  if (parent === 'Service' && group !== '')
    return {
      field: ['group'],
      what: `the parent is a Service of group ${JSON.stringify(group)}, and Services are of the group ""`,
      fix: 'Write group: "".',
    };
  if (parent === 'ServiceEntry') return ofEntry(context, group, namespace, name);
  if (parent !== 'Service') return undefined;
  const { services } = context.mesh;
  const siblings = services
    .inNamespace(namespace)
    .filter(({ registry, assumed }) => registry === 'Kubernetes' && !assumed);
  const service = siblings.find((candidate) => candidate.name === name);
  if (!service) {
    if (siblings.length === 0) return undefined;
    const near = nearestName(
      name,
      siblings.map((candidate) => candidate.name),
    );
    return {
      field: ['name'],
      what: `there is no Service ${namespace}/${name}`,
      ...(near ? { fix: `Did you mean ${near}?` } : { severity: 'warning' as const }),
    };
  }
  return ofService(service, kind, port);
}

function ofEntry(context: CheckContext, group: string, namespace: string, name: string): Hit | undefined {
  if (group !== ISTIO)
    return {
      field: ['group'],
      what: `the parent is a ServiceEntry of group ${JSON.stringify(group)}, and ServiceEntries are of the group "${ISTIO}"`,
      fix: `Write group: ${ISTIO}.`,
    };
  const entries = context.of(ISTIO, 'ServiceEntry');
  if (entries.some((entry) => entry.namespace === namespace && entry.name === name)) return undefined;
  const siblings = entries.filter((entry) => entry.namespace === namespace).map((entry) => entry.name);
  const near = nearestName(name, siblings);
  return {
    field: ['name'],
    what: `there is no ServiceEntry ${namespace}/${name}`,
    ...(near
      ? { fix: `Did you mean ${near}?` }
      : { fix: 'Name a ServiceEntry of that namespace.', severity: 'warning' as const }),
  };
}

function ofService(service: Service, kind: (typeof ROUTE_KINDS)[number], port: number | undefined): Hit | undefined {
  const name = `Service ${service.namespace}/${service.name}`;
  if (service.resolution === 'ALIAS')
    return { field: ['name'], what: `${name} is an ExternalName, and has no traffic of its own` };
  const ports = service.ports.filter((candidate) => port === undefined || candidate.port === port);
  if (ports.length === 0)
    return {
      field: ['port'],
      what: `${name} has port ${service.ports.map((candidate) => candidate.port).join(', ')}, and not ${port}`,
    };
  if ((kind === 'HTTPRoute' || kind === 'GRPCRoute') && !ports.some(({ protocol }) => isHttpOrAuto(protocol)))
    return {
      field: port === undefined ? ['name'] : ['port'],
      what: `a ${kind} is for HTTP, and ${name} has ${ports.map((candidate) => `${candidate.port} (${candidate.protocol})`).join(', ')}`,
      fix: 'Name the port of the Service after HTTP, or set its appProtocol.',
    };
  return undefined;
}
