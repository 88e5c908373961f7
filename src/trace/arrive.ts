/** Over the network, to whoever is at the other end. */
import type { Proxy } from '../model/mesh';
import type { Service } from '../model/services';
import type { Workload } from '../model/workloads';
import { authorize } from './authorization';
import { inboundCapture } from './capture';
import { rejected } from './connection';
import { throughGateway } from './follow';
import { noConnect } from './routing';
import { type Incoming, addHop, brokenStatus, protocolOf } from './hop';
import { inboundChain } from './inbound';
import { dial, serviceAt } from './names';
import { networkVerdict } from './network-policy';
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
    const service = target === undefined && flight.address !== null ? serviceAt(mesh, flight.address) : undefined;
    const port = service?.ports.find((candidate) => candidate.port === flight.port);
    workload = flight.address === null ? undefined : mesh.workloads.at(flight.address);
    if (service !== undefined && port !== undefined) {
      const endpoint = mesh.endpoints.of(service, port, {}).endpoints[0];
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
  const verdict = networkVerdict(mesh, onward, workload);
  if (verdict.is === 'unknown') return walk.unknown(verdict.what);
  if (verdict.is === 'denied') {
    const proxy = flight.sentBy ?? {
      kind: 'none' as const,
      namespace: flight.from.namespace,
      workload: flight.from.workload?.name ?? null,
    };
    return walk.refused({
      code: flight.sentBy === null ? 'NetworkPolicy' : 'UF',
      status: flight.sentBy !== null && isHttp ? 503 : null,
      proxy,
      what: verdict.what,
      fix: verdict.fix,
      by: verdict.by,
    });
  }
  if (workload?.membership === 'gateway') return throughGateway(walk, onward, workload);
  if (workload?.membership === 'sidecar' && inboundCapture(workload, onward.port))
    return throughServer(walk, onward, workload);
  const outer = outermost(onward.layers);
  if (workload !== undefined && outer?.kind === 'ISTIO_MUTUAL') {
    return walk.refused({
      code: 'UF',
      status: isHttp ? 503 : null,
      proxy: flight.sentBy ?? { kind: 'none', namespace: flight.from.namespace, workload: null },
      what: `${workload.namespace}/${workload.name} has no sidecar and gets Istio's mutual TLS`,
      fix: 'inject a sidecar there, or set tls.mode DISABLE in the DestinationRule',
      by: null,
    });
  }
  return delivered(walk, onward, outer);
}

/** Who gets a CONNECT is a proxy: what was inside arrives where that leads. */
function delivered(walk: Walk, { tunnelled, host, namedPort }: Flight, outer: TlsLayer | undefined): Trace {
  const inner = tunnelled === undefined ? outer : outermost(tunnelled.layers);
  return walk.delivered({
    host: tunnelled?.host ?? host,
    port: tunnelled?.port ?? namedPort,
    tls: inner?.kind ?? 'NONE',
    sni: inner?.sni ?? null,
  });
}

/** A connection at the sidecar of the workload that serves it. */
function throughServer(walk: Walk, flight: Flight, workload: Workload): Trace {
  const { mesh } = walk;
  const proxy: ProxyRef = { kind: 'sidecar', namespace: workload.namespace, workload: workload.name };
  const self: Proxy = {
    type: 'sidecar',
    namespace: workload.namespace,
    labels: workload.labels,
    addresses: workload.addresses,
  };
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
  const readsHttp = chain.is === 'accepted' && chain.http && flight.http !== null && inner.length === 0;
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
    addHop(walk, incoming, {});
    return walk.refused({
      code: 'NR',
      status: brokenStatus(walk),
      proxy,
      what: chain.what,
      fix: chain.fix,
      by: by ?? null,
    });
  }
  const verdict = authorize(mesh, self, {
    flight,
    http: readsHttp ? flight.http : null,
    sni: outermost(flight.layers)?.sni ?? null,
    port: flight.port,
    terminated: chain.terminates,
  });
  if (verdict.is !== 'allowed') return rejected(walk, incoming, verdict, proxy, readsHttp ? 403 : null);
  if (readsHttp && flight.http?.method === 'CONNECT') {
    const status = flight.tunnelled === undefined ? 404 : brokenStatus(walk);
    addHop(walk, incoming, {});
    return walk.refused(noConnect(proxy, flight.http.authority, status));
  }
  const outer = outermost(inner);
  addHop(walk, incoming, {
    cluster: chain.cluster,
    sends: wire(readsHttp ? 'HTTP' : inner.length > 0 ? 'TLS' : 'TCP', flight.port, inner),
  });
  return delivered(walk, flight, outer);
}
