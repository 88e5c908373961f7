import { record, text } from '../../model/fields';
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
  const makers = MAKERS.flatMap(([group, kind]) => context.of(group, kind));
  const found = makers.filter((manifest) => names.includes(secretName(manifest)));
  if (found.length === 0 || found.some(({ namespace }) => namespaces.includes(namespace))) return undefined;
  return [...new Set(found.map(({ namespace }) => namespace))];
}

/** What makes Secrets: operators that fetch, issue or unseal what a repository does not hold. */
const MAKERS = [
  ['', 'Secret'],
  ['cert-manager.io', 'Certificate'],
  ['external-secrets.io', 'ExternalSecret'],
  ['bitnami.com', 'SealedSecret'],
  ['secrets.hashicorp.com', 'VaultStaticSecret'],
  ['secrets.hashicorp.com', 'VaultPKISecret'],
] as const;

/** The name of the Secret that an object is, or makes in its own namespace. */
function secretName({ kind, name, body }: Manifest): string {
  const spec = record(record(body).spec);
  if (kind === 'Certificate') return text(spec.secretName);
  if (kind === 'ExternalSecret') return text(record(spec.target).name) || name;
  return kind.startsWith('Vault') ? text(record(spec.destination).name) : name;
}
