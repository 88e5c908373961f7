import { backendTaken } from '../../model/backend-kinds';
import { number, optionalRecord, record, records, text } from '../../model/fields';
import { EXPERIMENTS } from '../../model/gateway-api-rules';
import { ingressesOfIstio } from '../../model/kubernetes-ingress';
import type { Manifest } from '../../model/manifest';
import { resolvesSni } from '../../trace/envoy-gateway-clusters';
import { missingBackend } from '../backends';
import type { CheckContext } from '../context';
import { ENVOY_GATEWAY, GATEWAY_API, ROUTE_KINDS, routeSpec } from '../gateway-api';
import type { Hit, Rule } from '../rule';
import { serviceSpec } from '../workloads';

export const rule: Rule = {
  id: 'EDGE804',
  name: 'backend-not-found',
  severity: 'error',
  title: 'A route leads to a port that its Service does not have, or to no Service',
  why: 'A backend that does not exist answers 500 for its share of the requests.',
  fix: 'Write the name and a port of a Service in the namespace of the route.',
  see: 'https://gateway-api.sigs.k8s.io/api-types/httproute/#backendrefs-optional',
  reads: [...ROUTE_KINDS, 'Ingress'],
  findsAbsence: true,
  tellsEnough: true,
  footguns: ['G12', 'V12'],
  *check(context) {
    for (const kind of ROUTE_KINDS) {
      for (const manifest of context.of(GATEWAY_API, kind)) {
        for (const [r, { backendRefs = [] }] of (routeSpec(manifest).rules ?? []).entries()) {
          for (const [
            b,
            { group = '', kind: target = 'Service', name = '', namespace = manifest.namespace, port, weight },
          ] of backendRefs.entries()) {
            const field = ['spec', 'rules', r, 'backendRefs', b];
            if (group === EXPERIMENTS && target === 'XBackend' && weight !== 0) {
              const why = unreadBackend(context, manifest, `${namespace}/${name}`);
              if (why !== undefined) yield { manifest, field: [...field, 'kind'], ...why };
            }
            if (group === ENVOY_GATEWAY && target === 'Backend' && weight !== 0) {
              const what = unresolved(context, manifest, namespace, name);
              if (what !== undefined) yield { manifest, field: [...field, 'name'], what, why: UNRESOLVED, fix: 'Name a Backend with endpoints, or let Envoy Gateway 1.9 or newer resolve the SNI of TLS that passes through (TLSRoute).' }; // prettier-ignore
            }
            const foreign = weight === 0 ? undefined : foreignKind(context, manifest, group, target);
            if (foreign !== undefined) yield { manifest, field: [...field, 'kind'], ...foreign };
            if (group !== '' || target !== 'Service' || weight === 0) continue;
            const hit = ofService(context, namespace, name, port);
            if (hit !== undefined) yield { manifest, ...hit, field: [...field, ...hit.field] };
          }
          yield* mirrors(context, manifest, r);
        }
      }
    }
    yield* ofIngresses(context);
  },
};

/** What is wrong with a port of a Service, or with its name. `port`: its number, or a name, of an Ingress. */
function ofService(
  context: CheckContext,
  namespace: string,
  name: string,
  port: number | string | undefined,
): Omit<Hit, 'manifest'> | undefined {
  const service = context.find('', 'Service', namespace, name);
  if (!service) {
    const told = missingBackend(context, namespace, name);
    return told && { field: ['name'], ...told };
  }
  const { ports = [] } = serviceSpec(service);
  const known = typeof port === 'string' ? ports.map((one) => one.name ?? '') : ports.map((one) => one.port);
  if (port === undefined || (known as readonly unknown[]).includes(port)) return undefined;
  const named = typeof port === 'string' ? `port ${JSON.stringify(port)}` : `${port}`;
  const all = ports.map((one) => (typeof port === 'string' && one.name ? `${one.port} (${one.name})` : one.port));
  return { field: ['port'], what: `Service ${namespace}/${name} has port ${all.join(', ')}, and not ${named}` };
}

/** Copies for a backend that is not there, which istiod leaves out; Envoy Gateway does not accept the rule. */
function* mirrors(context: CheckContext, manifest: Manifest, r: number): Generator<Hit> {
  if (controllersOf(context.mesh, manifest).includes('envoy-gateway')) return;
  for (const [f, { type, requestMirror = {} }] of (routeSpec(manifest).rules?.[r]?.filters ?? []).entries()) {
    if (type !== 'RequestMirror') continue;
    const { group = '', kind = 'Service', name = '', namespace = manifest.namespace, port } = requestMirror.backendRef ?? {}; // prettier-ignore
    const hit = group !== '' || kind !== 'Service' ? undefined : ofService(context, namespace, name, port);
    if (hit === undefined) continue;
    yield {
      manifest,
      severity: 'warning',
      why: 'Copies for a backend that does not exist are sent nowhere; the requests themselves go on.',
      ...hit,
      field: ['spec', 'rules', r, 'filters', f, 'requestMirror', 'backendRef', ...hit.field],
    };
  }
}

