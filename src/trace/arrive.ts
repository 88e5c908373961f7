/** Over the network, to whoever is at the other end. */
import { bypassesInbound } from '../model/ambient-capture';
import { isAutoAddress } from '../model/auto-addresses';
import type { ServiceTarget } from '../model/merged-gateway';
import type { Mesh } from '../model/mesh';
import type { Service } from '../model/services';
import { type Workload, shownName } from '../model/workloads';
import { noteApart } from './endpoints-apart';
import { cut, HBONE_PORT } from './hbone';
import { brokenStatus } from './hop';
import { entersSidecar } from './inbound';
import { dial, serviceAt } from './names';
import { networkVerdict } from './network-policy';
import { gap } from './notes';
import { atProxyPort } from './proxy-ports';
import { refused, unknown, type End, type Step, type Target } from './step';
import type { Destination, ProxyRef, Refused } from './types';
import { type Flight, type TlsLayer, type Walk, outermost } from './walk';

/** The connection leaves its sender: over the network to a gateway, a workload of the mesh, or out. */
export function arrive(walk: Walk, flight: Flight, target: Target | undefined, isHttp: boolean): Step {
  const { mesh } = walk;
  let { workload, among = [] }: Pick<Target, 'workload' | 'among'> = target ?? { workload: undefined };
  let onward = flight;
  if (target === undefined || target.original) {
    if (flight.address !== null && isAutoAddress(flight.address)) return nobodyThere(mesh, flight);
    const service = flight.address === null ? undefined : serviceAt(mesh, flight.address);
    const port = service?.ports.find((candidate) => candidate.port === flight.port);
    workload = flight.address === null ? undefined : mesh.workloads.at(flight.address);
    if (service !== undefined && port === undefined) return noSuchPort(flight, service);
    if (service !== undefined && port !== undefined) {
      const { endpoints, known } = mesh.endpoints.of(service, port, {});
      const endpoint = walk.endpointOf(endpoints);
      if (endpoint === undefined && known) return noEndpoints(flight, service);
      workload = endpoint?.workload;
      among = endpoints;
      onward = {
        ...flight,
        port: endpoint?.port ?? flight.port,
        host: service.host,
        address: endpoint?.address ?? flight.address,
      };
    } else if (workload === undefined && flight.address === null) {
      workload = dial(mesh, flight.host, null, flight.from.namespace).workload;
    }
  }
  const tunnelled =
    target !== undefined && outermost(onward.layers)?.kind === 'ISTIO_MUTUAL' && workload?.membership === 'ztunnel'
      ? workload
      : undefined;
  noteApart(walk, onward, { workload, among }, tunnelled && HBONE_PORT);
  if (tunnelled !== undefined)
    return cut(walk, onward, tunnelled) ?? { then: { at: 'inbound-ztunnel', flight: onward, workload: tunnelled } };
  const verdict = networkVerdict(mesh, onward, workload, walk.addressOf(onward.host), walk.supposed);
  if (verdict.is === 'unknown') return unknown(undefined, verdict.why);
  if (verdict.is === 'denied') {
    return refused(undefined, {
      code: flight.sentBy === null ? 'NetworkPolicy' : 'UF',
      status: flight.sentBy !== null && isHttp ? 503 : null,
      proxy: senderOf(flight),
      by: verdict.by,
      reason: verdict.reason,
    });
  }
  if (workload?.membership === 'sidecar') {
    const own = atProxyPort(onward, { kind: 'sidecar', namespace: workload.namespace, workload: shownName(workload) });
    if (own !== undefined) return own;
  }
  const served = workload === undefined ? undefined : servedPort(mesh, onward.port, workload);
  if (workload !== undefined && typeof served === 'object') return notServed(mesh, onward, workload, served);
  if (workload !== undefined && served === 'unsaid' && !walk.listens)
    return unknown(
      undefined,
      gap({ kind: 'port-not-listed', namespace: workload.namespace, workload: workload.name, port: onward.port }),
    );
  if (onward === flight && isCaller(flight, workload)) return { then: delivered(onward, outermost(onward.layers)) };
  if (workload?.membership === 'gateway') return { then: { at: 'gateway', flight: onward, workload } };
  if (workload?.membership === 'sidecar' && entersSidecar(mesh.servedTo(workload), workload, onward.port))
    return { then: { at: 'inbound-sidecar', flight: onward, workload } };
  if (workload?.membership === 'ztunnel' && !bypassesInbound(workload.annotations))
    return { then: { at: 'inbound-ztunnel', flight: onward, workload } };
  const outer = outermost(onward.layers);
  if (workload !== undefined && outer?.kind === 'ISTIO_MUTUAL') {
    return refused(undefined, {
      code: 'UF',
      status: isHttp ? 503 : null,
      proxy: flight.sentBy ?? { kind: 'none', namespace: flight.from.namespace, workload: null },
      by: null,
      reason: { kind: 'mutual-tls-without-sidecar', workload: `${workload.namespace}/${workload.name}` },
    });
  }
  return { then: delivered(onward, outer) };
}

