import { overlaps } from '../../model/hostnames';
import { push } from '../../model/objects';
import { MESH, nameOf, virtualServices, fullHost } from '../edge';
import type { Manifest } from '../../model/manifest';
import { GATEWAY_API, routeSpec } from '../gateway-api';
import type { CheckContext } from '../context';
import type { L4Match, VirtualService } from '../../model/virtual-services';
import type { Hit, Rule } from '../rule';

const KINDS = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'] as const;

export const rule: Rule = {
  id: 'EDGE806',
  name: 'mesh-route-and-virtual-service',
  severity: 'error',
  title: 'A route and a VirtualService, or two routes for TLS or TCP, are for one host of the mesh',
  why: 'Istio turns the route into a VirtualService of its own. Of two for one host sidecars use the older, and nothing of the other.',
  fix: 'Write the rules into one of them.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#mesh-traffic',
  reads: ['VirtualService', 'TLSRoute', 'TCPRoute'],
  footguns: ['G11'],
  *check(context) {
    const byHost = new Map<string, Manifest[]>();
    for (const { manifest, hosts, gateways, spec } of context.index(virtualServices)) {
      if (!gateways.includes(MESH) || (spec.exportTo ?? []).includes('~')) continue;
      for (const host of new Set(hosts.map((one) => fullHost(context, one, manifest.namespace))))
        push(byHost, host, manifest);
    }
    for (const manifest of KINDS.flatMap((kind) => context.of(GATEWAY_API, kind))) {
      for (const { host, at } of parentHosts(context, manifest)) {
        for (const other of byHost.get(host) ?? [])
          yield {
            manifest,
            field: ['spec', 'parentRefs', at],
            what: `${nameOf(manifest)} and ${nameOf(other)} are both for ${host} in the mesh`,
          };
      }
    }
    yield* twoForOneHost(context);
  },
};

/** Hosts that a route is for by its parents in the mesh. */
function parentHosts(
  { mesh }: CheckContext,
  manifest: Manifest,
): readonly { readonly host: string; readonly at: number }[] {
  // prettier-ignore
  return (routeSpec(manifest).parentRefs ?? []).flatMap(({ kind, name, namespace = manifest.namespace }, at) => {
    const hosts =
      kind === 'Service'
        ? [`${name}.${namespace}.svc.${mesh.config.clusterDomain}`]
        : kind === 'ServiceEntry'
          ? mesh.services
              .inNamespace(namespace)
              .filter(({ config }) => config.kind === 'ServiceEntry' && config.name === name)
              .map(({ host }) => host)
          : [];
    return [...new Set(hosts)].map((host) => ({ host, at }));
  });
}

/**
 * TLSRoutes and TCPRoutes are not joined as HTTPRoutes of one host are, nor kept to the clients of their own namespace: these have their own first, and
 * all others take the oldest (`getVirtualServices` of a sidecar's scope in push_context.go of Istio; simulated).
 */
function* twoForOneHost(context: CheckContext): Generator<Hit> {
  const seen = new Map<string, VirtualService[]>();
  for (const one of context.mesh.virtualServices.all) {
    if (one.semantics !== 'gateway-api' || !one.gateways.includes(MESH) || one.tls.length + one.tcp.length === 0) continue; // prettier-ignore
    const [host = ''] = one.hosts;
    const other = (seen.get(host) ?? []).find((older) => older.config.manifest !== one.config.manifest && meet(older, one)); // prettier-ignore
    push(seen, host, one);
    if (other === undefined) continue;
    const { manifest } = one.config;
    yield {
      manifest,
      field: ['spec', 'parentRefs', parentHosts(context, manifest).find((parent) => parent.host === host)?.at ?? 0],
      what: `${nameOf(manifest)} and ${nameOf(other.config.manifest)} are both for ${host} in the mesh`,
      ...(other.namespace === one.namespace
        ? {}
        : {
            severity: 'warning' as const,
            why: `Istio keeps an HTTPRoute of another namespace than its parent to the clients there, and no ${manifest.kind}: clients of ${one.namespace} and ${other.namespace} take the route of their own namespace, and those of every other the older, ${nameOf(other.config.manifest)}.`,
            fix: 'Write one route, in the namespace of the parent; for a way of its own give a namespace a VirtualService that is exported to it alone.',
          }),
    };
  }
}

/** Whether two routes take one connection: on a port, and for TLS by a name, that both have. */
function meet(one: VirtualService, other: VirtualService): boolean {
  const share = (section: 'tls' | 'tcp'): boolean =>
    one[section].some(({ matches }) => other[section].some((rule) => matchesMeet(matches, rule.matches)));
  return share('tls') || share('tcp');
}

function matchesMeet(some: readonly L4Match[], others: readonly L4Match[]): boolean {
  if (some.length === 0 || others.length === 0) return true;
  return some.some((one) =>
    others.some(
      (other) =>
        (one.port === 0 || other.port === 0 || one.port === other.port) &&
        (one.sniHosts.length === 0 || other.sniHosts.length === 0 || one.sniHosts.some((sni) => other.sniHosts.some((own) => overlaps(sni, own)))), // prettier-ignore
    ),
  );
}
