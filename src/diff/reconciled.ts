/**
 * What the controllers of a cluster make of it once objects are applied: Pods of a changed template, endpoints of Services, the Service of a
 * Gateway. A dump has what they made of the objects as they were.
 */
import { canonical } from '../model/canonical';
import { controllerOf } from '../model/controllers';
import { labelsMatch, record, records, strings, text, type Json } from '../model/fields';
import { loadObjects } from '../model/load';
import type { Manifest } from '../model/manifest';
import { isRunning, podTemplateOf, REDIRECTION } from '../model/workloads';
import { objectKey } from './objects';

const MODE = 'istio.io/dataplane-mode';

export interface Sides {
  readonly before: readonly Manifest[];
  readonly after: readonly Manifest[];
}

export function reconciled({ before, after }: Sides): Sides {
  const was = new Map(before.map((manifest) => [objectKey(manifest), manifest]));
  const changed = after.filter((manifest) => was.get(objectKey(manifest)) !== manifest);
  const served = withServices(after, changed, was);
  const running = withRedirection(withoutReplaced(served, was), changed, was);
  return withoutStaleEndpoints({ before, after: running });
}

/** Without the Pods of a controller that makes them anew, since its template changes, or makes none any more. */
function withoutReplaced(after: readonly Manifest[], was: ReadonlyMap<string, Manifest>): readonly Manifest[] {
  const restarted = new Set<string>();
  for (const manifest of after) {
    const old = was.get(objectKey(manifest));
    if (old === undefined || old === manifest || manifest.kind === 'Pod') continue;
    const [earlier, now] = [old, manifest].map(({ body }) => record(record(body).spec));
    const isOther = canonical(earlier?.template ?? null) !== canonical(now?.template ?? null);
    if (isOther || (now?.replicas === 0 && earlier?.replicas !== 0))
      restarted.add(`${manifest.namespace}/${manifest.name}`);
  }
  if (restarted.size === 0) return after;
  return after.filter(({ kind, group, namespace, body }) => {
    const controller = kind === 'Pod' && group === '' ? controllerOf(record(body)) : undefined;
    return controller === undefined || !restarted.has(`${namespace}/${controller}`);
  });
}

/** With what Istio's CNI plugin does to Pods that run when their namespace becomes ambient, or is so no more. */
function withRedirection(
  after: readonly Manifest[],
  changed: readonly Manifest[],
  was: ReadonlyMap<string, Manifest>,
): readonly Manifest[] {
  const modes = new Map<string, string | undefined>();
  for (const one of changed) {
    if (one.kind !== 'Namespace' || one.group !== '') continue;
    const mode = one.labels[MODE];
    if (was.get(objectKey(one))?.labels[MODE] !== mode) modes.set(one.name, mode);
  }
  if (modes.size === 0) return after;
  return after.map((pod) => {
    if (pod.kind !== 'Pod' || pod.group !== '' || !modes.has(pod.namespace) || !isRunning(pod.body)) return pod;
    const { [REDIRECTION]: _earlier, ...others } = pod.annotations;
    const isTaken = (pod.labels[MODE] ?? modes.get(pod.namespace)) === 'ambient' && pod.annotations['sidecar.istio.io/status'] === undefined; // prettier-ignore
    const annotations = isTaken ? { ...others, [REDIRECTION]: 'enabled' } : others;
    return remade(pod, { ...pod.body, metadata: { ...record(pod.body.metadata), annotations } });
  });
}

function remade(manifest: Manifest, body: Json): Manifest {
  const [made] = loadObjects([body]).manifests;
  return made === undefined ? manifest : { ...made, index: manifest.index, source: manifest.source };
}

/**
 * Without the EndpointSlices of Services whose endpoints come out otherwise, on both sides: what a Service selects is asked instead. A slice that
 * somebody else wrote stays.
 */
function withoutStaleEndpoints({ before, after }: Sides): Sides {
  const stale = staleServices(before, after);
  if (stale.size === 0) return { before, after };
  const isKept = ({ kind, namespace, labels, body }: Manifest): boolean => {
    if (kind === 'Endpoints') return !stale.has(`${namespace}/${text(record(record(body).metadata).name)}`);
    if (kind !== 'EndpointSlice' || !stale.has(`${namespace}/${labels['kubernetes.io/service-name'] ?? ''}`)) return true; // prettier-ignore
    const by = labels['endpointslice.kubernetes.io/managed-by'];
    return by !== undefined && !/^endpointslice(mirroring)?-controller\.k8s\.io$/.test(by);
  };
  return { before: before.filter(isKept), after: after.filter(isKept) };
}

