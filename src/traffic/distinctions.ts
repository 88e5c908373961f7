/**
 * What tells clients of a mesh apart: the namespaces that objects name, the labels that they select by, the service accounts that
 * they trust. Every field of every kind that selects clients is read here, and nowhere else.
 */
import { canonical } from '../model/canonical';
import { record, records, strings, text, texts, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';
import { NETWORK_LABEL } from '../model/networks';
import { push, visibility } from '../model/objects';
import { accountNamed, accountPattern, isExpression, namespacePattern, principalPattern } from '../trace/authorization-matchers'; // prettier-ignore
import { evaluate, type Matcher } from '../trace/matcher';

type Labels = Readonly<Record<string, string>>;

/** Labels that an object selects clients by, and the namespaces where it does so. */
export interface Selection {
  readonly labels: Labels;
  /** `all`: in every namespace. */
  readonly namespaces: ReadonlySet<string> | 'all';
  /** Namespaces of the objects that do, and their kinds. */
  readonly owners: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

/** A selector that asks for the lack of labels or of values, and labels with which it selects a Pod that has no others. */
export interface Lacking {
  readonly selector: Json;
  readonly labels: Labels;
  readonly namespaces: Selection['namespaces'];
}

export interface Distinctions {
  /** Namespaces that some object names, or that hold an object which is for their own clients. */
  readonly namespaces: ReadonlySet<string>;
  /** Other namespaces that hold objects for everyone: they differ from the rest only as to the hosts of these. */
  readonly owners: ReadonlySet<string>;
  /** `prefix*` and `*suffix`, by which policies trust whole families of namespaces. */
  readonly namespacePatterns: ReadonlySet<string>;
  /** Values asked of a label, by its key; null if any value makes a difference. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string> | null>;
  readonly selections: readonly Selection[];
  readonly lacking: readonly Lacking[];
  /** Selectors of Pods by the namespace where they select, `*` for every one. */
  readonly selectors: ReadonlyMap<string, readonly Json[]>;
  /** Service accounts that policies name, with the namespace (`*`: of every one); a name may be `prefix*` or `*suffix`. */
  readonly accounts: readonly { readonly namespace: string; readonly name: string }[];
  /** Namespaces that policies name as those of callers, whoever these are there. */
  readonly admitted: ReadonlySet<string>;
  /** Blocks of addresses that policies ask of their callers. */
  readonly blocks: ReadonlySet<string>;
  /** Whether namespaces are chosen by their labels. */
  readonly namespaceLabels: boolean;
}

const EXPORTING = new Set(['ServiceEntry', 'VirtualService', 'DestinationRule']);
/** Kinds that select the Pods of their own namespace, or of all if they are in the root namespace, and where their labels are. */
const OF_PROXIES: Readonly<Record<string, (spec: Json) => unknown>> = {
  EnvoyFilter: (spec) => record(spec.workloadSelector).labels,
  WasmPlugin: (spec) => record(spec.selector).matchLabels,
  TrafficExtension: (spec) => record(spec.selector).matchLabels,
  Telemetry: (spec) => record(spec.selector).matchLabels,
  ProxyConfig: (spec) => record(spec.selector).matchLabels,
};

export function distinctions(meshes: readonly Mesh[]): Distinctions {
  const found = new Reader();
  for (const mesh of meshes) for (const manifest of mesh.manifests) found.read(manifest, mesh);
  for (const mesh of meshes) found.owners.delete(mesh.config.rootNamespace);
  if (meshes.some(({ endpoints }) => endpoints.networks.areSeveral)) found.labels.set(NETWORK_LABEL, null);
  const { namespaces, owners, namespacePatterns, labels, admitted, blocks, namespaceLabels } = found;
  return {
    namespaces,
    owners,
    namespacePatterns,
    labels,
    admitted,
    blocks,
    namespaceLabels,
    selections: [...found.selected.values()],
    lacking: found.lacking,
    selectors: found.selectors,
    accounts: [...found.trusted.values()],
  };
}

class Reader {
  public readonly namespaces = new Set<string>();
  public readonly owners = new Set<string>();
  public readonly namespacePatterns = new Set<string>();
  public readonly labels = new Map<string, Set<string> | null>();
  public readonly selected = new Map<string, Selection>();
  public readonly lacking: Lacking[] = [];
  public readonly selectors = new Map<string, Json[]>();
  private readonly known = new Set<string>();
  public readonly trusted = new Map<string, { namespace: string; name: string }>();
  public readonly admitted = new Set<string>();
  public readonly blocks = new Set<string>();
  public namespaceLabels = false;

  /** Namespace and kind of the object that is read. */
  private owner = '';
  private kind = '';

  public read(manifest: Manifest, mesh: Mesh): void {
    this.owner = manifest.namespace;
    this.kind = manifest.kind;
    const spec = record(record(manifest.body).spec);
    const isRoot = manifest.namespace === mesh.config.rootNamespace;
    const own = new Set([manifest.namespace]);
    if (EXPORTING.has(manifest.kind)) this.readAudience(manifest, mesh, isRoot);
    switch (manifest.kind) {
      case 'VirtualService':
        return this.readRoutes(spec, audienceOf(manifest, mesh));
      case 'DestinationRule':
        return this.select(own, record(spec.workloadSelector));
      case 'Sidecar':
        if (!isRoot) this.name(manifest.namespace);
        return this.select(own, { matchLabels: record(spec.workloadSelector).labels });
      case 'AuthorizationPolicy':
        return this.readAuthorization(spec, manifest, mesh);
      case 'NetworkPolicy':
        return this.readNetworkPolicy(spec, manifest);
      default: {
        const labelsOf = Object.hasOwn(OF_PROXIES, manifest.kind) ? OF_PROXIES[manifest.kind] : undefined;
        if (labelsOf !== undefined) this.select(isRoot ? 'all' : own, { matchLabels: labelsOf(spec) });
      }
    }
  }

  private readAudience(manifest: Manifest, mesh: Mesh, isRoot: boolean): void {
    const audience = texts(record(manifest.body.spec).exportTo);
    audience.forEach((one) => this.name(one));
    if (visibilityOf(manifest, mesh) === 'public') this.owners.add(manifest.namespace);
    else if (!isRoot || audience.includes('.')) this.name(manifest.namespace);
  }

  /** `sourceLabels` select wherever the route is seen; `sourceNamespace` beside them says where. */
  private readRoutes(spec: Json, audience: Selection['namespaces']): void {
    for (const rule of [...records(spec.http), ...records(spec.tls), ...records(spec.tcp)]) {
      for (const match of records(rule.match)) {
        const namespace = text(match.sourceNamespace);
        this.name(namespace);
        this.select(namespace === '' ? audience : new Set([namespace]), { matchLabels: match.sourceLabels });
      }
    }
  }

  private readAuthorization(spec: Json, manifest: Manifest, mesh: Mesh): void {
    for (const rule of records(spec.rules)) {
      // Clients of its own namespace may dial its Services by their names alone, and so have a Host of their own.
      if (records(rule.to).some(({ operation }) => asksForShortHost(record(operation)))) this.name(manifest.namespace);
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
      for (const namespace of all('namespaces', 'source.namespace')) this.admit(namespace);
      for (const account of all('serviceAccounts', 'source.serviceAccount'))
        this.readAccount(accountNamed(account, manifest.namespace));
      for (const principal of all('principals', 'source.principal')) this.readPrincipal(principal);
      for (const block of [...all('ipBlocks', 'source.ip'), ...all('remoteIpBlocks', 'remote.ip')])
        this.blocks.add(block);
      const { istio } = mesh.config;
      this.readExpressions('serviceAccounts', all('serviceAccounts', 'source.serviceAccount'), (value) => accountPattern(value, manifest.namespace, istio), (value) => this.readAccount(accountNamed(value, manifest.namespace)), mesh); // prettier-ignore
      this.readExpressions('namespaces', all('namespaces', 'source.namespace'), (value) => namespacePattern(value, istio), (value) => this.nameOrPattern(value), mesh); // prettier-ignore
      this.readExpressions('principals', all('principals', 'source.principal'), (value) => principalPattern(value, istio), (value) => this.readPrincipal(value), mesh); // prettier-ignore
    }
  }

  /** Those that proxies take for what a value names, although it does not name them: who is shown, and one whom only an expression takes in. */
  private readExpressions(
    name: Parameters<typeof isExpression>[0],
    values: readonly string[],
    patternOf: (value: string) => Matcher,
    readName: (value: string) => void,
    { config, workloads }: Mesh,
  ): void {
    for (const value of values) {
      if (!isExpression(name, value, config.istio)) continue;
      const other = value.replaceAll('.', '-');
      // Within a principal a star repeats what is before it, and once will do.
      readName(name === 'principals' ? `*${other.replaceAll('*', '')}` : other);
      const pattern = patternOf(value);
      for (const { namespace, serviceAccount } of workloads.all) {
        if (!evaluate(pattern, `${config.trustDomain}/ns/${namespace}/sa/${serviceAccount}`)) continue;
        this.name(namespace);
        this.trust(namespace, serviceAccount);
      }
    }
  }

  private readAccount({ namespace, name }: ReturnType<typeof accountNamed>): void {
    this.name(namespace);
    this.trust(namespace, name);
  }

  /** `TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT`, of which a `*` may stand for the beginning or the end. */
  private readPrincipal(principal: string): void {
    const whole = /(?:^|\/)ns\/([^/]+)\/sa\/([^/]+)$/.exec(principal);
    if (whole !== null) {
      this.nameOrPattern(whole[1] ?? '');
      this.trust(whole[1] ?? '', whole[2] ?? '');
      return;
    }
    if (principal.endsWith('*')) {
      const inside = /(?:^|\/)ns\/([^/]*)(\/?)/.exec(principal);
      // `.../ns/shop/*` is about a namespace, `.../ns/shop*` about those whose names begin so.
      if (inside !== null) this.admit(inside[1] ?? '');
      return;
    }
    if (!principal.startsWith('*')) return;
    const account = principal.slice(principal.lastIndexOf('/') + 1);
    const beyond = /^\*([^/]*)\/sa\//.exec(principal);
    if (beyond?.[1]) this.namespacePatterns.add(`*${beyond[1]}`);
    if (account !== '*') this.trust('*', account);
  }

  private readNetworkPolicy(spec: Json, manifest: Manifest): void {
    const own = new Set([manifest.namespace]);
    this.name(manifest.namespace);
    this.select(own, record(spec.podSelector));
    for (const { from } of records(spec.ingress))
      for (const { ipBlock, namespaceSelector } of records(from)) {
        const named = strings(record(namespaceSelector).matchLabels)['kubernetes.io/metadata.name'];
        if (named !== undefined) this.admitted.add(named);
        const { cidr, except } = record(ipBlock);
        for (const block of [text(cidr), ...texts(except)]) if (block !== '') this.blocks.add(block);
      }
    for (const rule of [...records(spec.ingress), ...records(spec.egress)]) {
      for (const peer of [...records(rule.from), ...records(rule.to)]) {
        const other = peer.namespaceSelector;
        this.select(other === undefined ? own : 'all', record(peer.podSelector));
        if (other === undefined) continue;
        const named = strings(record(other).matchLabels)['kubernetes.io/metadata.name'];
        if (named === undefined) this.namespaceLabels = true;
        else this.name(named);
      }
    }
  }

  private name(namespace: string): void {
    if (namespace !== '' && !/^[.*~]$/.test(namespace)) this.namespaces.add(namespace);
  }

  /** Of a pattern, those that fit it are told apart by it alone. */
  private admit(namespace: string): void {
    this.nameOrPattern(namespace);
    if (!/^\*|\*$/.test(namespace) && namespace !== '') this.admitted.add(namespace);
  }

  private nameOrPattern(namespace: string): void {
    if (namespace === '*' || namespace === '') return;
    if (/^\*|\*$/.test(namespace)) this.namespacePatterns.add(namespace);
    else this.name(namespace);
  }

  private trust(namespace: string, name: string): void {
    if (name !== '' && name !== '*') this.trusted.set(`${namespace}/${name}`, { namespace, name });
  }

  private keep(namespaces: Selection['namespaces'], { matchLabels, matchExpressions }: Json): void {
    if (Object.keys(record(matchLabels)).length + records(matchExpressions).length === 0) return;
    const selector = { matchLabels, matchExpressions };
    for (const namespace of namespaces === 'all' ? ['*'] : namespaces) {
      const key = `${namespace} ${canonical(selector)}`;
      if (this.known.has(key)) continue;
      this.known.add(key);
      push(this.selectors, namespace, selector);
    }
  }

  private select(namespaces: Selection['namespaces'], selector: Json): void {
    const wanted = strings(selector.matchLabels);
    this.keep(namespaces, selector);
    for (const { key } of records(selector.matchExpressions)) this.labels.set(text(key), null);
    for (const [name, value] of Object.entries(wanted)) {
      const values = this.labels.get(name);
      if (values === undefined) this.labels.set(name, new Set([value]));
      else values?.add(value);
    }
    const expressions = records(selector.matchExpressions);
    const [asked, refused] = [expressions.filter((one) => !asksForLack(one)), expressions.filter(asksForLack)];
    if (refused.length > 0)
      for (const labels of chosenBy(wanted, asked)) this.lacking.push({ selector, labels, namespaces });
    for (const labels of chosenBy(wanted, expressions)) {
      if (Object.keys(labels).length === 0) continue;
      const key = JSON.stringify(Object.entries(labels).sort());
      const known = this.selected.get(key);
      const before = known?.namespaces ?? new Set<string>();
      const both = before === 'all' || namespaces === 'all' ? 'all' : new Set([...before, ...namespaces]);
      const owners = new Set([...(known?.owners ?? []), this.owner]);
      const kinds = new Set([...(known?.kinds ?? []), this.kind]);
      this.selected.set(key, { labels, namespaces: both, owners, kinds });
    }
  }
}

/** Whether conditions on the Host tell a name without a dot from longer ones. */
function asksForShortHost({ hosts, notHosts }: Json): boolean {
  return [...texts(hosts), ...texts(notHosts)].some((host) => !host.includes('.') && !host.endsWith('*'));
}

const asksForLack = ({ operator }: Json): boolean => operator === 'NotIn' || operator === 'DoesNotExist';

const ANY_VALUE = 'any';

/** Label sets that a selector tells from others: each value of an `In` or `NotIn`, and any value where it asks whether there is one. */
function chosenBy(wanted: Labels, expressions: readonly Json[]): readonly Labels[] {
  let found: readonly Labels[] = [wanted];
  for (const expression of expressions) {
    const key = text(expression.key);
    const values = texts(expression.values);
    found = found.flatMap((labels) =>
      (values.length === 0 ? [ANY_VALUE] : values).map((value) => ({ ...labels, [key]: value })),
    );
  }
  return found;
}

function visibilityOf(manifest: Manifest, { config }: Mesh): ReturnType<typeof visibility> {
  const defaults = {
    VirtualService: config.defaultVirtualServiceExportTo,
    DestinationRule: config.defaultDestinationRuleExportTo,
  }[manifest.kind];
  const { exportTo } = record(manifest.body.spec);
  return visibility(texts(exportTo), defaults ?? config.defaultServiceExportTo, manifest.namespace);
}

/** The namespaces whose clients see a route; of a delegate, which has no hosts, those of whoever takes it in. */
function audienceOf(manifest: Manifest, mesh: Mesh): Selection['namespaces'] {
  const seenBy = visibilityOf(manifest, mesh);
  if (seenBy === 'public' || texts(record(manifest.body.spec).hosts).length === 0) return 'all';
  if (seenBy === 'none') return new Set();
  return new Set(seenBy === 'private' ? [manifest.namespace] : seenBy);
}
