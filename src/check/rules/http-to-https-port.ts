import { isTls } from '../../model/protocols';
import type { Service } from '../../model/services';
import type { FieldPath, Manifest } from '../../model/manifest';
import { type CheckContext, defineIndex } from '../context';
import { push, virtualServices } from '../edge';
import { targetsOf } from '../envoy-gateway';
import { GATEWAY_API, routeSpec } from '../gateway-api';
import { toFqdn } from '../hosts';
import { NETWORKING, specOf } from '../istio';
import type { Rule } from '../rule';
import { policiesOf } from './credential-without-selector';

export const rule: Rule = {
  id: 'EDGE903',
  name: 'http-to-https-port',
  severity: 'warning',
  title: 'HTTP routes lead to a Service port that is named https',
  why: 'The name says that the application speaks TLS itself, and the proxy sends it HTTP: 400 or 503. If it speaks plain HTTP, the name keeps every sidecar from reading requests, and rules for HTTP do not count there.',
  fix: 'Name the port by what the application speaks (http-...), or originate TLS to it.',
  see: 'https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/',
  reads: ['Service'],
  footguns: ['I04'],
  *check(context) {
    for (const { manifest, field, host, port } of httpDestinations(context)) {
      for (const service of context.mesh.services.named(host).values()) {
        // What a gateway's ports take is said by the servers of its Gateways.
        if (service.registry !== 'Kubernetes' || service.assumed || isOfGateway(context, service)) continue;
        const [only] = service.ports;
        const found = port === 0 && service.ports.length === 1 ? only : service.ports.find((one) => one.port === port);
        if (!found || !isTls(found.protocol) || originates(context, host, found.port, found.name)) continue;
        yield {
          manifest,
          field,
          what: `the route sends HTTP to port ${found.port} of Service ${service.namespace}/${service.name}, which is declared ${found.protocol}${found.name === '' ? '' : ` by its name ${JSON.stringify(found.name)}`}`,
        };
      }
    }
  },
};

function isOfGateway({ mesh }: CheckContext, { namespace, selector }: Service): boolean {
  return mesh.workloads.selected(namespace, selector).some(({ membership }) => membership === 'gateway');
}

interface HttpDestination {
  readonly manifest: Manifest;
  readonly field: FieldPath;
  readonly host: string;
  readonly port: number;
}

function* httpDestinations(context: CheckContext): Generator<HttpDestination> {
  for (const { manifest, spec } of context.index(virtualServices)) {
    for (const [r, { route = [] }] of (spec.http ?? []).entries()) {
      for (const [d, { destination: { host = '', port } = {} }] of route.entries())
        yield {
          manifest,
          field: ['spec', 'http', r, 'route', d, 'destination'],
          host: toFqdn(host, manifest.namespace),
          port: port?.number ?? 0,
        };
    }
  }
  for (const kind of ['HTTPRoute', 'GRPCRoute']) {
    for (const manifest of context.of(GATEWAY_API, kind)) {
      for (const [r, { backendRefs = [] }] of (routeSpec(manifest).rules ?? []).entries()) {
        for (const [
          b,
          { kind: backend = 'Service', name, namespace = manifest.namespace, port = 0 },
        ] of backendRefs.entries())
          if (backend === 'Service')
            yield {
              manifest,
              field: ['spec', 'rules', r, 'backendRefs', b],
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
    push(found, toFqdn(specOf('DestinationRule', manifest).host ?? '', manifest.namespace), manifest);
  return found;
});

/** Whether a DestinationRule or a BackendTLSPolicy wraps requests to the port in TLS. */
function originates(context: CheckContext, host: string, port: number, name: string): boolean {
  const [service, namespace] = host.split('.');
  const byPolicy = context
    .of(GATEWAY_API, 'BackendTLSPolicy')
    .some(
      (manifest) =>
        manifest.namespace === namespace &&
        targetsOf(manifest).some(
          (target) => target.name === service && (target.sectionName === undefined || target.sectionName === name),
        ),
    );
  return (
    byPolicy ||
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
