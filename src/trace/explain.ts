import { ANY_ADDRESS, contains, isAddress } from '../model/addresses';
import { isSubsetOf, isWildcard, overlaps } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import { isHttp, isTcp, isTls } from '../model/protocols';
import type { VirtualService } from '../model/virtual-services';
import { MESH_GATEWAY } from '../model/virtual-services';
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
    ...claiming(mesh, host),
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
  const unseen = candidates.filter((service) => !mesh.services.isVisible(service, proxy.namespace));
  const hidden = unseen.find(({ ports }) => ports.some((one) => one.port === port)) ?? unseen[0];
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
    const { sidecar } = scope;
    const isOnPort = scope.listeners.some(
      (listener) =>
        (listener.port === undefined || listener.port.number === port) &&
        (listener.servicesByPort.get(port) ?? []).some(([known]) => known.host === imported.host && known.namespace === imported.namespace), // prettier-ignore
    );
    if (!isOnPort && sidecar !== undefined) {
      return {
        why: `Sidecar ${sidecar.namespace}/${sidecar.name} has no egress listener for port ${port} that imports ${imported.host}`,
        fix: `add port ${port} to the egress listeners of Sidecar ${sidecar.namespace}/${sidecar.name}, or leave the port out of the listener that imports ${imported.host}`,
        by: { kind: sidecar.kind, namespace: sidecar.namespace, name: sidecar.name, field: 'spec.egress' },
      };
    }
    const replaced = protocol === 'TLS' && isTls(own.protocol) ? replacedBy(view, imported.host, port) : undefined;
    if (replaced !== undefined) {
      const { kind, namespace, name } = replaced.config;
      const names = [...new Set(replaced.tls.flatMap(({ matches }) => matches.flatMap(({ sniHosts }) => sniHosts)))];
      return {
        why: `the tls rules of ${kind} ${namespace}/${name} take the place of what ${label(imported)} says of ${imported.host}, and they are for ${names.join(', ')} alone`,
        fix: `add a tls rule for ${host} to ${kind} ${namespace}/${name}, that leads to ${imported.host}`,
        by: { kind, namespace, name, field: 'spec.tls' },
      };
    }
    const isSpoken = own.protocol === protocol || (protocol === 'TLS' && isTls(own.protocol)) || (protocol === 'HTTP' && isHttp(own.protocol)) || (protocol === 'TCP' && isTcp(own.protocol) && !isTls(own.protocol)); // prettier-ignore
    if (!isSpoken) {
      return {
        why: `${label(imported)} declares port ${port} as ${own.protocol}, which this ${protocol} request does not match`,
        fix:
          protocol === 'HTTP' && isTls(own.protocol)
            ? `let clients speak TLS to port ${port}; or declare a port for plain HTTP, such as 80 with targetPort ${port}, and originate TLS there`
            : `declare port ${port} with the protocol that clients speak (${declare})`,
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

/** Objects that claim an IP by their addresses. */
function claiming(mesh: Mesh, host: string): readonly Service[] {
  if (!isAddress(host)) return [];
  return mesh.services.all.filter(
    ({ address, extraAddresses }) =>
      address !== ANY_ADDRESS && [address, ...extraAddresses].some((own) => own === host || contains(own, host)),
  );
}

/** The VirtualService whose tls rules a sidecar has in place of a host's own filter chain (hasTLSMatch in tls.go of Istio). */
function replacedBy({ scope }: ProxyView, host: string, port: number): VirtualService | undefined {
  return scope.listeners
    .flatMap(({ virtualServices }) => virtualServices)
    .find(
      ({ hosts, gateways, tls }) =>
        hosts.some((own) => overlaps(own, host)) &&
        tls.some(({ matches }) =>
          matches.some(
            (match) =>
              (match.gateways.length > 0 ? match.gateways : gateways).includes(MESH_GATEWAY) &&
              (match.port === 0 || match.port === port),
          ),
        ),
    );
}
