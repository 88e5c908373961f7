/** Which gateways are ways out: what their routes lead to says so, whatever they are called. */
import type { FieldPath } from '../model/manifest';
import { type Attachment, hostnamesAt } from '../model/attachments';
import type { ApiGateway } from '../model/gateway-api';
import { record, records, text } from '../model/fields';
import { type CheckContext, defineIndex } from './context';
import { MESH, type VirtualServiceView, gatewaysByName, ruleMatches, selects, virtualServices, fullHost } from './edge';
import { isSubsetOf } from '../model/hostnames';
import { push } from '../model/objects';
import { type PodTemplate, isGatewayPod } from './workloads';

/** A rule on a gateway whose destination is the host itself: the second hop of traffic that leaves. */
export interface WayOut {
  readonly service: VirtualServiceView;
  readonly host: string;
  readonly kind: 'http' | 'tls' | 'tcp';
  readonly field: FieldPath;
  readonly gateway: string;
}

export const waysOut = defineIndex('ways out', (context): readonly WayOut[] => {
  const ways: WayOut[] = [];
  for (const service of context.index(virtualServices)) {
    for (const rule of ruleMatches(service)) {
      const gateway = rule.gateways.find((name) => name !== MESH);
      if (gateway === undefined) continue;
      const routes = service.spec[rule.kind]?.[rule.rule]?.route ?? [];
      for (const host of rule.sniHosts.length > 0 ? rule.sniHosts : service.hosts) {
        const leaves = routes.some(({ destination }) => destination?.host !== undefined && isSubsetOf(destination.host, host) && isOutside(context, destination.host)); // prettier-ignore
        if (leaves) ways.push({ service, host, kind: rule.kind, field: [...rule.field], gateway });
      }
    }
  }
  return ways;
});

interface WaysByHost {
  readonly exact: ReadonlyMap<string, readonly WayOut[]>;
  readonly wild: readonly WayOut[];
}

const waysByHost = defineIndex('ways out by host', (context): WaysByHost => {
  const exact = new Map<string, WayOut[]>();
  const ways = context.index(waysOut);
  for (const way of ways) push(exact, way.host, way);
  return { exact, wild: ways.filter(({ host }) => host.includes('*')) };
});

/** The ways out for requests for a host. */
export function waysFor(context: CheckContext, host: string): readonly WayOut[] {
  const { exact, wild } = context.index(waysByHost);
  return [...(exact.get(host) ?? []), ...wild.filter((way) => way.host !== host && isSubsetOf(host, way.host))];
}

/** Whether a host is declared, and always outside the mesh. */
export function isOutside({ mesh }: CheckContext, host: string): boolean {
  const known = mesh.services.declaring(host);
  return known.length > 0 && known.every(({ registry, meshExternal }) => registry === 'External' && meshExternal);
}

/** Istio's Gateways all of whose routes lead out, with the hosts that they lead to. */
export const egressGateways = defineIndex('egress gateways', (context): ReadonlyMap<string, readonly string[]> => {
  const hosts = new Map<string, Set<string>>();
  for (const { gateway, host } of context.index(waysOut)) {
    const known = hosts.get(gateway) ?? new Set();
    hosts.set(gateway, known.add(host));
  }
  for (const service of context.index(virtualServices)) {
    for (const { kind, rule, gateways } of ruleMatches(service)) {
      const leadsIn = (service.spec[kind]?.[rule]?.route ?? []).some(
        ({ destination }) =>
          !isOutside(context, fullHost(context, destination?.host ?? '', service.manifest.namespace)),
      );
      // A rule for sidecars as well is the first hop.
      if (leadsIn && !gateways.includes(MESH)) for (const gateway of gateways) hosts.delete(gateway);
    }
  }
  return new Map([...hosts].map(([gateway, own]) => [gateway, [...own]]));
});

/** Whether a pod is a gateway through which traffic leaves: by its routes, or by its name where no route is shown. */
export function isEgressPod(context: CheckContext, pod: PodTemplate): boolean {
  if (!isGatewayPod(pod)) return false;
  if (/egress/.test(`${pod.manifest.name} ${pod.labels.istio ?? ''} ${pod.labels.app ?? ''}`)) return true;
  return hostsBehind(context, pod.labels).length > 0;
}

/** Hosts outside to which the Gateways of pods with these labels lead; none if one of those leads into the mesh as well. */
export function hostsBehind(context: CheckContext, labels: Readonly<Record<string, string>>): readonly string[] {
  const own = [...context.index(gatewaysByName)].filter(
    ([, { spec }]) => Object.keys(spec.selector ?? {}).length > 0 && selects(spec.selector, labels),
  );
  const led = own.map(([name]) => context.index(egressGateways).get(name));
  return led.every((hosts) => hosts !== undefined) ? [...new Set(led.flat())] : [];
}

/** Hosts outside to which a Gateway of the Gateway API leads; none if one of its routes leads anywhere else. */
export function hostsBehindApi(context: CheckContext, gateway: ApiGateway): readonly string[] {
  const attached = context.mesh.gatewayApi.attachments.filter((one) => one.gateway === gateway);
  const hosts = attached.map((one) => hostsOutOf(context, one));
  return hosts.every((own) => own !== undefined) ? [...new Set(hosts.flat())] : [];
}

/** What a route leads out to: backends that are hosts outside, by the name under which the listener takes requests for them. */
function hostsOutOf(context: CheckContext, attachment: Attachment): readonly string[] | undefined {
  const names = hostnamesAt(attachment);
  const backends = records(attachment.route.config.spec.rules).flatMap(({ backendRefs }) => records(backendRefs));
  const hosts = backends.map(({ kind, name, namespace }) => {
    if (kind === 'Hostname') return text(name);
    if (kind !== 'ServiceEntry') return '';
    const entry = context.mesh
      .of('networking.istio.io', 'ServiceEntry')
      .find((one) => one.name === name && one.namespace === (text(namespace) || attachment.route.config.namespace));
    const [host] = (record(record(entry?.body).spec).hosts ?? []) as readonly string[];
    return host ?? '';
  });
  const leaves =
    hosts.length > 0 &&
    hosts.every((host) => isOutside(context, host) && names.some((name) => name === '*' || isSubsetOf(host, name)));
  return leaves ? hosts : undefined;
}
