import { record, records, text } from '../../model/fields';
import { routingType } from '../../model/envoy-gateway';
import type { CheckContext } from '../context';
import { nameOf } from '../edge';
import { type EnvoyGatewayView, envoyGateways } from '../envoy-gateway';
import { ENVOY_GATEWAY } from '../gateway-api';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE828',
  name: 'routing-type-ignored',
  severity: 'warning',
  title: 'Envoy Gateway does not route to a backend in the way that is asked for',
  why: 'A headless Service has no address of its own: with routingType Service, releases before 1.7 answer 500, and 1.7 dials the pods after all. The routingType of a BackendTrafficPolicy is read from 1.8 on.',
  fix: 'Give the backend a Service with a cluster IP, and set routingType in the EnvoyProxy.',
  see: 'https://gateway.envoyproxy.io/docs/api/extension_types/#routingtype',
  reads: ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'BackendTrafficPolicy'],
  footguns: ['Y02'],
  *check(context) {
    const { readsRoutingTypeOfPolicies } = context.mesh.config.envoyGateway;
    const policies = readsRoutingTypeOfPolicies ? [] : context.of(ENVOY_GATEWAY, 'BackendTrafficPolicy');
    for (const manifest of policies) {
      const asked = text(record(record(manifest.body).spec).routingType);
      if (asked !== '')
        yield {
          manifest,
          field: ['spec', 'routingType'],
          severity: 'info',
          what: `routingType is ${asked}, which Envoy Gateway 1.7 leaves to the EnvoyProxy`,
        };
    }
    const told = new Set<string>();
    for (const view of context.index(envoyGateways)) {
      if (routingType(view.proxy, false) !== 'Service') continue;
      for (const hit of headlessBackends(context, view)) {
        const key = `${hit.manifest?.index} ${hit.field.join('.')}`;
        if (!told.has(key)) yield hit;
        told.add(key);
      }
    }
  },
};

function* headlessBackends(context: CheckContext, { gateway, proxy }: EnvoyGatewayView): Generator<Hit> {
  for (const { route, gateway: at } of context.mesh.gatewayApi.attachments) {
    if (at !== gateway) continue;
    for (const [r, rule] of records(route.config.spec.rules).entries()) {
      for (const [b, backend] of records(rule.backendRefs).entries()) {
        if ((text(backend.kind) || 'Service') !== 'Service') continue;
        const namespace = text(backend.namespace) || route.config.namespace;
        const service = context.mesh.services.ofCluster(namespace, text(backend.name));
        if (service?.assumed !== false || service.resolution !== 'PASSTHROUGH') continue;
        const by = proxy.manifest ? nameOf(proxy.manifest) : 'the EnvoyProxy';
        yield {
          manifest: route.config.manifest,
          field: ['spec', 'rules', r, 'backendRefs', b],
          what: `Service ${namespace}/${service.name} is headless, and ${by} asks for routingType Service`,
        };
      }
    }
  }
}