/** Ingress objects that istiod reads. */
function* ofIngresses(context: CheckContext): Generator<Hit> {
  const { mesh } = context;
  const input = { of: (group: string, kind: string) => context.of(group, kind), find: (group: string, kind: string, namespace: string, name: string) => context.find(group, kind, namespace, name) }; // prettier-ignore
  for (const { manifest, spec } of ingressesOfIstio(input, mesh.config))
    for (const [r, rule] of records(spec.rules).entries())
      for (const [p, path] of records(record(rule.http).paths).entries()) {
        const service = optionalRecord(record(path.backend).service);
        if (service === undefined) continue;
        const port = record(service.port);
        const isNamed = text(port.name) !== '';
        const hit = ofService(context, manifest.namespace, text(service.name), isNamed ? text(port.name) : number(port.number)); // prettier-ignore
        if (hit === undefined) continue;
        const [part] = hit.field;
        yield {
          manifest,
          ...hit,
          why: isNamed
            ? 'istiod leaves a path out whose port has a name that the Service does not have: its requests get 404.'
            : 'A backend that does not exist answers 503.',
          fix: hit.fix ?? 'Write a port of the Service.',
          field: ['spec', 'rules', r, 'http', 'paths', p, 'backend', 'service', ...(part === 'port' ? ['port', isNamed ? 'name' : 'number'] : ['name'])], // prettier-ignore
        };
      }
}

/** Of a kind that a controller which the route is for does not take. */
function foreignKind(
  { mesh }: CheckContext,
  route: Manifest,
  group: string,
  kind: string,
): Omit<Hit, 'manifest' | 'field'> | undefined {
  if (group === EXPERIMENTS && kind === 'XBackend') return undefined;
  const { input } = mesh.gatewayApi;
  const controllers = controllersOf(mesh, route).map((one) => (one?.startsWith('istio') === true ? 'istio' : one));
  const by = (['istio', 'envoy-gateway'] as const).find((one) => controllers.includes(one) && backendTaken(group, kind, one, input) === 'not taken'); // prettier-ignore
  if (by === undefined) return undefined;
  const whole = group === '' ? kind : `${kind} (${group})`;
  return by === 'istio'
    ? { what: `istiod takes no backend of kind ${whole}`, fix: 'Name a Service, or a host of a ServiceEntry (kind Hostname of networking.istio.io).' } // prettier-ignore
    : { what: `Envoy Gateway takes no backend of kind ${whole}`, fix: 'Name a Service, a ServiceImport, or a Backend of gateway.envoyproxy.io.' }; // prettier-ignore
}

/** Those of the Gateways that a route names. */
function controllersOf(mesh: CheckContext['mesh'], route: Manifest): readonly (string | undefined)[] {
  return (routeSpec(route).parentRefs ?? [])
    .filter(({ kind = 'Gateway' }) => kind === 'Gateway')
    .map((parent) => mesh.gatewayApi.find(parent.namespace ?? route.namespace, parent.name ?? '')?.controller);
}

const UNRESOLVED =
  'Such a Backend has no endpoint of its own: Envoy Gateway closes every connection for which it knows no host.';

/** What a route of connections has of a Backend that goes by the host which a request names; undefined where Envoy Gateway reads one. */
function unresolved({ mesh }: CheckContext, route: Manifest, namespace: string, name: string): string | undefined {
  if (route.kind !== 'TLSRoute' && route.kind !== 'TCPRoute') return undefined;
  const backend = mesh.find(ENVOY_GATEWAY, 'Backend', namespace, name);
  if (record(record(backend?.body).spec).type !== 'DynamicResolver') return undefined;
  const attached = mesh.gatewayApi.attachments.filter((one) => one.route.config.manifest === route && one.gateway.controller === 'envoy-gateway'); // prettier-ignore
  const closed = attached.find((one) => !resolvesSni(one, mesh));
  return (
    closed &&
    `Backend ${namespace}/${name} resolves the host that a request names (DynamicResolver), and listener ${closed.listener.name} of Gateway ${closed.gateway.config.namespace}/${closed.gateway.config.name} reads none for this ${route.kind}`
  );
}

/** Why a gateway that a route is attached to takes no XBackend; undefined where all do, and for controllers that are not known here. */
function unreadBackend(
  { mesh }: CheckContext,
  route: Manifest,
  name: string,
): Omit<Hit, 'manifest' | 'field'> | undefined {
  const controllers = controllersOf(mesh, route);
  const { releases, apiKindsRead, istio } = mesh.config;
  if (controllers.includes('envoy-gateway'))
    return { what: `Envoy Gateway takes no backend of kind XBackend, as ${name} is`, fix: 'Write a Backend of gateway.envoyproxy.io in its place.' }; // prettier-ignore
  if (!controllers.includes('istio') || apiKindsRead.XBackend) return undefined;
  return istio.readsXBackends
    ? {
        what: `istiod reads XBackend ${name} only with PILOT_ENABLE_ALPHA_GATEWAY_API=true in its environment`,
        fix: 'Set the variable, or write a ServiceEntry and a backendRef of kind Hostname (networking.istio.io).',
      }
    : {
        what: `a backend of kind XBackend, as ${name} is, needs Istio 1.32`,
        why: `Istio ${releases.istio.release} takes no such backend, and answers 500 for its share of the requests.`,
        fix: 'Write a ServiceEntry, and a backendRef of kind Hostname (networking.istio.io).',
      };
}