/** Whether a Pod dials its own address: that stays within it, and nothing leads it to a proxy. */
export function isCaller({ from, sentBy, address }: Flight, workload: Workload | undefined): boolean {
  if (sentBy !== null || address === null || workload === undefined) return false;
  return from.workload === workload && workload.addresses.includes(address);
}

/** The address that Istio gave a host means something to proxies only, and these on the ports of its entry. */
function nobodyThere(mesh: Mesh, flight: Flight): Step {
  const entry = [...mesh.services.named(flight.host).values()].find(({ registry }) => registry === 'External');
  const { kind, namespace, name } = entry?.config ?? { kind: 'ServiceEntry', namespace: '', name: '' };
  return refused(undefined, {
    code: 'UF',
    status: brokenStatus(flight),
    proxy: senderOf(flight),
    reason: {
      kind: 'auto-address-without-port',
      host: flight.host,
      entry: { kind, namespace, name },
      port: flight.port,
    },
    by: entry === undefined ? null : { kind, namespace, name, field: 'spec.ports' },
  });
}

/** Who gets a CONNECT is a proxy: what was inside arrives where that leads. */
export function delivered({ tunnelled, host, namedPort }: Flight, outer: TlsLayer | undefined): End {
  const inner = tunnelled === undefined ? outer : outermost(tunnelled.layers);
  const destination: Destination = {
    host: tunnelled?.host ?? host,
    port: tunnelled?.port ?? namedPort,
    tls: inner?.kind ?? 'NONE',
    sni: inner?.sni ?? null,
    ...(tunnelled === undefined ? {} : { through: { host, port: namedPort } }),
  };
  return { is: 'delivered', destination };
}

/** The address of a Service leads nowhere on a port that the Service does not have. */
function noSuchPort(flight: Flight, service: Service): Step {
  const { kind, namespace, name } = service.config;
  const ports = service.ports.map((port) => port.port);
  return refused(undefined, {
    code: 'UF',
    status: brokenStatus(flight),
    proxy: senderOf(flight),
    reason: { kind: 'service-without-port', service: { kind, namespace, name }, port: flight.port, ports },
    by: { kind, namespace, name, field: 'spec.ports' },
  });
}

/** The address of a Service that nobody serves refuses connections. */
function noEndpoints(flight: Flight, service: Service): Step {
  const { kind, namespace, name } = service.config;
  return refused(undefined, {
    code: 'UF',
    status: brokenStatus(flight),
    proxy: senderOf(flight),
    reason: { kind: 'service-without-endpoints', service: { kind, namespace, name }, port: flight.port },
    by: { kind, namespace, name, field: 'spec.selector' },
  });
}

/**
 * Whether a workload serves a port. Where a Service maps the very port that is dialled to another one, that one is served in its
 * place: so it goes for who dials the Pods of a headless Service. `unsaid`: what the manifests tell of its ports does not name it.
 */
function servedPort(mesh: Mesh, port: number, workload: Workload): ServiceTarget | 'unsaid' | undefined {
  const listed = [...workload.namedPorts.values()];
  if (workload.membership === 'gateway' || listed.includes(port)) return undefined;
  const targets = mesh.serviceTargets({
    type: 'sidecar',
    namespace: workload.namespace,
    labels: workload.labels,
    addresses: workload.addresses,
  });
  if (targets.some((target) => (target.targetPort || target.port) === port)) return undefined;
  const mapped = targets.find((target) => target.port === port);
  return mapped ?? (targets.length + listed.length > 0 ? 'unsaid' : undefined);
}

/** Who dials a port of a Pod that its Service maps to another one: what the Pod's sidecar lets through, nobody takes. */
function notServed(mesh: Mesh, flight: Flight, workload: Workload, mapped: ServiceTarget): Step {
  const [name = ''] = mapped.serviceHost.split('.');
  const service = mesh.services.named(mapped.serviceHost).get(mapped.namespace);
  const position = service?.ports.findIndex((port) => port.port === mapped.port) ?? 0;
  const unserved: Pick<Refused, 'reason' | 'by'> = {
    reason: {
      kind: 'port-not-served',
      workload: `${workload.namespace}/${workload.name}`,
      port: flight.port,
      service: { kind: 'Service', namespace: mapped.namespace, name },
      targetPort: mapped.targetPort,
    },
    by: { kind: 'Service', namespace: mapped.namespace, name, field: `spec.ports[${position}].targetPort` },
  };
  const isCaptured = workload.membership === 'sidecar' && entersSidecar(mesh.servedTo(workload), workload, flight.port);
  if (isCaptured) return { then: { at: 'inbound-sidecar', flight, workload, unserved } };
  return refused(undefined, { code: 'UF', status: brokenStatus(flight), proxy: senderOf(flight), ...unserved });
}

function senderOf(flight: Flight): ProxyRef {
  return (
    flight.sentBy ?? { kind: 'none', namespace: flight.from.namespace, workload: flight.from.workload?.name ?? null }
  );
}
