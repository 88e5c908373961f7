/** Over the network, to whoever is at the other end. */
import { isAutoAddress } from '../model/auto-addresses';
import type { ServiceTarget } from '../model/merged-gateway';
import type { Mesh, Proxy } from '../model/mesh';
import { proxySettings } from '../model/proxy-config';
import type { Service } from '../model/services';
import { type Workload, shownName } from '../model/workloads';
import { atWorkload, atZtunnel } from './ambient';
import { authorize } from './authorization';
import { badPath, pastTokens, rejected } from './connection';
import { throughGateway } from './follow';
import { noConnect } from './routing';
import { type Incoming, addHop, brokenStatus, protocolOf } from './hop';
import { entersSidecar, inboundChain, ingressListener } from './inbound';
import { exact } from './matcher';
import { dial, serviceAt } from './names';
import { networkVerdict } from './network-policy';
import { asIstioReads } from './paths';
import type { Decision, ProxyRef, Trace } from './types';
import { type Flight, type TlsLayer, type Walk, connectionOf, decisions, outermost, wire, noMatch } from './walk';

export interface Target {
  readonly service: Service;
  readonly workload: Workload | undefined;
  readonly original: boolean;
}

/** The connection leaves its sender: over the network to a gateway, a workload of the mesh, or out. */
export function arrive(walk: Walk, flight: Flight, target: Target | undefined, isHttp: boolean): Trace {
  const { mesh } = walk;
  let { workload } = target ?? { workload: undefined };
  let onward = flight;
  if (target === undefined || target.original) {
    if (flight.address !== null && isAutoAddress(flight.address)) return nobodyThere(walk, flight);
    const service = flight.address === null ? undefined : serviceAt(mesh, flight.address);
    const port = service?.ports.find((candidate) => candidate.port === flight.port);
    workload = flight.address === null ? undefined : mesh.workloads.at(flight.address);
    if (service !== undefined && port === undefined) return noSuchPort(walk, flight, service);
    if (service !== undefined && port !== undefined) {
      const { endpoints, known } = mesh.endpoints.of(service, port, {});
      const [endpoint] = endpoints;
      if (endpoint === undefined && known) return noEndpoints(walk, flight, service);
      workload = endpoint?.workload;
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
  if (workload?.membership === 'ztunnel' && outermost(onward.layers)?.kind === 'ISTIO_MUTUAL' && target !== undefined)
    return atWorkload(walk, onward, target.service, workload, onward.layers);
  const verdict = networkVerdict(mesh, onward, workload, walk.addressOf(onward.host));
  if (verdict.is === 'unknown') return walk.unknown(verdict.what);
  if (verdict.is === 'denied') {
    return walk.refused({
      code: flight.sentBy === null ? 'NetworkPolicy' : 'UF',
      status: flight.sentBy !== null && isHttp ? 503 : null,
      proxy: senderOf(flight),
      by: verdict.by,
      reason: verdict.reason,
    });
  }
  const served = workload === undefined ? undefined : servedPort(mesh, onward.port, workload);
  if (workload !== undefined && typeof served === 'object') return notServed(walk, onward, workload, served);
  if (workload !== undefined && served === 'unsaid')
    return walk.unknown(
      `no container of ${workload.namespace}/${workload.name} lists port ${onward.port}, and no Service leads to it: whether anything listens there cannot be told`,
    );
  if (workload?.membership === 'gateway') return throughGateway(walk, onward, workload);
  if (workload?.membership === 'sidecar' && entersSidecar(mesh, workload, onward.port))
    return throughServer(walk, onward, workload);
  if (workload?.membership === 'ztunnel') return atZtunnel(walk, onward, workload);
  const outer = outermost(onward.layers);
  if (workload !== undefined && outer?.kind === 'ISTIO_MUTUAL') {
    return walk.refused({
      code: 'UF',
      status: isHttp ? 503 : null,
      proxy: flight.sentBy ?? { kind: 'none', namespace: flight.from.namespace, workload: null },
      by: null,
      reason: { kind: 'mutual-tls-without-sidecar', workload: `${workload.namespace}/${workload.name}` },
    });
  }
  return delivered(walk, onward, outer);
}

/** The address that Istio gave a host means something to proxies only, and these on the ports of its entry. */
function nobodyThere(walk: Walk, flight: Flight): Trace {
  const entry = [...walk.mesh.services.named(flight.host).values()].find(({ registry }) => registry === 'External');
  const { kind, namespace, name } = entry?.config ?? { kind: 'ServiceEntry', namespace: '', name: '' };
  return walk.refused({
    code: 'UF',
    status: brokenStatus(walk),
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
function delivered(walk: Walk, { tunnelled, host, namedPort }: Flight, outer: TlsLayer | undefined): Trace {
  const inner = tunnelled === undefined ? outer : outermost(tunnelled.layers);
  return walk.delivered({
    host: tunnelled?.host ?? host,
    port: tunnelled?.port ?? namedPort,
    tls: inner?.kind ?? 'NONE',
    sni: inner?.sni ?? null,
    ...(tunnelled === undefined ? {} : { through: { host, port: namedPort } }),
  });
}

/** The address of a Service leads nowhere on a port that the Service does not have. */
function noSuchPort(walk: Walk, flight: Flight, service: Service): Trace {
  const { kind, namespace, name } = service.config;
  const ports = service.ports.map((port) => port.port);
  return walk.refused({
    code: 'UF',
    status: brokenStatus(walk),
    proxy: senderOf(flight),
    reason: { kind: 'service-without-port', service: { kind, namespace, name }, port: flight.port, ports },
    by: { kind, namespace, name, field: 'spec.ports' },
  });
}

/** The address of a Service that nobody serves refuses connections. */
function noEndpoints(walk: Walk, flight: Flight, service: Service): Trace {
  const { kind, namespace, name } = service.config;
  return walk.refused({
    code: 'UF',
    status: brokenStatus(walk),
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
function notServed(walk: Walk, flight: Flight, workload: Workload, mapped: ServiceTarget): Trace {
  const { mesh } = walk;
  const [name = ''] = mapped.serviceHost.split('.');
  const service = mesh.services.named(mapped.serviceHost).get(mapped.namespace);
  const position = service?.ports.findIndex((port) => port.port === mapped.port) ?? 0;
  const refuse = (proxy: ProxyRef): Trace =>
    walk.refused({
      code: 'UF',
      status: brokenStatus(walk),
      proxy,
      reason: {
        kind: 'port-not-served',
        workload: `${workload.namespace}/${workload.name}`,
        port: flight.port,
        service: { kind: 'Service', namespace: mapped.namespace, name },
        targetPort: mapped.targetPort,
      },
      by: { kind: 'Service', namespace: mapped.namespace, name, field: `spec.ports[${position}].targetPort` },
    });
  const isCaptured = workload.membership === 'sidecar' && entersSidecar(mesh, workload, flight.port);
  return isCaptured ? throughServer(walk, flight, workload, refuse) : refuse(senderOf(flight));
}

function senderOf(flight: Flight): ProxyRef {
  return (
    flight.sentBy ?? { kind: 'none', namespace: flight.from.namespace, workload: flight.from.workload?.name ?? null }
  );
}

/** What the application behind a sidecar does with what the sidecar lets pass, where that is a proxy itself. */
export type Beyond = (flight: Flight) => Trace;

/** A connection at the sidecar of the workload that serves it; `refuse` where the workload does not. */
export function throughServer(
  walk: Walk,
  flight: Flight,
  workload: Workload,
  refuse?: (proxy: ProxyRef) => Trace,
  beyond?: Beyond,
): Trace {
  const { mesh } = walk;
  const proxy: ProxyRef = { kind: 'sidecar', namespace: workload.namespace, workload: shownName(workload) };
  const self: Proxy = {
    type: 'sidecar',
    namespace: workload.namespace,
    labels: workload.labels,
    addresses: workload.addresses,
  };
  if (ingressListener(mesh, self, flight.port)?.binds === true && proxySettings(mesh, workload).interception !== 'NONE')
    return walk.unknown(
      `the Sidecar of ${workload.namespace}/${workload.name} binds its ingress listener to port ${flight.port} (captureMode NONE), and iptables redirect that port: which of the two takes a connection cannot be told`,
    );
  const chain = inboundChain(mesh, self, flight.port, connectionOf(flight));
  const by: Decision | undefined =
    chain.tls.config === undefined
      ? undefined
      : {
          kind: chain.tls.config.kind,
          namespace: chain.tls.config.namespace,
          name: chain.tls.config.name,
          field: chain.tls.field,
        };
  const inner = chain.is === 'accepted' && chain.terminates ? flight.layers.slice(0, -1) : flight.layers;
  // On a port that no Service declares, only plain text is looked into.
  const looks = refuse === undefined || flight.layers.length === 0;
  const readsHttp = looks && chain.is === 'accepted' && chain.http && flight.http !== null && inner.length === 0;
  const incoming: Incoming = {
    proxy,
    receives: wire(
      readsHttp ? 'HTTP' : chain.is === 'accepted' && chain.terminates ? 'TCP' : protocolOf(flight),
      flight.port,
      flight.layers,
    ),
    envoy: { ...noMatch(), listener: 'virtualInbound' },
    decidedBy: decisions(by),
  };
  if (chain.is === 'refused') {
    addHop(walk, incoming, { cluster: chain.cluster });
    return walk.refused({
      code: chain.code,
      status: brokenStatus(walk),
      proxy,
      by: by ?? null,
      reason: chain.reason,
    });
  }
  const logged = { route: null, cluster: chain.cluster };
  const shown = outermost(flight.layers);
  if (chain.demandsCertificate && shown?.certificate === '') {
    if (shown.kind === 'APPLICATION')
      walk.note(`assumed that the client shows a certificate that ${proxy.namespace}/${proxy.workload} trusts`);
    else {
      addHop(walk, incoming, logged);
      return walk.refused({
        code: 'UF',
        status: brokenStatus(walk),
        proxy,
        by: by ?? null,
        reason: { kind: 'client-certificate-missing', asks: 'sidecar-ingress', port: flight.port },
      });
    }
  }
  const ends = (end: (proxy: ProxyRef) => Trace): Trace => {
    addHop(walk, incoming, logged);
    return end(proxy);
  };
  // Authorization of TCP looks at the first bytes; where nobody listens, the connection is closed by then.
  if (refuse !== undefined && !readsHttp) return ends(refuse);
  const read = readsHttp && flight.http !== null ? asIstioReads(flight.http, mesh.config.pathNormalization) : null;
  if (read !== null && 'refused' in read) return badPath(walk, incoming, read.refused);
  const past = read === null ? undefined : pastTokens(walk, incoming, self, read, logged);
  if (past?.held !== undefined) return past.held;
  const verdict = authorize(mesh, self, {
    flight,
    http: past?.http ?? null,
    sni: outermost(flight.layers)?.sni ?? null,
    port: flight.port,
    terminated: chain.terminates,
  });
  if (verdict.is !== 'allowed') return rejected(walk, incoming, verdict, proxy, readsHttp ? 403 : null, logged);
  if (refuse !== undefined) return ends(refuse);
  if (readsHttp && flight.http?.method.is(exact('CONNECT')) === true) {
    const status = flight.tunnelled === undefined ? 404 : brokenStatus(walk);
    addHop(walk, incoming, {});
    return walk.refused(noConnect(proxy, flight.http.authority.name, status));
  }
  const outer = outermost(inner);
  addHop(walk, incoming, {
    cluster: chain.cluster,
    sends: wire(readsHttp ? 'HTTP' : inner.length > 0 ? 'TLS' : 'TCP', chain.servedAt, inner),
  });
  if (beyond !== undefined) return beyond({ ...flight, layers: inner, http: past?.http ?? flight.http });
  return delivered(walk, flight, outer);
}
