/** VirtualServices that leave others nothing of the requests for a host of a gateway, found once for the rules that tell of it. */
import { compareAge, config, push } from '../model/objects';
import type { Manifest } from '../model/manifest';
import type { VirtualService } from '../model/virtual-services';
import { overlapsAt } from '../traffic/overlaps';
import { type CheckContext, defineIndex } from './context';
import { haveCommonViewer, MESH, nameOf, virtualServices, type VirtualServiceView } from './edge';
import type { Hit } from './rule';

export interface OverlapHit extends Hit {
  readonly manifest: Manifest;
}

export const overlapsOnGateways = defineIndex('overlaps on gateways', (context): readonly OverlapHit[] => {
  const byHost = new Map<string, VirtualServiceView[]>();
  for (const service of context.index(virtualServices))
    for (const gateway of service.gateways)
      if (gateway !== MESH) for (const host of new Set(service.hosts)) push(byHost, `${gateway} ${host}`, service);
  const found: OverlapHit[] = [];
  for (const [key, views] of byHost) {
    if (views.length < 2) continue;
    const [gateway = '', host = ''] = key.split(' ');
    const known = new Map<VirtualService, VirtualServiceView>();
    for (const view of views) {
      const parsed = context.mesh.virtualServices
        .forHost(host)
        .find(({ config: { manifest } }) => manifest === view.manifest);
      if (parsed !== undefined) known.set(parsed, view);
    }
    const told = new Set<string>();
    // The younger are told of before the older: where nobody knows who is, names go for age.
    const services = [...known.keys()].sort((a, b) => compareAge(b, a));
    for (const { service, match, by } of overlapsAt(
      context.mesh,
      gateway,
      host,
      services,
      mayComeBefore(context, known),
    )) {
      const { manifest } = known.get(service) as VirtualServiceView;
      const others = by.map((one) => (known.get(one) as VirtualServiceView).manifest);
      const pair = [manifest, ...others].map(nameOf).sort().join();
      if (told.has(pair)) continue;
      told.add(pair);
      const isAgeKnown = [manifest, ...others].every((one) => config(one).created !== 0);
      const { rule } = match.ref;
      const [, section = '', index = ''] = /^(\w+)\[(\d+)\]$/.exec(rule) ?? [];
      // What a delegate brings in stands where the root names it.
      const isOwn = match.ref.namespace === manifest.namespace && match.ref.name === manifest.name;
      found.push({
        manifest,
        field: isOwn
          ? ['spec', section, Number(index), ...(match.at === undefined ? [] : ['match', match.at])]
          : ['spec', 'http'],
        what: `${nameOf(manifest)} and ${others.map(nameOf).join(' and ')} match the same requests for ${host} on gateway ${gateway}${isAgeKnown ? '' : ': which of them takes those hangs on which is made first'}`,
        beside: others,
      });
    }
  }
  return found;
});

/** Manifests that were never in a cluster have no age: there it may be the one or the other. */
function mayComeBefore(context: CheckContext, known: ReadonlyMap<VirtualService, VirtualServiceView>) {
  return (one: VirtualService, other: VirtualService): boolean => {
    const [first, second] = [known.get(one), known.get(other)];
    if (first === undefined || second === undefined || !haveCommonViewer(context, first, second)) return false;
    return one.created === 0 || other.created === 0 || compareAge(one, other) < 0;
  };
}
