import { ANY_ADDRESS, contains, isAddress } from '../model/addresses';
import { labelsMatch } from '../model/fields';
import { isSubsetOf, isWildcard, overlaps } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import { isHttp, isTcp, isTls, type Protocol } from '../model/protocols';
import type { VirtualService } from '../model/virtual-services';
import { MESH_GATEWAY } from '../model/virtual-services';
import { portsNaming } from '../model/sidecar-scope';
import type { Service } from '../model/services';
import { heldBySource, ruleOf } from './held-by-source';
import { serviceNamed } from './names';
import type { Spoken, UnknownHost, Wanted } from './reasons';
import { serviceRef } from './refs';
import type { ProxyView } from './tcp-routes';
import type { Decision, ObjectRef } from './types';

export interface Explanation {
  readonly cause: UnknownHost;
  readonly by: Decision | undefined;
}

function decision(service: Service, field: string): Decision {
  const { kind, namespace, name } = service.config;
  return { kind, namespace, name, field };
}

/** Why a proxy knows nothing of a host and port: hidden, out of its Sidecar's scope, on other ports only, or nowhere at all. */
export function unknownDestination(view: ProxyView, host: string, port: number, protocol: Spoken): Explanation {
  const { mesh, scope, proxy } = view;
  const wanted: Wanted = { host, port, protocol };
  const held = heldBySource(view, host, port);
  if (held !== undefined)
    return {
      cause: { is: 'held-by-source', rule: ruleOf(held), admits: held.admits },
      by: held.by,
    };
  // Clients may leave out what DNS adds to the name of a Service.
  const candidates = declaring(mesh, serviceNamed(mesh, host, proxy.namespace)?.host ?? host);
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
    if (portsNaming(mesh, proxy.namespace, scope.sidecar, outside).length > 0)
      return {
        cause: { is: 'port-not-imported', sidecar: sidecarRef(scope.sidecar), host: outside.host, port },
        by: { kind, namespace, name, field: 'spec.egress' },
      };
    return {
      cause: { is: 'not-imported', entry: serviceRef(outside), host: outside.host, sidecar: { kind, namespace, name } },
      by: { kind, namespace, name, field: 'spec.egress' },
    };
  }
  if (hidden !== undefined) return notExported(view, hidden, wanted);
  const [other] = unseen;
  // To export it would let the namespace reach its ports, and not the one that is asked for.
  if (other !== undefined)
    return {
      cause: { is: 'neither-declared-nor-exported', entry: serviceRef(other), declared: portsOf(other), namespace: proxy.namespace, ...wanted }, // prettier-ignore
      by: decision(other, 'spec.ports'),
    };
  const left = mesh.leftOut.find(
    ({ kind, hosts, field }) =>
      kind === 'ServiceEntry' && field === undefined && hosts?.some((own) => overlaps(own, host)),
  );
  if (left !== undefined) {
    const entry = { kind: left.kind, namespace: left.namespace, name: left.name };
    return {
      cause: { is: 'refused-at-admission', entry, refusedBy: left.by, detail: left.why },
      by: { ...entry, field: 'spec' },
    };
  }
  const pod = podAt(view, wanted);
  if (pod !== undefined) return pod;
  return {
    cause: { is: 'not-declared', namespace: proxy.namespace, mode: scope.outbound.mode, ...wanted },
    by: outboundPolicy(view),
  };
}

/** A Pod that is dialled by its own address: of its Services sidecars know addresses and names, and the addresses of Pods for TCP of headless ones alone. */
function podAt({ mesh, proxy }: ProxyView, { host, port }: Wanted): Explanation | undefined {
  const pod = isAddress(host) ? mesh.workloads.at(host) : undefined;
  if (pod === undefined) return undefined;
  const own = mesh.services
    .inNamespace(pod.namespace)
    .filter(
      (service) =>
        service.registry === 'Kubernetes' &&
        Object.keys(service.selector).length > 0 &&
        labelsMatch(service.selector, pod.labels) &&
        mesh.services.isVisible(service, proxy.namespace),
    );
  const headless = own.find((service) => service.resolution === 'PASSTHROUGH' && hasPort(service, port));
  const service = headless ?? own.find(({ resolution }) => resolution !== 'PASSTHROUGH');
  if (service === undefined) return undefined;
  return {
    cause: {
      is: 'pod-by-address',
      pod: { kind: pod.kind, namespace: pod.namespace, name: pod.name },
      service: serviceRef(service),
      host: service.host,
      port,
      headless: headless?.ports.find((one) => one.port === port)?.protocol ?? null,
    },
    by: decision(service, headless === undefined ? 'spec.clusterIP' : 'spec.ports'),
  };
}

