/** What objects tell clients apart by: namespaces they name, labels they select by, service accounts they trust. */
import { optionalRecord, record, records, strings, text, texts, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';

export interface ToldApart {
  /** Namespaces that some object names, or that hold an object which is for their own clients. */
  readonly namespaces: ReadonlySet<string>;
  /** Other namespaces that hold objects for everyone: they differ from the rest only as to the hosts of these. */
  readonly owners: ReadonlySet<string>;
  /** Values asked of a label, by its key; null if any value makes a difference. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string> | null>;
  /** Label sets that objects select clients by, with the namespace they do so in (null: any). */
  readonly selectors: readonly {
    readonly namespace: string | null;
    readonly labels: Readonly<Record<string, string>>;
  }[];
  /** `namespace/name` of service accounts, `*` for what a wildcard leaves open. */
  readonly serviceAccounts: ReadonlySet<string>;
  /** Whether namespaces are chosen by their labels. */
  readonly namespaceLabels: boolean;
}

const EXPORTING = new Set(['ServiceEntry', 'VirtualService', 'DestinationRule']);

export function toldApart(meshes: readonly Mesh[]): ToldApart {
  const namespaces = new Set<string>();
  const owners = new Set<string>();
  const labels = new Map<string, Set<string> | null>();
  const selectors: { namespace: string | null; labels: Readonly<Record<string, string>> }[] = [];
  const serviceAccounts = new Set<string>();
  const seen = new Set<string>();
  let namespaceLabels = false;

  const select = (namespace: string | null, wanted: unknown): void => {
    const own = strings(wanted);
    if (Object.keys(own).length === 0) return;
    const key = `${namespace ?? '*'} ${JSON.stringify(own)}`;
    if (seen.has(key)) return;
    seen.add(key);
    selectors.push({ namespace, labels: own });
    for (const [name, value] of Object.entries(own)) {
      const values = labels.get(name);
      if (values === undefined) labels.set(name, new Set([value]));
      else values?.add(value);
    }
  };
  const expressions = (selector: Json): void => {
    for (const expression of records(selector.matchExpressions)) labels.set(text(expression.key), null);
  };
  const name = (namespace: string): void => {
    if (namespace !== '' && !/[.*~]/.test(namespace)) namespaces.add(namespace);
  };

  const readAuthorization = (manifest: Manifest): void => {
    for (const rule of records(record(manifest.body.spec).rules)) {
      const conditions = records(rule.when);
      const valuesOf = (key: string): readonly string[] =>
        conditions.filter((one) => one.key === key).flatMap((one) => [...texts(one.values), ...texts(one.notValues)]);
      const sources = records(rule.from).map((from) => record(from.source));
      const all = (field: string, key: string): readonly string[] => [
        ...sources.flatMap((source) => [
          ...texts(source[field]),
          ...texts(source[`not${field[0]?.toUpperCase()}${field.slice(1)}`]),
        ]),
        ...valuesOf(key),
      ];
      all('namespaces', 'source.namespace').forEach(name);
      for (const account of all('serviceAccounts', 'source.serviceAccount')) {
        const [namespace, own] = account.includes('/') ? account.split('/') : [manifest.namespace, account];
        name(namespace ?? '');
        serviceAccounts.add(`${namespace ?? ''}/${own ?? ''}`);
      }
      for (const principal of all('principals', 'source.principal')) {
        const found = /(?:^|\/)ns\/([^/]+)\/sa\/([^/]+)$/.exec(principal);
        if (found === null) continue;
        name(found[1] ?? '');
        serviceAccounts.add(`${found[1] ?? ''}/${found[2] ?? ''}`);
      }
    }
  };

  const readNetworkPolicy = (manifest: Manifest): void => {
    name(manifest.namespace);
    const spec = record(manifest.body.spec);
    const own = record(spec.podSelector);
    select(manifest.namespace, own.matchLabels);
    expressions(own);
    for (const rule of [...records(spec.ingress), ...records(spec.egress)]) {
      for (const peer of [...records(rule.from), ...records(rule.to)]) {
        const pods = record(peer.podSelector);
        const other = optionalRecord(peer.namespaceSelector);
        expressions(pods);
        select(other === undefined ? manifest.namespace : null, pods.matchLabels);
        if (other === undefined) continue;
        const named = strings(other.matchLabels)['kubernetes.io/metadata.name'];
        if (named !== undefined) name(named);
        else namespaceLabels = true;
      }
    }
  };

  const readRoutes = (manifest: Manifest): void => {
    const spec = record(manifest.body.spec);
    for (const rule of [...records(spec.http), ...records(spec.tls), ...records(spec.tcp)]) {
      for (const match of records(rule.match)) {
        name(text(match.sourceNamespace));
        select(text(match.sourceNamespace) || null, match.sourceLabels);
      }
    }
  };

  for (const mesh of meshes) {
    for (const manifest of mesh.manifests) {
      if (EXPORTING.has(manifest.kind)) {
        const audience = texts(record(manifest.body.spec).exportTo);
        audience.forEach(name);
        if (isPublic(audience, manifest.kind, mesh)) owners.add(manifest.namespace);
        else if (manifest.namespace !== mesh.config.rootNamespace || audience.includes('.')) name(manifest.namespace);
      }
      switch (manifest.kind) {
        case 'VirtualService':
          readRoutes(manifest);
          break;
        case 'DestinationRule':
          select(manifest.namespace, record(record(manifest.body.spec).workloadSelector).matchLabels);
          break;
        case 'Sidecar':
          if (manifest.namespace !== mesh.config.rootNamespace) name(manifest.namespace);
          select(manifest.namespace, record(record(manifest.body.spec).workloadSelector).labels);
          break;
        case 'AuthorizationPolicy':
          readAuthorization(manifest);
          break;
        case 'NetworkPolicy':
          readNetworkPolicy(manifest);
          break;
      }
    }
  }
  for (const mesh of meshes) owners.delete(mesh.config.rootNamespace);
  return { namespaces, owners, labels, selectors, serviceAccounts, namespaceLabels };
}

function isPublic(exportTo: readonly string[], kind: string, { config }: Mesh): boolean {
  if (exportTo.length > 0) return exportTo.includes('*');
  const defaults = {
    VirtualService: config.defaultVirtualServiceExportTo,
    DestinationRule: config.defaultDestinationRuleExportTo,
  }[kind];
  return (defaults ?? config.defaultServiceExportTo).includes('*');
}
