import { NETWORKING, specOf } from '../istio';
import type { Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { isHeldTo } from '../destination-rules';
import { isVisible, serviceEntries } from '../edge';
import { clients } from '../paths/clients';
import { isSubsetOf } from '../../model/hostnames';
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
      const matching = external
        .flatMap(({ spec: { hosts = [] } }) => hosts)
        .filter((candidate) => isSubsetOf(candidate, host));
      const caught = matching.find((candidate) => isReached(context, candidate, manifest));
      const isWide = host.startsWith('*') && !/\.(local|internal)$/.test(host);
      if (caught === undefined && !isWide) continue;
      for (const { policy, field } of policiesOf(spec)) {
        if (policy.tls?.mode !== 'ISTIO_MUTUAL') continue;
        yield {
          manifest,
          field: [...field, 'tls', 'mode'],
          severity: caught === undefined ? (matching.length > 0 ? 'info' : 'warning') : 'error',
          what: `tls.mode is ISTIO_MUTUAL for ${host}${caught === undefined ? (matching.length > 0 ? `, and each host outside the mesh that it matches has a rule of its own: the next one needs that too` : ', which hosts outside the mesh match') : `, and ServiceEntries declare ${caught} outside the mesh`}`,
        };
      }
    }
  },
};

/** Whether a client gets its settings for a host of this rule. */
function isReached(context: CheckContext, host: string, manifest: Manifest): boolean {
  const entries = context.index(serviceEntries).filter(({ spec }) => spec.hosts?.includes(host));
  const seeing = context
    .index(clients)
    .filter(({ namespace }) => entries.some((entry) => isVisible(context, entry, namespace))); // prettier-ignore
  const own = entries.map((entry) => ({ namespace: entry.manifest.namespace, labels: {} }));
  return (seeing.length > 0 ? seeing : own).some((one) => isHeldTo(context, manifest, host, one));
}
