import { ANY_ADDRESS, contains, isAddress } from '../model/addresses';
import { isSubsetOf, isWildcard, overlaps } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import { type Protocol, isHttp, isTcp, isTls } from '../model/protocols';
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

type Spoken = 'HTTP' | 'TLS' | 'TCP';

interface Wanted {
  readonly host: string;
  readonly port: number;
  readonly protocol: Spoken;
}

/** Why a proxy knows nothing of a host and port: hidden, out of its Sidecar's scope, on other ports only, or nowhere at all. */
export function unknownDestination(view: ProxyView, host: string, port: number, protocol: Spoken): Explanation {
  const { mesh, scope, proxy } = view;
  const wanted: Wanted = { host, port, protocol };
  const held = heldBySource(view, host, port);
  if (held !== undefined)
    return {
      why: `${held.by.kind} ${held.by.namespace}/${held.by.name} leads clients with ${held.admits} alone, and this one has not`,
      fix: `give the client that if it is meant to get through, or add it to the match of ${held.by.kind} ${held.by.namespace}/${held.by.name}`,
      by: held.by,
    };
  const candidates = declaring(mesh, host);
  const visible = candidates.filter((service) => mesh.services.isVisible(service, proxy.namespace));
  const found = visible.filter((service) =>
    scope.listeners.some((listener) =>
      listener.services.some((known) => known.host === service.host && known.namespace === service.namespace),
    ),
  );
  const imported = withPort(found, port);
  const unseen = candidates.filter((service) => !visible.includes(service));
  const hidden = unseen.find((service) => hasPort(service, port));
  if (imported !== undefined && !hasPort(imported, port) && hidden !== undefined && wouldCount(hidden, imported))
    return notExported(view, hidden, wanted);
  if (imported !== undefined) {
    const cause = ofImported(view, imported, wanted);
    if (cause !== undefined) return cause;
  }
  const outside = withPort(visible, port);
  if (outside !== undefined && scope.sidecar !== undefined && imported === undefined) {
    const { kind, namespace, name } = scope.sidecar;
    return {
      why: `${label(outside)} is not among what Sidecar ${namespace}/${name} imports`,
      fix: `add "${outside.namespace}/${outside.host}" to the egress hosts of Sidecar ${namespace}/${name}`,
      by: { kind, namespace, name, field: 'spec.egress' },
    };
  }
  if (hidden !== undefined) return notExported(view, hidden, wanted);
  const [other] = unseen;
  // To export it would let the namespace reach its ports, and not the one that is asked for.
  if (other !== undefined)
    return {
      why: `${label(other)} declares ${portsOf(other)}, not port ${port}, and is not exported to namespace ${proxy.namespace}`,
      fix: toDeclare(wanted, proxy.namespace),
      by: decision(other, 'spec.ports'),
    };
  const left = mesh.leftOut.find(
    ({ kind, hosts, field }) =>
      kind === 'ServiceEntry' && field === undefined && hosts?.some((own) => overlaps(own, host)),
  );
  if (left !== undefined)
    return {
      why: `${left.kind} ${left.namespace}/${left.name}, which declares it, is refused by ${left.by === 'webhook' ? "istiod's webhook" : 'the API server'}: ${left.why}`,
      fix: `correct ${left.kind} ${left.namespace}/${left.name}`,
      by: { kind: left.kind, namespace: left.namespace, name: left.name, field: 'spec' },
    };
  return {
    why: `no ServiceEntry or Service that namespace ${proxy.namespace} can see declares ${host} on port ${port}, and the outbound policy is ${scope.outbound.mode}`,
    fix: toDeclare(wanted, proxy.namespace),
    by: outboundPolicy(view),
  };
}

/** Objects that declare a host, the most specific first: by its name, by an address, by a wildcard. */
function declaring(mesh: Mesh, host: string): readonly Service[] {
  const wild = mesh.remember(mesh, 'wildcard services', () =>
    mesh.services.all.filter((service) => isWildcard(service.host)),
  );
  return [
    ...mesh.services.declaring(host),
    ...claiming(mesh, host),
    ...wild.filter((service) => isSubsetOf(host, service.host)).sort((a, b) => b.host.length - a.host.length),
  ];
}

const hasPort = ({ ports }: Service, port: number): boolean => ports.some((one) => one.port === port);

const withPort = (services: readonly Service[], port: number): Service | undefined =>
  services.find((service) => hasPort(service, port)) ?? services[0];

const portsOf = ({ ports }: Service): string => ports.map(({ port, protocol }) => `${port} ${protocol}`).join(', ');

