/** Istio's own cases against ours: one proxy, its configuration, a connection to it. */
import { Asked, AskedHeaders, AskedPath } from '../../src/trace/ask';
import { parse } from 'yaml';
import { loadText } from '../../src/model/load';
import { buildMesh, type Mesh, type Proxy } from '../../src/model/mesh';
import type { Workload } from '../../src/model/workloads';
import { inboundChain } from '../../src/trace/inbound';
import { carry } from '../../src/trace/loop';
import { sidecarRouteConfig } from '../../src/trace/sidecar-routes';
import type { Trace } from '../../src/trace/types';
import { connectionOf, type Flight, Walk } from '../../src/trace/walk';
import { wordsOf } from '../../src/trace/words';
import { errorOf } from '../trace/oracle/compare';
import type { SimulatedCall, SimulatedCase, SimulatedResult } from './cases';

export interface Answer {
  readonly test: string;
  readonly call: string;
  /** What differs, in a sentence; undefined where nothing does. */
  readonly difference: string | undefined;
}

const NAME = 'under-test';

function proxyManifest(one: SimulatedCase): string {
  const [address] = one.Addresses;
  const isRouter = one.Type === 'router';
  return `
---
apiVersion: v1
kind: Pod
metadata:
  name: ${NAME}
  namespace: ${one.Namespace}
  labels: ${JSON.stringify({ ...one.Labels, ...(isRouter ? {} : { 'security.istio.io/tlsMode': 'istio' }) })}
  annotations: ${JSON.stringify(isRouter ? { 'inject.istio.io/templates': 'gateway' } : {})}
spec: {containers: [{name: app, image: app}]}
status: {podIP: ${address ?? ''}, phase: Running}`;
}

/** A switch that one test sets. */
const READS_INGRESS_TLS = `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system}
spec: {template: {spec: {containers: [{name: discovery, env: [{name: ENABLE_TLS_ON_SIDECAR_INGRESS, value: "true"}]}]}}}`;

/** The proxy is of its own making: a Service of the case may select it, but never shows it. */
function meshOf(one: SimulatedCase): Mesh {
  const yaml = `${one.Config}\n---\n${one.Kube}${proxyManifest(one)}${one.Test.startsWith('TestInboundSidecarTLSModes') ? READS_INGRESS_TLS : ''}`;
  // Istio's default is ALLOW_ANY; the zero value of the enumeration, which goes unwritten, is the other.
  const mesh = parse(one.Mesh) as { outboundTrafficPolicy?: { mode?: 'ALLOW_ANY' } } | null;
  const outbound = mesh === null ? 'ALLOW_ANY' : (mesh.outboundTrafficPolicy?.mode ?? 'REGISTRY_ONLY');
  return buildMesh(loadText(yaml).manifests, { outbound, istioVersion: '1.29', gatewayApiVersion: '1.4/experimental' });
}

function flightOf(call: SimulatedCall, workload: Workload, isRouter: boolean): Flight {
  const kind = call.TLS === 'mtls' ? ('ISTIO_MUTUAL' as const) : ('APPLICATION' as const);
  return {
    from: {
      namespace: workload.namespace,
      serviceAccount: workload.serviceAccount,
      labels: workload.labels,
      address: null,
      workload,
      inMesh: true,
    },
    address: isRouter ? null : call.Address,
    port: call.Port,
    namedPort: call.Port,
    layers: call.TLS === 'plaintext' ? [] : [{ kind, sni: call.Sni === '' ? null : call.Sni, certificate: 'any' }],
    http:
      call.Protocol === 'tcp'
        ? null
        : {
            authority: Asked.fixed(call.Host),
            method: Asked.fixed('GET'),
            path: AskedPath.of(call.Path || '/'),
            scheme: 'http',
            headers: AskedHeaders.of({}),
          },
    host: call.Host,
    sentBy: null,
    isHttp2: call.Protocol === 'http2',
    isRead: false,
  };
}

/** The tests' store of configuration has no DNS domain: a short host `a` in namespace `default` is read as `a.default`. */
function withDomain(cluster: string): string {
  return cluster.replace(/(\|\w[\w-]*\.[\w-]+)$/, (host) =>
    /\.(default|ns-\d)$/.test(host) ? `${host}.svc.cluster.local` : host,
  );
}

