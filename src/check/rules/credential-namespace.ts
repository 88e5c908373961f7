import type { Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { namedCredentials } from '../credentials';
import type { Rule } from '../rule';

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
    for (const { manifest, field, name, namespaces, readers } of namedCredentials(context)) {
      const wrong = misplaced(context, name, namespaces);
      if (!wrong) continue;
      const who =
        manifest.kind === 'Gateway'
          ? "the gateway's pods"
          : `the ${readers === 'workloads' ? 'workloads' : 'gateways'} that read it`;
      yield {
        manifest,
        field,
        what: `Secret ${JSON.stringify(name)} is in ${wrong.join(', ')}, and ${who} are in ${namespaces.join(', ')}`,
      };
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
