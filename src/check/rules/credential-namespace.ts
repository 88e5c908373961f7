import type { CheckContext } from '../context';
import { namedCredentials } from '../credentials';
import type { Rule } from '../rule';
import { storedValues } from '../stored-values';

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
function misplaced(context: CheckContext, name: string, namespaces: readonly string[]): readonly string[] | undefined {
  if (namespaces.length === 0 || name.includes('://')) return undefined;
  const stored = context.index(storedValues);
  const names = [name, `${name}-cacert`];
  if (names.some((one) => namespaces.some((namespace) => stored.has('Secret', namespace, one)))) return undefined;
  const found = [...new Set(names.flatMap((one) => stored.namespacesOf(one)))];
  return found.length === 0 ? undefined : found;
}