function differs(given: SimulatedResult, ours: Partial<SimulatedResult>): string | undefined {
  const theirs = { ...given, Cluster: withDomain(given.Cluster) };
  for (const [field, value] of Object.entries(ours) as [keyof SimulatedResult, string][]) {
    if (value !== theirs[field]) return `${field} is "${theirs[field]}" for Istio, "${value}" for us`;
  }
  return undefined;
}

function atFirstProxy(told: Trace, theirs: SimulatedResult): string | undefined {
  const [hop] = told.hops;
  if (hop === undefined) return `we have no hop: ${told.outcome} ${told.refusal?.what ?? told.notes.join('; ')}`;
  const error = told.hops.length === 1 ? errorOf(told, hop, true) : '';
  const isSame = error === theirs.Error.replace('invalid mTLS', 'invalid TLS');
  if (!isSame) return `Error is "${theirs.Error}" for Istio, "${error}" for us (${told.refusal?.what ?? told.outcome})`;
  if (error !== '') return undefined;
  return differs(theirs, {
    Listener: hop.envoy.listener ?? '',
    Cluster: hop.cluster ?? '',
    ...(theirs.RouteConfig === '' ? {} : { RouteConfig: hop.envoy.routeConfig ?? '' }),
    ...(theirs.VirtualHost === '' ? {} : { VirtualHost: hop.envoy.virtualHost ?? '' }),
  });
}

function answer(one: SimulatedCase, mesh: Mesh, call: SimulatedCall): string | undefined {
  const workload = mesh.workloads.find(one.Namespace, NAME) as Workload;
  const flight = flightOf(call, workload, one.Type === 'router');
  const self: Proxy = {
    type: 'sidecar',
    namespace: workload.namespace,
    labels: workload.labels,
    addresses: workload.addresses,
  };
  if (call.Mode === 'inbound') {
    const chain = inboundChain(mesh, self, call.Port, connectionOf(flight));
    if (chain.is === 'refused')
      return call.Actual.Error === ''
        ? `accepted by Istio (${call.Actual.Cluster}), refused by us: ${wordsOf(chain.reason).what}`
        : undefined;
    return call.Actual.Error === ''
      ? differs(call.Actual, { Cluster: chain.cluster })
      : `refused by Istio (${call.Actual.Error}), accepted by us`;
  }
  const walk = new Walk(mesh);
  const { namespace } = workload;
  const told = carry(walk, {
    then:
      one.Type === 'router'
        ? { at: 'gateway', flight, workload }
        : { at: 'outbound-sidecar', flight, workload, proxy: { kind: 'sidecar', namespace, workload: NAME } },
  });
  return atFirstProxy(told, call.Actual);
}

function hostAnswer(
  one: SimulatedCase,
  mesh: Mesh,
  host: string,
  wanted: readonly string[] | null,
): string | undefined {
  const proxy: Proxy = {
    type: 'sidecar',
    namespace: one.Namespace,
    labels: one.Labels ?? {},
    addresses: one.Addresses,
  };
  const scope = mesh.scopeOf(proxy);
  const rules = sidecarRouteConfig({ mesh, scope, proxy }, one.Route);
  const found = rules.match(host);
  const clusters =
    found?.domains.includes(host) === true ? found.routes.map((route) => route.clusters[0]?.cluster ?? '') : null;
  const [theirs, ours] = [JSON.stringify(wanted), JSON.stringify(clusters)];
  return theirs === ours ? undefined : `clusters of ${host} are ${theirs} for Istio, ${ours} for us`;
}

/** Every call of one case, and every virtual host that it is about. */
export function answers(one: SimulatedCase): readonly Answer[] {
  const mesh = meshOf(one);
  return [
    ...(one.Calls ?? []).map((call): Answer => ({
      test: one.Test,
      call: call.Name,
      difference: answer(one, mesh, call),
    })),
    ...Object.entries(one.Hosts ?? {}).map(([host, wanted]): Answer => ({
      test: one.Test,
      call: `${one.Route} ${host}`,
      difference: hostAnswer(one, mesh, host, wanted),
    })),
  ];
}