/** Whether an object that were exported would count beside the one that a proxy has: for a narrower host, or with it as one service. */
const wouldCount = (hidden: Service, imported: Service): boolean =>
  hidden.host === imported.host ? hidden.namespace === imported.namespace : !isSubsetOf(imported.host, hidden.host);

/**
 * An entry that the client's namespace does not see. Who may see it decides whether that is a mistake: where a gateway is to carry the host, an
 * entry that the client sees and no rule that leads there would let its requests out past the gateway.
 */
function notExported(view: ProxyView, service: Service, wanted: Wanted): Explanation {
  const { namespace } = view.proxy;
  const why = `${label(service)} is not exported to namespace ${namespace}`;
  const by = decision(service, 'spec.exportTo');
  const own = service.ports.find(({ port }) => port === wanted.port);
  if (own !== undefined && !isSpoken(own.protocol, wanted.protocol))
    return {
      why: `${label(service)} declares port ${own.port} as ${own.protocol}, which this ${wanted.protocol} request does not match, and is not exported to namespace ${namespace}`,
      fix: toBeSpoken(own.protocol, wanted),
      by: decision(service, `spec.ports[${own.index}].protocol`),
    };
  const exported = `add "${namespace}" to exportTo of ${label(service)}`;
  const carrier = carriedBy(view, service, wanted);
  if (carrier === undefined) return { why, fix: exported, by };
  const { kind, name, namespace: owner } = carrier.config;
  const section = { HTTP: 'http', TLS: 'tls', TCP: 'tcp' }[wanted.protocol];
  return {
    why,
    fix: `if ${namespace} is to reach it by the gateway: give ${kind} ${owner}/${name} a ${section} rule for mesh and port ${wanted.port} that leads there, and then ${exported}; without the rule its requests would leave past the gateway`,
    by,
  };
}

/** A VirtualService that gives a host a way out of a gateway, where none that the client sees leads it into one. */
function carriedBy(
  { mesh, scope }: ProxyView,
  service: Service,
  { host, port, protocol }: Wanted,
): VirtualService | undefined {
  // prettier-ignore
  const section = ({ HTTP: 'http', TLS: 'tls', TCP: 'tcp' } as const)[protocol];
  const isForHost = ({ hosts }: VirtualService): boolean => hosts.some((own) => isSubsetOf(host, own) || own === service.host); // prettier-ignore
  const leads = scope.listeners
    .flatMap(({ virtualServices }) => virtualServices)
    .some((one) => {
      const isForMesh = (match: { readonly gateways: readonly string[]; readonly port: number }): boolean =>
        (match.gateways.length > 0 ? match.gateways : one.gateways).includes(MESH_GATEWAY) &&
        (match.port === 0 || match.port === port);
      const rules: readonly { readonly matches: readonly { readonly gateways: readonly string[]; readonly port: number }[] }[] = one[section]; // prettier-ignore
      return (
        isForHost(one) &&
        rules.some(({ matches }) => (matches.length === 0 ? one.gateways.includes(MESH_GATEWAY) : matches.some(isForMesh))) // prettier-ignore
      );
    });
  if (leads) return undefined;
  return mesh.virtualServices.all.find(
    (one) =>
      one.semantics === 'istio' &&
      isForHost(one) &&
      one.gateways.some((gateway) => gateway !== MESH_GATEWAY) &&
      [...one.http, ...one.tls, ...one.tcp].some(({ route }) =>
        route.some((destination) => destination.host === service.host),
      ),
  );
}

/** An entry to add. A TCP port takes what goes to its addresses, whatever the host: without any, what goes to everywhere. */
function toDeclare({ host, port, protocol }: Wanted, namespace: string): string {
  if (isAddress(host)) return `add a ServiceEntry with address ${host} and port ${port} ${protocol}, exported to ${namespace}`; // prettier-ignore
  return protocol === 'TCP'
    ? `add a ServiceEntry with host ${host}, its addresses and port ${port} TCP, exported to ${namespace}: without addresses it takes what goes to any host on the port`
    : `add a ServiceEntry with host ${host} and port ${port} ${protocol}, exported to ${namespace}`;
}

