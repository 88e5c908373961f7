import { unmergedWords } from '../../trace/words/delegates';
import { asSentence } from '../../trace/words/words';
import { NETWORKING } from '../istio';
import { parseField } from '../paths/decided';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE324',
  name: 'delegate-not-merged',
  severity: 'error',
  title: 'A rule hands requests over to a delegate that istiod does not put there',
  why: 'istiod leaves out a rule whose delegate is not there, has hosts, is not exported to its namespace, or asks for more than the rule hands over. What the rule is for gets 404, or the answer of a later rule.',
  fix: 'Name a delegate that is there, without hosts and exported to the namespace of the root, with matches that are within those of the root.',
  see: 'https://istio.io/latest/docs/reference/config/networking/virtual-service/#Delegate',
  reads: ['VirtualService'],
  footguns: ['V21'],
  *check(context) {
    const { virtualServices, workloads, namespaces } = context.mesh;
    for (const root of virtualServices.all) {
      for (const lost of root.unmerged ?? []) {
        const { delegate, rule, why, leaf } = lost;
        const { what, fix } = unmergedWords(lost);
        // Whoever has no object of a namespace may have its delegates elsewhere.
        const isElsewhere =
          why === 'missing' &&
          delegate.namespace !== root.namespace &&
          !namespaces.has(delegate.namespace) &&
          workloads.inNamespace(delegate.namespace).length === 0 &&
          !context.of(NETWORKING, 'VirtualService').some(({ namespace }) => namespace === delegate.namespace);
        const isPart =
          why === 'not within' &&
          root.http.some(({ ref }) => ref.namespace === delegate.namespace && ref.name === delegate.name);
        const own = context.find(NETWORKING, 'VirtualService', delegate.namespace, delegate.name);
        const inOwn = { missing: '', 'has hosts': 'spec.hosts', 'not exported': 'spec.exportTo', 'not within': `spec.${leaf?.rule}.match` }[why]; // prettier-ignore
        yield {
          manifest: (inOwn === '' ? undefined : own) ?? root.config.manifest,
          field: parseField(inOwn === '' ? `spec.${rule.rule}.delegate` : inOwn),
          what,
          fix: asSentence(fix),
          ...(isElsewhere || isPart ? { severity: 'warning' as const } : {}),
          onTheWay: [],
        };
      }
    }
  },
};
