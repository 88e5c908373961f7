/** Which backends of a rule Envoy Gateway spreads requests over, and under which names of clusters. */
import { isAddress } from '../model/addresses';
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import { optionalRecord, record, records, text } from '../model/fields';
import type { Candidate, Placed } from './envoy-gateway-candidates';
import { backendCluster } from './envoy-gateway-clusters';
import type { Proxies } from './envoy-gateway-stage';
import type { WeightedRoute } from './http-routes';

/** What the endpoints of a backend are: `invalid` for one that cannot be used, `none` where nothing runs. */
type Endpoints = 'addresses' | 'names' | 'none' | 'invalid';

export interface Shares {
  /** Those that get requests as long as they are healthy. */
  readonly backends: readonly WeightedRoute[];
  /** Whether each backend has a cluster of its own, which is named after its place in the rule. */
  readonly apart: boolean;
}

/**
 * One cluster has all backends of a rule, unless they are of several kinds (NeedsClusterPerSetting of internal/ir/xds.go). Within one cluster
 * those with `fallback` are of the second priority; with a cluster each they have their share like others.
 */
export function sharesOf(
  stage: Proxies,
  { clusters, own, place }: Candidate,
  traffic: EffectivePolicy | undefined,
): Shares {
  const found = clusters.flatMap((one) => endpointsOf(stage, one, place) ?? []);
  const refs = records(own.backendRefs);
  const { preferLocal } = record(record(traffic?.spec.loadBalancer).zoneAware);
  const isUsable = (one: Endpoints): boolean => one === 'addresses' || one === 'names';
  const apart =
    clusters.some(({ index }) => records(refs[index]?.filters).length > 0) ||
    optionalRecord(preferLocal) !== undefined ||
    found.some((one) => !isUsable(one)) ||
    new Set(found).size > 1;
  return { backends: apart ? clusters : ofFirstPriority(stage, clusters), apart };
}

/** Of the backends of one cluster those of the first priority; where there are none, all. */
export function ofFirstPriority(
  stage: Pick<Proxies, 'mesh'>,
  clusters: readonly WeightedRoute[],
): readonly WeightedRoute[] {
  const first = clusters.filter(({ destination: { host } }) => backendOf(stage, host)?.fallback !== true);
  return first.length === 0 ? clusters : first;
}

function backendOf({ mesh }: Pick<Proxies, 'mesh'>, host: string): ReturnType<typeof record> | undefined {
  const [, namespace = '', name = ''] = /^Backend ([^/]*)\/(.*)$/.exec(host) ?? [];
  const manifest = name === '' ? undefined : mesh.find('gateway.envoyproxy.io', 'Backend', namespace, name);
  return manifest && record(record(manifest.body).spec);
}

/** The name of the endpoint behind a backend, which its addresses have only if they are given one. */
export function endpointName(stage: Pick<Proxies, 'mesh'>, host: string): string | undefined {
  const [first] = records(backendOf(stage, host)?.endpoints);
  return text(first?.hostname) || text(record(first?.fqdn).hostname) || undefined;
}

function endpointsOf(proxies: Proxies, { destination }: WeightedRoute, place: Placed['place']): Endpoints | undefined {
  const { host } = destination;
  const upstream = backendCluster(proxies, { place, destination });
  if (upstream.is === 'missing') return upstream.lacks === 'cluster' ? 'invalid' : 'none';
  // Which endpoints a controller gives it no manifest tells.
  if (host.startsWith('ServiceImport ')) return undefined;
  if (upstream.is === 'open') return host.startsWith('Backend ') ? 'names' : 'addresses';
  const { endpoints, byService, pods, resolves } = upstream;
  if (byService || resolves !== undefined) return byService ? 'addresses' : 'names';
  const isName = ({ address }: { readonly address: string }): boolean => !isAddress(address);
  return (pods === undefined ? endpoints.every(isName) : endpoints.some(isName)) ? 'names' : 'addresses';
}
