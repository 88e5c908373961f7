import { unwritten } from '../../model/envoy-gateway-unwritten';
import { notWrittenText } from '../../trace/words/policies';
import { envoyGateways } from '../envoy-gateway';
import { ENVOY_GATEWAY } from '../gateway-api';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE853',
  name: 'configuration-not-written',
  severity: 'error',
  title: 'A SecurityPolicy keeps Envoy Gateway from writing anything for its proxies',
  why: 'A SecurityPolicy for a Gateway is for its TLSRoutes and TCPRoutes too, of whose connections clientCIDRs are all that Envoy Gateway can ask. Of a rule without any it makes a matcher that it then refuses itself, and writes nothing for these proxies: neither this policy nor any later change of route or policy takes effect, no status says so, and new proxies have nothing.',
  fix: 'Let the policy be for the routes of HTTP, or for a listener of theirs (sectionName), and give the others a policy whose rules all name clientCIDRs.',
  see: 'https://gateway.envoyproxy.io/docs/tasks/security/restrict-ip-access/',
  reads: ['SecurityPolicy'],
  footguns: ['Y24'],
  *check(context) {
    const told = new Set<string>();
    for (const { gateway } of context.index(envoyGateways)) {
      const found = unwritten(gateway, context.mesh);
      if (found === undefined) continue;
      const { kind, namespace, name } = found.policy;
      const manifest = context.find(ENVOY_GATEWAY, kind, namespace, name);
      const key = `${namespace}/${name} ${found.rule}`;
      if (manifest === undefined || told.has(key)) continue;
      told.add(key);
      yield { manifest, field: ['spec', 'authorization', 'rules', found.rule], what: notWrittenText(found) };
    }
  },
};
