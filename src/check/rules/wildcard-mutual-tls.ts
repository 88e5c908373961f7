import { NETWORKING, specOf } from '../istio';
import { serviceEntries } from '../edge';
import { isSubsetOf } from '../hosts';
import type { Rule } from '../rule';
import { policiesOf } from '../credentials';

export const rule: Rule = {
  id: 'EDGE411',
  name: 'wildcard-mutual-tls',
  severity: 'error',
  title: "A DestinationRule asks hosts outside the mesh for the mesh's mutual TLS",
  why: "Servers outside know nothing of the mesh's certificates: the handshake fails, and every request with it.",
  fix: 'Name hosts of the mesh (*.local), or let Istio choose mutual TLS by itself.',
  see: 'https://istio.io/latest/docs/ops/configuration/traffic-management/tls-configuration/',
  reads: ['DestinationRule'],
  footguns: ['M01'],
  *check(context) {
    const external = context
      .index(serviceEntries)
      .filter(({ spec }) => (spec.location ?? 'MESH_EXTERNAL') === 'MESH_EXTERNAL');
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const spec = specOf('DestinationRule', manifest);
      if (![...policiesOf(spec)].some(({ policy }) => policy.tls?.mode === 'ISTIO_MUTUAL')) continue;
      const host = spec.host ?? '';
      const caught = external
        .flatMap(({ spec: { hosts = [] } }) => hosts)
        .find((candidate) => isSubsetOf(candidate, host));
      const isWide = host.startsWith('*') && !/\.(local|internal)$/.test(host);
      if (caught === undefined && !isWide) continue;
      for (const { policy, field } of policiesOf(spec)) {
        if (policy.tls?.mode !== 'ISTIO_MUTUAL') continue;
        yield {
          manifest,
          field: [...field, 'tls', 'mode'],
          severity: caught === undefined ? 'warning' : 'error',
          what: `tls.mode is ISTIO_MUTUAL for ${host}${caught === undefined ? ', which hosts outside the mesh match' : `, and ServiceEntries declare ${caught} outside the mesh`}`,
        };
      }
    }
  },
};
