/** Secrets and ConfigMaps that are there once manifests are applied: those that are shown, and those that controllers make of what is shown. */
import { record, records, text, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { type CheckContext, defineIndex } from './context';

export type ValueKind = 'Secret' | 'ConfigMap';

/** Of a kind and a name: in which namespace, or in any that its maker chooses. */
interface Stored {
  readonly kind: ValueKind;
  readonly name: string;
  readonly namespace: string | undefined;
}

export interface StoredValues {
  /** Whether it is there; of an unknown namespace, whether it is anywhere. */
  has(kind: ValueKind, namespace: string | undefined, name: string): boolean;
  /** The namespaces that are known to have a Secret of the name, each once; nothing where its maker chooses them. */
  namespacesOf(name: string): readonly string[];
}

export const storedValues = defineIndex('stored values', (context): StoredValues => {
  const found = new Map<string, Set<string | undefined>>();
  for (const { kind, name, namespace } of all(context)) {
    const key = `${kind} ${name}`;
    const known = found.get(key);
    if (known) known.add(namespace);
    else found.set(key, new Set([namespace]));
  }
  const places = (kind: ValueKind, name: string): ReadonlySet<string | undefined> =>
    found.get(`${kind} ${name}`) ?? new Set();
  return {
    has: (kind, namespace, name) => {
      const own = places(kind, name);
      return namespace === undefined ? own.size > 0 : own.has(namespace) || own.has(undefined);
    },
    namespacesOf: (name) => {
      const own = [...places('Secret', name)];
      return own.filter((one) => one !== undefined).length === own.length ? own.flatMap((one) => one ?? []) : [];
    },
  };
});

function* all(context: CheckContext): Generator<Stored> {
  for (const manifest of context.manifests) {
    yield* ofOne(manifest);
    yield* copiesOf(manifest);
  }
  // Kubernetes and istiod keep these in every namespace.
  for (const name of ['kube-root-ca.crt', 'istio-ca-root-cert'])
    yield { kind: 'ConfigMap', name, namespace: undefined };
}

function* ofOne(manifest: Manifest): Generator<Stored> {
  const { group, kind, name, namespace, body } = manifest;
  const spec = record(record(body).spec);
  const secret = (written: unknown, where: unknown = undefined): Stored[] =>
    text(written) === '' ? [] : [{ kind: 'Secret', name: text(written), namespace: text(where) || namespace }];
  switch (`${kind}.${group}`) {
    case 'Secret.':
    case 'SealedSecret.bitnami.com':
    case 'OnePasswordItem.onepassword.com':
    case 'KafkaUser.kafka.strimzi.io':
      yield* secret(name);
      return;
    case 'ConfigMap.':
      yield { kind: 'ConfigMap', name, namespace };
      return;
    case 'Certificate.cert-manager.io':
      yield* secret(spec.secretName);
      return;
    case 'ExternalSecret.external-secrets.io':
      yield* secret(text(record(spec.target).name) || name);
      return;
    case 'ClusterExternalSecret.external-secrets.io': {
      const made = record(spec.externalSecretSpec);
      const own = text(record(made.target).name) || text(spec.externalSecretName) || name;
      yield { kind: 'Secret', name: own, namespace: undefined };
      return;
    }
    case 'DopplerSecret.secrets.doppler.com':
      yield* secret(record(spec.managedSecret).name, record(spec.managedSecret).namespace);
      return;
    case 'InfisicalSecret.secrets.infisical.com':
      for (const one of [record(spec.managedSecretReference), ...records(spec.managedKubeSecretReferences)])
        yield* secret(one.secretName, one.secretNamespace);
      return;
    case 'SopsSecret.isindir.github.com':
      for (const template of records(spec.secretTemplates)) yield* secret(template.name);
      return;
    case 'AzureKeyVaultSecret.spv.no':
      yield* secret(record(record(spec.output).secret).name);
      return;
    case 'SecretProviderClass.secrets-store.csi.x-k8s.io':
      for (const one of records(spec.secretObjects)) yield* secret(one.secretName);
      return;
    // trust-manager puts a Bundle into every namespace that its target chooses, by the Bundle's own name.
    case 'Bundle.trust.cert-manager.io': {
      const { configMap, secret: asSecret } = record(spec.target);
      if (Object.keys(record(configMap)).length > 0) yield { kind: 'ConfigMap', name, namespace: undefined };
      if (Object.keys(record(asSecret)).length > 0) yield { kind: 'Secret', name, namespace: undefined };
      return;
    }
  }
  // Vault's operator, whatever fetches the value: VaultStaticSecret, VaultDynamicSecret, VaultPKISecret, HCPVaultSecretsApp.
  if (group === 'secrets.hashicorp.com') yield* secret(record(spec.destination).name);
  // Crossplane's resources, of any group.
  const { name: connection, namespace: where } = record(spec.writeConnectionSecretToRef);
  yield* secret(connection, where);
  if (isIssuedByAnnotation(manifest))
    for (const one of certificatesOf(kind, spec)) yield* secret(one.name, one.namespace);
}

/** cert-manager's shim makes a Certificate for each Secret that an annotated Gateway or Ingress names. */
function isIssuedByAnnotation({ kind, group, body }: Manifest): boolean {
  if (!/^(Gateway|ListenerSet|XListenerSet|Ingress)$/.test(kind) || group.endsWith('istio.io')) return false;
  const annotations = record(record(record(body).metadata).annotations);
  return ['cert-manager.io/issuer', 'cert-manager.io/cluster-issuer', 'kubernetes.io/tls-acme'].some(
    (key) => key in annotations,
  );
}

function certificatesOf(kind: string, spec: Json): readonly Json[] {
  if (kind === 'Ingress') return records(spec.tls).map(({ secretName }): Json => ({ name: secretName }));
  return records(spec.listeners).flatMap(({ tls }) => records(record(tls).certificateRefs));
}

/** Reflector and kubernetes-replicator copy what is annotated so to namespaces of their choice. */
const COPIED = [
  'reflector.v1.k8s.emberstack.com/reflection-auto-enabled',
  'reflector.v1.k8s.emberstack.com/reflection-allowed',
  'replicator.v1.mittwald.de/replicate-to',
  'replicator.v1.mittwald.de/replicate-to-matching',
];

function* copiesOf(manifest: Manifest): Generator<Stored> {
  const { kind, name, body } = manifest;
  const of = (holder: Json): boolean => COPIED.some((key) => key in record(holder.annotations));
  const spec = record(record(body).spec);
  if ((kind === 'Secret' || kind === 'ConfigMap') && of(record(record(body).metadata)))
    yield { kind, name, namespace: undefined };
  // cert-manager hands the annotations of the template on to the Secret that it makes; so do other makers.
  const templates = [record(spec.secretTemplate), record(record(record(spec.target).template).metadata), record(record(spec.template).metadata)]; // prettier-ignore
  if (templates.some(of)) for (const made of ofOne(manifest)) yield { ...made, namespace: undefined };
}
