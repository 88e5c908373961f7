import { push } from '../../model/objects';
import { backendTlsPolicy } from '../../model/backend-tls';
import { SelectorIndex } from '../../model/label-index';
import { isTls } from '../../model/protocols';
import type { Port, Service } from '../../model/services';
import type { Manifest } from '../../model/manifest';
import { type CheckContext, defineIndex } from '../context';
import { gatewaysByName, nameOf, virtualServices, fullHost } from '../edge';
import { GATEWAY_API, routeSpec } from '../gateway-api';
import { NETWORKING, specOf } from '../istio';
import type { Rule } from '../rule';
import { policiesOf } from '../credentials';

export const rule: Rule = {
  id: 'EDGE903',
  name: 'http-to-https-port',
  severity: 'warning',
  title: 'A Service port is named https, and HTTP routes lead to it',
  why: 'The name says that the application speaks TLS itself, and the proxy sends it HTTP: 400 or 503. If it speaks plain HTTP, the name keeps every sidecar from reading requests, and rules for HTTP do not count there.',
  fix: 'Name the port by what the application speaks (http-...), or originate TLS to it.',
  see: 'https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/',
  reads: ['Service'],
  footguns: ['I04'],
  *check(context) {
    const found = new Map<string, { service: Service; port: Port; routes: Set<string> }>();
    for (const { route, host, port } of httpDestinations(context)) {
      for (const service of context.mesh.services.declaring(host)) {
        // What a gateway's ports take is said by the servers of its Gateways.
        if (service.registry !== 'Kubernetes' || service.assumed || isOfGateway(context, service)) continue;
        const [only] = service.ports;
        const own = port === 0 && service.ports.length === 1 ? only : service.ports.find((one) => one.port === port);
        if (!own || !isTls(own.protocol) || originates(context, host, own.port, own.name)) continue;
        const key = `${host} ${own.port}`;
        const known = found.get(key) ?? { service, port: own, routes: new Set() };
        found.set(key, known);
        known.routes.add(route);
      }
    }
    for (const { service, port, routes } of found.values()) {
      const [first, ...more] = routes;
      const name = port.name === '' ? '' : ` by its name ${JSON.stringify(port.name)}`;
      yield {
        manifest: service.config.manifest,
        field: ['spec', 'ports', port.index],
        what: `port ${port.port} is declared ${port.protocol}${name}, and ${first}${more.length > 0 ? ` (and ${more.length} more)` : ''} sends it HTTP`,
      };
    }
  },
};

const gatewaySelectors = defineIndex(
  'selectors of gateways',
  (context) => new SelectorIndex([...context.index(gatewaysByName).values()], ({ spec }) => spec.selector ?? {}),
);

function isOfGateway(context: CheckContext, { namespace, selector }: Service): boolean {
  const isNamed = context.index(gatewaySelectors).selecting(selector).length > 0;
  return (
    isNamed || context.mesh.workloads.selected(namespace, selector).some(({ membership }) => membership === 'gateway')
  );
}

interface HttpDestination {
  /** What sends there, for a sentence. */
  readonly route: string;
  readonly host: string;
  readonly port: number;
}

function* httpDestinations(context: CheckContext): Generator<HttpDestination> {
  for (const { manifest, spec } of context.index(virtualServices)) {
    for (const [r, { route = [] }] of (spec.http ?? []).entries()) {
      for (const { destination: { host = '', port } = {} } of route)
        yield {
          route: `http[${r}] of ${nameOf(manifest)}`,
          host: fullHost(context, host, manifest.namespace),
          port: port?.number ?? 0,
        };
    }
  }
  for (const kind of ['HTTPRoute', 'GRPCRoute']) {
    for (const manifest of context.of(GATEWAY_API, kind)) {
      for (const [r, { backendRefs = [] }] of (routeSpec(manifest).rules ?? []).entries()) {
        for (const { kind: backend = 'Service', name, namespace = manifest.namespace, port = 0 } of backendRefs)
          if (backend === 'Service')
            yield {
              route: `rules[${r}] of ${nameOf(manifest)}`,
              host: `${name}.${namespace}.svc.${context.mesh.config.clusterDomain}`,
              port,
            };
      }
    }
  }
}

const rulesByHost = defineIndex('rules by host', (context): ReadonlyMap<string, readonly Manifest[]> => {
  const found = new Map<string, Manifest[]>();
  for (const manifest of context.of(NETWORKING, 'DestinationRule'))
    push(found, fullHost(context, specOf('DestinationRule', manifest).host ?? '', manifest.namespace), manifest);
  return found;
});

/** Whether a DestinationRule or a BackendTLSPolicy wraps requests to the port in TLS. */
function originates(context: CheckContext, host: string, port: number, name: string): boolean {
  const [service = '', namespace = ''] = host.split('.');
  const backend = { group: '', kind: 'Service', namespace, name: service, section: name };
  return (
    backendTlsPolicy(backend, context.mesh.gatewayApi.input) !== undefined ||
    (context.index(rulesByHost).get(host) ?? []).some((manifest) => {
      const spec = specOf('DestinationRule', manifest);
      return [...policiesOf(spec)].some(
        ({ policy }) =>
          (policy.tls?.mode === 'SIMPLE' || policy.tls?.mode === 'MUTUAL') &&
          (policy.port === undefined || policy.port.number === port),
      );
    })
  );
}
