/**
 * Code that proxies run on requests: TrafficExtensions (WebAssembly or Lua), and WasmPlugins, which istiod reads as such
 * (translateWasmPlugin of pilot/pkg/config/kube/extensions). What it does with a request no manifest tells.
 */
import { number, record, records, text } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { config, type Config } from '../model/objects';
import type { ExtendedProxy } from './extension-scope';
import type { Hop } from './types';
import { attaches, attachesToWaypoint, targetRefs } from './workload-policies';

const GROUP = 'extensions.istio.io';
const SERVES = 'inbound-vip|';

/** All of both kinds. */
export function trafficExtensions(mesh: Mesh): readonly Config[] {
  return [...mesh.of(GROUP, 'WasmPlugin'), ...mesh.of(GROUP, 'TrafficExtension')].map(config);
}

/** Those whose code a hop runs. */
export function extensionsThatTouch(mesh: Mesh, proxy: ExtendedProxy, hop: Hop): readonly Config[] {
  return trafficExtensions(mesh).filter(
    (extension) => isOfKind(extension, hop) && isAt(mesh, extension, proxy, hop) && isMatched(extension, hop),
  );
}

/** Lua reads HTTP alone, and WebAssembly says which it reads (MatchType of pilot/pkg/model/extensions.go). */
function isOfKind({ spec }: Config, hop: Hop): boolean {
  const type = text(record(spec.wasm).type) || text(spec.type);
  return type === 'NETWORK' || hop.receives.protocol === 'HTTP';
}

/** Whether a proxy is meant (ShouldAttachPolicy of pilot/pkg/model/policyattachment.go). */
function isAt(mesh: Mesh, extension: Config, proxy: ExtendedProxy, hop: Hop): boolean {
  if (hop.proxy.kind === 'waypoint') return isAtWaypoint(mesh, extension, proxy, hop);
  if (extension.namespace !== proxy.namespace && extension.namespace !== mesh.config.rootNamespace) return false;
  return attaches(extension, proxy.namespace, proxy.labels);
}

function isAtWaypoint(
  mesh: Mesh,
  extension: Config,
  { namespace, workload, labels }: ExtendedProxy,
  hop: Hop,
): boolean {
  const name = labels['gateway.networking.k8s.io/gateway-name'] ?? workload ?? '';
  const served = [hop.cluster, hop.envoy.filterChain].find((one) => one?.startsWith(SERVES));
  const host = served?.split('|')[3];
  const service = host === undefined ? undefined : mesh.services.declaring(host)[0];
  // What is called is not known of every hop: then what is for any of the waypoint's services may be for it.
  if (service === undefined && hop.cluster !== 'encap')
    return (
      attachesToWaypoint(mesh, extension, { namespace, name }) ||
      targetRefs(extension).some(({ kind }) => kind === 'Service' || kind === 'ServiceEntry')
    );
  const { kind, namespace: owner, name: own } = service?.config ?? { kind: '', namespace: '', name: '' };
  return attachesToWaypoint(mesh, extension, { namespace, name }, service && { kind, namespace: owner, name: own });
}

/** Gateways count as clients, waypoints as servers on no port (workloadModeForListenerClass; listener_waypoint.go). */
function isMatched({ spec }: Config, hop: Hop): boolean {
  const isServer = hop.proxy.kind === 'waypoint' || hop.envoy.listener === 'virtualInbound';
  const own = hop.proxy.kind === 'waypoint' ? [] : portsOf(hop);
  const matches = records(spec.match);
  return (
    matches.length === 0 ||
    matches.some((match) => {
      const mode = text(match.mode);
      const ports = records(match.ports).map((port) => number(port.number));
      const isWay = mode === 'SERVER' ? isServer : mode !== 'CLIENT' || !isServer;
      return isWay && (ports.length === 0 || ports.some((port) => own.includes(port)));
    })
  );
}

/** The port that a hop is asked on, and the one that its listener is on: of gateways the Service may have another. */
function portsOf({ receives, envoy }: Hop): readonly number[] {
  const listener = /_(\d+)$/.exec(envoy.listener ?? '')?.[1];
  return listener === undefined ? [receives.port] : [receives.port, Number(listener)];
}
