import { records } from '../../model/fields';
import { isHttpOrAuto } from '../../model/protocols';
import type { CheckContext } from '../context';
import { envoyGateways, targetsOf } from '../envoy-gateway';
import { GATEWAY_API } from '../gateway-api';
import type { Rule } from '../rule';
import type { Service } from '../../model/services';

export const rule: Rule = {
  id: 'EDGE824',
  name: 'backend-tls-in-mesh',
  severity: 'error',
  title: 'TLS to a backend meets the mutual TLS of the mesh',
  why: "The proxy wraps requests in TLS before its sidecar sees them. On a port that is declared HTTP the sidecar cannot read them; on a TLS port they travel in TLS twice, and the mesh's policies see no request.",
  fix: 'Remove the BackendTLSPolicy and leave encryption to the mesh, or keep the backend out of it.',
  see: 'https://gateway.envoyproxy.io/docs/tasks/security/backend-tls/',
  reads: ['BackendTLSPolicy'],
  footguns: ['Y17'],
  *check(context) {
    for (const manifest of context.of(GATEWAY_API, 'BackendTLSPolicy')) {
      for (const [at, { group = '', kind, name, sectionName }] of targetsOf(manifest).entries()) {
        if (group !== '' || kind !== 'Service') continue;
        const service = context.mesh.services.ofCluster(manifest.namespace, name ?? '');
        if (!service || !isCalledThroughSidecar(context, service) || !isInMesh(context, service)) continue;
        const ports = service.ports.filter((port) => sectionName === undefined || port.name === sectionName);
        const plain = ports.filter(({ protocol }) => isHttpOrAuto(protocol));
        if (ports.length === 0) continue;
        yield {
          manifest,
          field: ['spec', 'targetRefs', at, 'name'],
          what: `the proxies have sidecars, as has Service ${service.namespace}/${name}, and TLS is asked for to ${(plain.length > 0 ? plain : ports).map((port) => `port ${port.port} (${port.protocol})`).join(', ')}`,
          ...(plain.length > 0 ? {} : { severity: 'warning' as const }),
        };
      }
    }
  },
};

/** Whether a Gateway whose proxies have sidecars routes to the Service. */
function isCalledThroughSidecar(context: CheckContext, service: Service): boolean {
  const inMesh = new Set(
    context
      .index(envoyGateways)
      .filter(({ workload }) => workload.membership === 'sidecar')
      .map(({ gateway }) => gateway),
  );
  return context.mesh.gatewayApi.attachments.some(
    ({ gateway, route }) =>
      inMesh.has(gateway) &&
      records(route.config.spec.rules).some((rule) =>
        records(rule.backendRefs).some(
          ({ kind = 'Service', name, namespace = route.config.namespace }) =>
            kind === 'Service' && name === service.name && namespace === service.namespace,
        ),
      ),
  );
}

function isInMesh({ mesh }: CheckContext, service: Service): boolean {
  const pods = mesh.workloads.behind(service);
  return pods.length > 0
    ? pods.some(({ membership }) => membership === 'sidecar')
    : mesh.namespaces.has(service.namespace) && mesh.membershipIn(service.namespace) === 'sidecar';
}
