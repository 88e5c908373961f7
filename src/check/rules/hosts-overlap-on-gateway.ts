import { type VirtualServiceView, MESH, haveCommonViewer, nameOf, push, ruleMatches, virtualServices } from '../edge';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE209',
  name: 'hosts-overlap-on-gateway',
  severity: 'warning',
  title: 'Two VirtualServices on a gateway match the same requests of one host',
  why: 'Istio joins them in the order of their age: the rule of the older one takes the requests, and the other is never reached.',
  fix: 'Write the rules into one VirtualService, where their order can be seen.',
  see: 'https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services',
  reads: ['VirtualService'],
  footguns: ['V09', 'V20'],
  *check(context) {
    const byHost = new Map<string, VirtualServiceView[]>();
    for (const service of context.index(virtualServices)) {
      for (const gateway of service.gateways) {
        if (gateway !== MESH) for (const host of new Set(service.hosts)) push(byHost, `${gateway} ${host}`, service);
      }
    }
    for (const [key, services] of byHost) {
      const [gateway = '', host = ''] = key.split(' ');
      for (const [index, service] of services.entries()) {
        for (const other of services.slice(0, index)) {
          if (!haveCommonViewer(service, other)) continue;
          const clash = conflict(service, other, gateway);
          if (clash)
            yield {
              manifest: service.manifest,
              field: clash,
              what: `${nameOf(service.manifest)} and ${nameOf(other.manifest)} match the same requests for ${host} on gateway ${gateway}`,
            };
        }
      }
    }
  },
};

/** The field of the first rule that has the same match as a rule of the other, or that neither has a match. */
function conflict(
  service: VirtualServiceView,
  other: VirtualServiceView,
  gateway: string,
): (string | number)[] | undefined {
  const keysOf = (view: VirtualServiceView): Map<string, (string | number)[]> =>
    new Map(
      ruleMatches(view)
        .filter(({ gateways }) => gateways.includes(gateway))
        .map((rule) => {
          const match = rule.match === undefined ? {} : { ...view.spec[rule.kind]?.[rule.rule]?.match?.[rule.match] };
          return [
            `${rule.kind} ${JSON.stringify({ ...match, gateways: undefined, name: undefined })}`,
            [...rule.field],
          ];
        }),
    );
  const theirs = keysOf(other);
  for (const [key, field] of keysOf(service)) if (theirs.has(key)) return field;
  return undefined;
}
