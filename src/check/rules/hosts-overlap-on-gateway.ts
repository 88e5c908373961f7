import { overlapsOnGateways } from '../overlaps-on-gateways';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE209',
  name: 'hosts-overlap-on-gateway',
  severity: 'warning',
  title: 'Two VirtualServices on a gateway match the same requests of one host',
  why: 'Istio joins them in the order of their age: the rule of the older one takes the requests, and the other is never reached. In a cluster that is made anew, that may be the other one.',
  fix: 'Write the rules into one VirtualService, where their order can be seen.',
  see: 'https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services',
  reads: ['VirtualService'],
  footguns: ['V09', 'V20'],
  *check(context) {
    yield* context.index(overlapsOnGateways);
  },
};
