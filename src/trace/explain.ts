import { isSubsetOf, isWildcard, overlaps } from '../model/hostnames';
import type { Service } from '../model/services';
import { heldBySource } from './held-by-source';
import type { ProxyView } from './tcp-routes';
import type { Decision } from './types';

export interface Explanation {
  readonly why: string;
  readonly fix: string;
  readonly by: Decision | undefined;
}

function decision(service: Service, field: string): Decision {
  const { kind, namespace, name } = service.config;
  return { kind, namespace, name, field };
}

function label(service: Service): string {
  return `${service.config.kind} ${service.namespace}/${service.config.name}`;
}

/** Why a proxy knows nothing of a host and port: hidden, out of its Sidecar's scope, on other ports only, or nowhere at all. */
export function unknownDestination(
  view: ProxyView,
  host: string,
  port: number,
  protocol: 'HTTP' | 'TLS' | 'TCP',
): Explanation {
  const { mesh, scope, proxy } = view;
  const wild = mesh.remember(mesh, 'wildcard services', () =>
    mesh.services.all.filter((service) => isWildcard(service.host)),
  );
  const candidates = [
    ...mesh.services.named(host).values(),
    ...wild.filter((service) => isSubsetOf(host, service.host)),
  ];
  const declare = { HTTP: 'HTTP', TLS: 'TLS', TCP: 'TCP' }[protocol];
  const policy =
    scope.sidecar !== undefined && scope.sidecar.spec.outboundTrafficPolicy !== undefined
      ? {
          kind: scope.sidecar.kind,
          namespace: scope.sidecar.namespace,
          name: scope.sidecar.name,
          field: 'spec.outboundTrafficPolicy',
        }
      : mesh.config.outboundFrom === null
        ? undefined
        : {
            kind: mesh.config.outboundFrom.kind,
            namespace: mesh.config.outboundFrom.namespace,
            name: mesh.config.outboundFrom.name,
            field: 'meshConfig.outboundTrafficPolicy.mode',
          };
  const held = heldBySource(view, host, port);
  if (held !== undefined)
    return {
      why: `${held.by.kind} ${held.by.namespace}/${held.by.name} leads clients with ${held.admits} alone, and this one has not`,
      fix: `give the client that if it is meant to get through, or add it to the match of ${held.by.kind} ${held.by.namespace}/${held.by.name}`,
      by: held.by,
    };
  const hidden = candidates.find((service) => !mesh.services.isVisible(service, proxy.namespace));
  const visible = candidates.filter((service) => mesh.services.isVisible(service, proxy.namespace));
  const imported = visible.find((service) =>
    scope.listeners.some((listener) =>
      listener.services.some((known) => known.host === service.host && known.namespace === service.namespace),
    ),
  );
  if (imported !== undefined) {
    const own = imported.ports.find((candidate) => candidate.port === port);
    if (own === undefined) {
      const ports = imported.ports.map((candidate) => `${candidate.port} ${candidate.protocol}`).join(', ');
      return {
        why: `${label(imported)} declares ${ports}, not port ${port}`,
        fix: `add port ${port} with protocol ${declare} to ${label(imported)}`,
        by: decision(imported, 'spec.ports'),
      };
    }
    if (own.protocol !== protocol) {
      return {
        why: `${label(imported)} declares port ${port} as ${own.protocol}, which this ${protocol} request does not match`,
        fix: `declare port ${port} with the protocol that clients speak (${declare})`,
        by: decision(imported, `spec.ports[${own.index}].protocol`),
      };
    }
    if (imported.address !== '0.0.0.0' && protocol !== 'HTTP') {
      return {
        why: `${label(imported)} claims address ${imported.address}, and the client dials another`,
        fix: 'add the address that clients dial to its addresses, or leave addresses out',
        by: decision(imported, 'spec.addresses'),
      };
    }
  }
  const outside = visible[0];
  if (outside !== undefined && scope.sidecar !== undefined && imported === undefined) {
    const { kind, namespace, name } = scope.sidecar;
    return {
      why: `${label(outside)} is not among what Sidecar ${namespace}/${name} imports`,
      fix: `add "${outside.namespace}/${outside.host}" to the egress hosts of Sidecar ${namespace}/${name}`,
      by: { kind, namespace, name, field: 'spec.egress' },
    };
  }
  if (hidden !== undefined) {
    return {
      why: `${label(hidden)} is not exported to namespace ${proxy.namespace}`,
      fix: `add "${proxy.namespace}" to exportTo of ${label(hidden)}`,
      by: decision(hidden, 'spec.exportTo'),
    };
  }
  const left = mesh.leftOut.find(
    ({ kind, hosts }) => kind === 'ServiceEntry' && hosts?.some((own) => overlaps(own, host)),
  );
  if (left !== undefined)
    return {
      why: `${left.kind} ${left.namespace}/${left.name}, which declares it, is refused by istiod's webhook: ${left.why}`,
      fix: `correct ${left.kind} ${left.namespace}/${left.name}`,
      by: { kind: left.kind, namespace: left.namespace, name: left.name, field: 'spec' },
    };
  return {
    why: `no ServiceEntry or Service that namespace ${proxy.namespace} can see declares ${host} on port ${port}, and the outbound policy is ${scope.outbound.mode}`,
    fix: `add a ServiceEntry with host ${host} and port ${port} ${declare}, exported to ${proxy.namespace}`,
    by: policy,
  };
}