/** Services that differ, or that select a workload which does. */
function staleServices(before: readonly Manifest[], after: readonly Manifest[]): ReadonlySet<string> {
  const [old, now] = [new Set(before), new Set(after)];
  const differing = [...before.filter((one) => !now.has(one)), ...after.filter((one) => !old.has(one))];
  const stale = new Set<string>();
  const labelled = new Map<string, Readonly<Record<string, string>>[]>();
  for (const manifest of differing) {
    if (isService(manifest)) stale.add(`${manifest.namespace}/${manifest.name}`);
    const template = podTemplateOf(manifest);
    if (template === undefined) continue;
    const known = labelled.get(manifest.namespace) ?? [];
    labelled.set(manifest.namespace, [...known, strings(record(template.metadata).labels)]);
  }
  const hasSelector = new Set<string>();
  for (const manifest of [...before, ...after]) {
    if (!isService(manifest)) continue;
    const key = `${manifest.namespace}/${manifest.name}`;
    const selector = strings(record(record(manifest.body).spec).selector);
    if (Object.keys(selector).length === 0) continue;
    if (now.has(manifest)) hasSelector.add(key);
    if ((labelled.get(manifest.namespace) ?? []).some((labels) => labelsMatch(selector, labels))) stale.add(key);
  }
  // Nobody takes away the endpoints of a Service that lost its selector.
  return new Set([...stale].filter((key) => hasSelector.has(key)));
}

function isService({ group, kind }: Manifest): boolean {
  return group === '' && kind === 'Service';
}

/** With the ports of the Services that istiod and Envoy Gateway make for Gateways, as these are now. */
function withServices(
  after: readonly Manifest[],
  changed: readonly Manifest[],
  was: ReadonlyMap<string, Manifest>,
): readonly Manifest[] {
  const gateways = new Map(
    changed
      .filter(({ group, kind }) => group === 'gateway.networking.k8s.io' && kind === 'Gateway')
      .map((gateway) => [`${gateway.namespace}/${gateway.name}`, gateway]),
  );
  if (gateways.size === 0) return after;
  return after.map((manifest) => {
    const gateway = isService(manifest) ? gateways.get(gatewayOf(manifest)) : undefined;
    const old = gateway === undefined ? undefined : was.get(objectKey(gateway));
    return gateway === undefined || old === undefined ? manifest : withPorts(manifest, old, gateway);
  });
}

/** The Gateway that a Service was made for, as both controllers label it. */
function gatewayOf({ namespace, labels }: Manifest): string {
  const own = labels['gateway.networking.k8s.io/gateway-name'];
  if (own !== undefined) return `${namespace}/${own}`;
  return `${labels['gateway.envoyproxy.io/owning-gateway-namespace'] ?? ''}/${labels['gateway.envoyproxy.io/owning-gateway-name'] ?? ''}`; // prettier-ignore
}

function withPorts(service: Manifest, old: Manifest, gateway: Manifest): Manifest {
  const listeners = (of: Manifest): readonly Json[] => records(record(of.body.spec).listeners);
  const [earlier, now] = [old, gateway].map(listeners);
  const ports = records(record(service.body.spec).ports);
  const numbers = (of: readonly Json[] | undefined): ReadonlySet<unknown> => new Set(of?.map(({ port }) => port));
  const [lost, wanted] = [numbers(earlier), numbers(now)];
  const kept = ports.filter(({ port }) => wanted.has(port) || !lost.has(port));
  const known = numbers(kept);
  const added = [...new Map(now?.map((listener) => [listener.port, listener])).values()]
    .filter(({ port }) => !known.has(port))
    .map(({ name, port, protocol }) => ({
      name,
      port,
      protocol: protocol === 'UDP' ? 'UDP' : 'TCP',
      targetPort: targetOf(service, port),
    }));
  if (added.length === 0 && kept.length === ports.length) return service;
  const body = { ...service.body, spec: { ...record(service.body.spec), ports: [...kept, ...added] } };
  return remade(service, body);
}

/** Envoy Gateway's proxies listen above the privileged ports; Istio's where the listener says. */
function targetOf({ labels }: Manifest, port: unknown): unknown {
  const isEnvoyGateway = labels['gateway.envoyproxy.io/owning-gateway-name'] !== undefined;
  return isEnvoyGateway && typeof port === 'number' && port < 1024 ? port + 10000 : port;
}