function sidecarRef({ kind, namespace, name }: ObjectRef): ObjectRef {
  return { kind, namespace, name };
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

const portsOf = ({ ports }: Service): readonly string[] => ports.map(({ port, protocol }) => `${port} ${protocol}`);

/** Whether an object that were exported would count beside the one that a proxy has: for a narrower host, or with it as one service. */
const wouldCount = (hidden: Service, imported: Service): boolean =>
  hidden.host === imported.host ? hidden.namespace === imported.namespace : !isSubsetOf(imported.host, hidden.host);

/**
 * An entry that the client's namespace does not see. Who may see it decides whether that is a mistake: where a gateway is to carry the host, an
 * entry that the client sees and no rule that leads there would let its requests out past the gateway.
 */
function notExported(view: ProxyView, service: Service, wanted: Wanted): Explanation {
  const { namespace } = view.proxy;
  const by = decision(service, 'spec.exportTo');
  const own = service.ports.find(({ port }) => port === wanted.port);
  if (own !== undefined && !isSpoken(own.protocol, wanted.protocol))
    return {
      cause: { is: 'neither-spoken-nor-exported', entry: serviceRef(service), namespace, port: own.port, declared: own.protocol, spoken: wanted.protocol }, // prettier-ignore
      by: decision(service, `spec.ports[${own.index}].protocol`),
    };
  const carrier = carriedBy(view, service, wanted);
  if (carrier === undefined)
    return { cause: { is: 'not-exported', entry: serviceRef(service), namespace, carrier: null }, by };
  const { kind, name, namespace: owner } = carrier.config;
  const section = ({ HTTP: 'http', TLS: 'tls', TCP: 'tcp' } as const)[wanted.protocol];
  return {
    cause: { is: 'not-exported', entry: serviceRef(service), namespace, carrier: { route: { kind, namespace: owner, name }, section, port: wanted.port } }, // prettier-ignore
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

/** Why an object that a proxy has does not take the request. */
function ofImported(view: ProxyView, service: Service, wanted: Wanted): Explanation | undefined {
  const { scope } = view;
  const { host, port, protocol } = wanted;
  const own = service.ports.find((candidate) => candidate.port === port);
  if (own === undefined)
    return {
      cause: {
        is: 'port-not-declared',
        entry: serviceRef(service),
        declared: portsOf(service),
        namespace: view.proxy.namespace,
        // Of an object for this host alone; a port of another would be open for what else that stands for.
        ofEntry: isWildcard(service.host) || (isAddress(host) && service.address.includes('/')) ? null : service.host,
        isForEverywhere: protocol === 'TCP' && service.registry === 'External' && service.address === ANY_ADDRESS,
        ...wanted,
      },
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
      cause: { is: 'port-not-imported', sidecar: sidecarRef(sidecar), host: service.host, port },
      by: { ...sidecarRef(sidecar), field: 'spec.egress' },
    };
  const replaced = protocol === 'TLS' && isTls(own.protocol) ? replacedBy(view, service.host, port) : undefined;
  if (replaced !== undefined) {
    const { kind, namespace, name } = replaced.config;
    const names = [...new Set(replaced.tls.flatMap(({ matches }) => matches.flatMap(({ sniHosts }) => sniHosts)))];
    return {
      cause: { is: 'replaced-by-tls-rules', rule: { kind, namespace, name }, entry: serviceRef(service), host, declared: service.host, names }, // prettier-ignore
      by: { kind, namespace, name, field: 'spec.tls' },
    };
  }
  if (!isSpoken(own.protocol, protocol))
    return {
      cause: { is: 'other-protocol', entry: serviceRef(service), port, declared: own.protocol, spoken: protocol },
      by: decision(service, `spec.ports[${own.index}].protocol`),
    };
  if (
    service.registry === 'Kubernetes' &&
    service.resolution === 'PASSTHROUGH' &&
    view.mesh.endpoints.of(service, own, {}).endpoints.length === 0
  )
    return {
      cause: { is: 'headless-without-pods', service: serviceRef(service), port },
      by: decision(service, 'spec.selector'),
    };
  if (service.address === ANY_ADDRESS || protocol === 'HTTP') return undefined;
  const addresses = [service.address, ...service.extraAddresses];
  return {
    cause: { is: 'other-address', entry: serviceRef(service), addresses, spoken: protocol },
    by: decision(service, 'spec.addresses'),
  };
}

function isSpoken(declared: Protocol, protocol: Spoken): boolean {
  if (declared === 'AUTO') return true;
  if (protocol === 'TLS') return isTls(declared);
  return protocol === 'HTTP' ? isHttp(declared) : isTcp(declared) && !isTls(declared);
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
  const { outboundFrom: from } = mesh.config;
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