/** Why an object that a proxy has does not take the request. */
function ofImported(view: ProxyView, service: Service, wanted: Wanted): Explanation | undefined {
  const { scope } = view;
  const { host, port, protocol } = wanted;
  const own = service.ports.find((candidate) => candidate.port === port);
  if (own === undefined)
    return {
      why: `${label(service)} declares ${portsOf(service)}, not port ${port}`,
      fix: toAddPort(service, wanted, view.proxy.namespace),
      by: decision(service, 'spec.ports'),
    };
  const { sidecar } = scope;
  const isOnPort = scope.listeners.some(
    (listener) =>
      (listener.port === undefined || listener.port.number === port) &&
      (listener.servicesByPort.get(port) ?? []).some(([known]) => known.host === service.host && known.namespace === service.namespace), // prettier-ignore
  );
  if (!isOnPort && sidecar !== undefined)
    return {
      why: `Sidecar ${sidecar.namespace}/${sidecar.name} has no egress listener for port ${port} that imports ${service.host}`,
      fix: `add port ${port} to the egress listeners of Sidecar ${sidecar.namespace}/${sidecar.name}, or leave the port out of the listener that imports ${service.host}`,
      by: { kind: sidecar.kind, namespace: sidecar.namespace, name: sidecar.name, field: 'spec.egress' },
    };
  const replaced = protocol === 'TLS' && isTls(own.protocol) ? replacedBy(view, service.host, port) : undefined;
  if (replaced !== undefined) {
    const { kind, namespace, name } = replaced.config;
    const names = [...new Set(replaced.tls.flatMap(({ matches }) => matches.flatMap(({ sniHosts }) => sniHosts)))];
    return {
      why: `the tls rules of ${kind} ${namespace}/${name} take the place of what ${label(service)} says of ${service.host}, and they are for ${names.join(', ')} alone`,
      fix: `add a tls rule for ${host} to ${kind} ${namespace}/${name}, that leads to ${service.host}`,
      by: { kind, namespace, name, field: 'spec.tls' },
    };
  }
  if (!isSpoken(own.protocol, protocol))
    return {
      why: `${label(service)} declares port ${port} as ${own.protocol}, which this ${protocol} request does not match`,
      fix: toBeSpoken(own.protocol, wanted),
      by: decision(service, `spec.ports[${own.index}].protocol`),
    };
  if (service.address === ANY_ADDRESS || protocol === 'HTTP') return undefined;
  const addresses = [service.address, ...service.extraAddresses];
  return {
    why: `${label(service)} claims address ${addresses.join(', ')}, and the client dials another`,
    fix: `add the address that clients dial to its addresses${protocol === 'TLS' ? ', or leave addresses out' : ''}`,
    by: decision(service, 'spec.addresses'),
  };
}

function isSpoken(declared: Protocol, protocol: Spoken): boolean {
  if (declared === 'AUTO') return true;
  if (protocol === 'TLS') return isTls(declared);
  return protocol === 'HTTP' ? isHttp(declared) : isTcp(declared) && !isTls(declared);
}

/** How a request gets a port: of an object for this host, without opening the port for what else the object stands for. */
function toAddPort(service: Service, wanted: Wanted, namespace: string): string {
  const { host, port, protocol } = wanted;
  if (isWildcard(service.host) || (isAddress(host) && service.address.includes('/')))
    return toDeclare(wanted, namespace);
  const added = `add port ${port} with protocol ${protocol} to ${label(service)}`;
  return protocol === 'TCP' && service.registry === 'External' && service.address === ANY_ADDRESS
    ? `${added}, and the addresses of ${service.host}: without them it takes what goes to any host on the port`
    : added;
}

/** What is to change where a port is declared with another protocol than a client speaks. Whoever speaks the declared one is to get through as before. */
function toBeSpoken(declared: Protocol, { port, protocol }: Wanted): string {
  if (protocol === 'HTTP' && isTls(declared))
    return `let clients speak TLS to port ${port}; or declare a port for plain HTTP, such as 80 with targetPort ${port}, and originate TLS there`;
  if (protocol === 'TLS' && isHttp(declared))
    return `let clients speak plain HTTP to port ${port}, to which the proxy can add TLS; or declare the port TLS, if all clients are to speak TLS themselves`;
  const other = isTls(declared) ? 'TLS with the name of the host' : declared;
  return protocol === 'TCP'
    ? `let clients speak ${other} to port ${port}; or declare it TCP, with the addresses of the host: without them it takes what goes to any host on the port`
    : `let clients speak ${other} to port ${port}, or declare it with the protocol that they speak (${protocol})`;
}

/** What makes a proxy block hosts that nobody declares. */
function outboundPolicy({ mesh, scope }: ProxyView): Decision | undefined {
  const { sidecar } = scope;
  if (sidecar !== undefined && sidecar.spec.outboundTrafficPolicy !== undefined)
    return {
      kind: sidecar.kind,
      namespace: sidecar.namespace,
      name: sidecar.name,
      field: 'spec.outboundTrafficPolicy',
    };
  const from = mesh.config.outboundFrom;
  if (from === null) return undefined;
  return {
    kind: from.kind,
    namespace: from.namespace,
    name: from.name,
    field: 'meshConfig.outboundTrafficPolicy.mode',
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
