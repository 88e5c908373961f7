/** Hosts outside the mesh in policies for workloads, which judge what workloads receive and nothing that they send. */
import type { FieldPath, Manifest } from '../model/manifest';
import { overlaps } from '../model/hostnames';
import type { JudgingPolicy } from './authorization';
import { type CheckContext, defineIndex } from './context';
import { fullHost, serviceEntries, virtualServices } from './edge';
import { isOutside } from './egress-gateways';
import { GATEWAY_API, type RouteSpec, ROUTE_KINDS } from './gateway-api';

export interface LeavingHost {
  readonly host: string;
  /** The ServiceEntry that declares it. */
  readonly entry: Manifest;
  /** Of the policy. */
  readonly field: FieldPath;
}

/**
 * Hosts of alternatives that name nothing else, where each is declared outside the mesh alone and no route leads requests for it to a workload.
 * The first of each alternative is enough to say.
 */
export function namesWhatLeaves(context: CheckContext, { spec, proxies }: JudgingPolicy): readonly LeavingHost[] {
  if (proxies.length === 0 || proxies.some(({ kind }) => kind !== 'sidecar' && kind !== 'ztunnel')) return [];
  return (spec.rules ?? []).flatMap(({ to = [] }, r) =>
    to.flatMap(({ operation = {} }, t) => {
      const hosts = (operation.hosts ?? []).map((host) => host.replace(/:(\d+|\*)$/, ''));
      const entries = hosts.map((host) => leavingEntry(context, host));
      const [entry] = entries;
      if (entry === undefined || entries.includes(undefined)) return [];
      return [{ host: hosts[0] ?? '', entry, field: ['spec', 'rules', r, 'to', t, 'operation', 'hosts', 0] }];
    }),
  );
}

function leavingEntry(context: CheckContext, host: string): Manifest | undefined {
  if (!host.includes('.') || context.index(ledIn).some((one) => overlaps(one, host))) return undefined;
  const named = context.index(serviceEntries).filter(({ spec }) => (spec.hosts ?? []).some((one) => overlaps(one, host))); // prettier-ignore
  const areOutside = named.every(
    ({ spec }) =>
      spec.workloadSelector === undefined &&
      (spec.hosts ?? []).filter((one) => overlaps(one, host)).every((one) => isOutside(context, one)),
  );
  return areOutside ? named[0]?.manifest : undefined;
}

/** Hosts whose requests routes lead to Services of the cluster that no gateway is behind: a workload may receive them. */
const ledIn = defineIndex('hosts led to workloads', (context): readonly string[] => {
  const { mesh } = context;
  const takesIn = (host: string): boolean =>
    [...mesh.services.named(host).values()].some(
      (service) =>
        service.registry === 'Kubernetes' &&
        !mesh.workloads.behind(service).some(({ membership }) => membership === 'gateway'),
    );
  const byIstio = context.index(virtualServices).flatMap(({ manifest, spec, hosts }) => {
    const routes = [...(spec.http ?? []), ...(spec.tls ?? []), ...(spec.tcp ?? [])].flatMap(({ route = [] }) => route);
    return routes.some(({ destination }) => takesIn(fullHost(context, destination?.host ?? '', manifest.namespace))) ||
      (spec.http ?? []).some(({ delegate }) => delegate !== undefined)
      ? hosts
      : [];
  });
  const byGatewayApi = ROUTE_KINDS.flatMap((kind) =>
    context.of(GATEWAY_API, kind).flatMap((manifest) => (manifest.body as { spec?: RouteSpec }).spec?.hostnames ?? []),
  );
  return [...byIstio, ...byGatewayApi];
});
