import type { Manifest } from '../../model/manifest';
import { MESH, gatewaysByName, push, ruleMatches, selects, virtualServices } from '../edge';
import { toFqdn } from '../hosts';
import { NETWORKING, specOf } from '../istio';
import { type CheckContext, defineIndex } from '../context';
import type { Rule } from '../rule';
import { podTemplates } from '../workloads';
import { policiesOf } from './credential-without-selector';

export const rule: Rule = {
  id: 'EDGE309',
  name: 'credential-namespace',
  severity: 'error',
  title: 'A credential is not in the namespace of the pods that read it',
  why: 'A gateway reads its Secret from the namespace of its own pods, whatever the namespace of the object that names it. It waits for the Secret for ever, and the port does not work.',
  fix: "Put the Secret into the namespace of the gateway's pods.",
  see: 'https://istio.io/latest/docs/reference/config/networking/gateway/#ServerTLSSettings',
  reads: ['Gateway', 'DestinationRule'],
  footguns: ['T10', 'I01'],
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'Gateway')) {
      const { selector = {}, servers = [] } = specOf('Gateway', manifest);
      const namespaces = podNamespaces(context, selector);
      for (const [at, { tls }] of servers.entries()) {
        for (const name of [...(tls?.credentialName ? [tls.credentialName] : []), ...(tls?.credentialNames ?? [])]) {
          const wrong = misplaced(context, name, namespaces);
          if (wrong)
            yield {
              manifest,
              field: ['spec', 'servers', at, 'tls', tls?.credentialName ? 'credentialName' : 'credentialNames'],
              what: `Secret ${JSON.stringify(name)} is in ${wrong.join(', ')}, and the gateway's pods are in ${namespaces.join(', ')}`,
            };
        }
      }
    }
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const spec = specOf('DestinationRule', manifest);
      for (const { policy, field } of policiesOf(spec)) {
        const name = policy.tls?.credentialName;
        if (!name) continue;
        const readers = spec.workloadSelector ? [manifest.namespace] : gatewaysThatSend(context, manifest);
        const wrong = misplaced(context, name, readers);
        if (wrong)
          yield {
            manifest,
            field: [...field, 'tls', 'credentialName'],
            what: `Secret ${JSON.stringify(name)} is in ${wrong.join(', ')}, and the ${spec.workloadSelector ? 'workloads' : 'gateways'} that read it are in ${readers.join(', ')}`,
          };
      }
    }
  },
};

/** Namespaces of a Secret, if manifests show it, and not where it is read. */
function misplaced(context: CheckContext, name: string, namespaces: readonly string[]): string[] | undefined {
  if (namespaces.length === 0 || name.includes('://')) return undefined;
  const names = [name, `${name}-cacert`];
  const makers: Manifest[] = [...context.of('', 'Secret'), ...context.of('cert-manager.io', 'Certificate')];
  const found = makers.filter((manifest) => names.includes(secretName(manifest)));
  if (found.length === 0 || found.some(({ namespace }) => namespaces.includes(namespace))) return undefined;
  return [...new Set(found.map(({ namespace }) => namespace))];
}

function secretName(manifest: Manifest): string {
  if (manifest.kind === 'Secret') return manifest.name;
  const { spec } = manifest.body as { spec?: { secretName?: unknown } };
  return typeof spec?.secretName === 'string' ? spec.secretName : '';
}

/** Names of gateways, by each host that a route on them leads to. */
const gatewaysByDestination = defineIndex(
  'gateways by destination',
  (context): ReadonlyMap<string, readonly string[]> => {
    const found = new Map<string, string[]>();
    for (const service of context.index(virtualServices)) {
      for (const { kind, rule: at, gateways } of ruleMatches(service)) {
        for (const { destination } of service.spec[kind]?.[at]?.route ?? []) {
          const host = toFqdn(destination?.host ?? '', service.manifest.namespace);
          for (const name of gateways) if (name !== MESH) push(found, host, name);
        }
      }
    }
    return found;
  },
);

/** Namespaces of the gateways whose routes lead to the host of a DestinationRule. */
function gatewaysThatSend(context: CheckContext, manifest: Manifest): string[] {
  const host = toFqdn(specOf('DestinationRule', manifest).host ?? '', manifest.namespace);
  const gateways = context.index(gatewaysByDestination).get(host) ?? [];
  const byName = context.index(gatewaysByName);
  return [
    ...new Set([...new Set(gateways)].flatMap((name) => podNamespaces(context, byName.get(name)?.spec.selector ?? {}))),
  ];
}

function podNamespaces(context: CheckContext, selector: Readonly<Record<string, string>>): string[] {
  if (Object.keys(selector).length === 0) return [];
  return [
    ...new Set(
      context
        .index(podTemplates)
        .filter(({ labels }) => selects(selector, labels))
        .map(({ namespace }) => namespace),
    ),
  ];
}
