/** Reads a file of rules. All that is wrong with it is said at once, each with its line and key. */
import { isAddress, isCidr, prefixLength } from '../model/addresses';
import { type Document, LineCounter, type YAMLMap, isAlias, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';

export type TlsLevel = 'plain' | 'encrypted' | 'verified';

/** A client, as a rule names it. */
export type Who =
  | { readonly is: 'everyone' }
  | { readonly is: 'outside' }
  | { readonly is: 'namespace'; readonly namespace: string }
  | { readonly is: 'workload'; readonly namespace: string; readonly name: string }
  | { readonly is: 'account'; readonly namespace: string; readonly name: string }
  | {
      readonly is: 'labels';
      readonly namespace: string | undefined;
      readonly labels: Readonly<Record<string, string>>;
    };

export interface Where {
  readonly outside: boolean;
  readonly hosts: readonly string[] | undefined;
  readonly cidrs: readonly string[] | undefined;
  readonly ports: readonly number[] | undefined;
  readonly protocols: readonly string[] | undefined;
  readonly methods: readonly string[] | undefined;
  readonly paths: readonly string[] | undefined;
  /** Hosts where it is no matter that a request arrives. */
  readonly except: readonly string[];
}

export interface Rule {
  readonly name: string;
  readonly is: 'forbid' | 'require';
  readonly from: readonly Who[];
  readonly except: readonly Who[];
  readonly to: Where;
  readonly through: string | undefined;
  readonly tls: TlsLevel | undefined;
  readonly identity: string | undefined;
  readonly authenticated: boolean;
  /** Whether it passes where it is true of nobody. */
  readonly mayBeVacuous: boolean;
  readonly line: number;
}

export interface RuleProblem {
  readonly line: number;
  readonly key: string;
  readonly what: string;
}

const RULE_KEYS = ['name', 'forbid', 'require', 'vacuous'];
const FORBID_KEYS = ['from', 'to', 'except'];
const REQUIRE_KEYS = [...FORBID_KEYS, 'through', 'tls', 'identity', 'authenticated'];
const TO_KEYS = ['hosts', 'cidrs', 'ports', 'protocols', 'methods', 'paths', 'services', 'outside', 'except'];
const FROM_KEYS = ['only', 'except', 'namespace', 'workload', 'labels', 'serviceAccount'];
const CLIENT_KEYS = ['namespace', 'workload', 'labels', 'serviceAccount'];
const PROTOCOLS = ['http', 'https', 'tls', 'tcp'];

export function readRules(text: string): {
  readonly rules: readonly Rule[];
  readonly problems: readonly RuleProblem[];
} {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const problems: RuleProblem[] = document.errors.map((error) => ({
    line: lines.linePos(error.pos[0]).line,
    key: '',
    what: `it is no YAML: ${inWords(error.message)}`,
  }));
  if (problems.length > 0) return { rules: [], problems };
  const reader = new Reader(document, lines, problems);
  const root: unknown = document.contents;
  const list = isMap(root) ? reader.of(root, 'rules') : undefined;
  if (isMap(root)) reader.keys(root, ['rules'], '');
  if (!isSeq(list) || list.items.length === 0) {
    problems.push({ line: 1, key: 'rules', what: 'there are no rules: write rules: with a list of them' });
    return { rules: [], problems };
  }
  const rules = list.items.map((item, index) => reader.rule(item, `rules[${index}]`));
  const names = new Map<string, number>();
  for (const rule of rules) {
    if (rule === undefined) continue;
    if (names.has(rule.name))
      problems.push({
        line: rule.line,
        key: 'name',
        what: `"${rule.name}" is the name of the rule at line ${names.get(rule.name) ?? 0} already`,
      });
    else names.set(rule.name, rule.line);
  }
  return { rules: rules.filter((one) => one !== undefined), problems };
}

/** Where the parser gives up on nesting hangs on how deep it was called. */
function inWords(message: string): string {
  if (message.includes('call stack')) return 'it is nested too deeply';
  if (message.includes('Alias cannot be an empty string')) return 'an alias has no name: write "*" in quotes';
  return message.split('\n')[0] ?? '';
}

function isBlock(text: string): boolean {
  if (isAddress(text)) return true;
  return isCidr(text) && prefixLength(text) <= (text.includes(':') ? 128 : 32);
}

function isHost(text: string): boolean {
  return isAddress(text) || /^(\*\.)?[a-z0-9_]([-a-z0-9_.]*[a-z0-9_])?\.?$/i.test(text);
}

class Reader {
  public constructor(
    private readonly document: Document,
    private readonly lines: LineCounter,
    private readonly problems: RuleProblem[],
  ) {}

  /** What a key of a mapping has, or what it is an alias of. */
  public of(node: YAMLMap, key: string): unknown {
    return this.meant(node.get(key, true));
  }

  private meant(node: unknown): unknown {
    if (!isAlias(node)) return node;
    const found = node.resolve(this.document);
    if (found === undefined) this.wrong(node, `*${node.source}`, `nothing before it is marked &${node.source}`);
    return found ?? this.document.createNode('');
  }

  private items(node: unknown): readonly unknown[] | undefined {
    return isSeq(node) ? node.items.map((item) => this.meant(item)) : undefined;
  }

  public rule(given: unknown, at: string): Rule | undefined {
    const node = this.meant(given);
    if (!isMap(node)) return this.wrong(node, at, 'a rule is a mapping with a name, and forbid or require');
    this.keys(node, RULE_KEYS, at);
    const name = this.text(this.of(node, 'name'), `${at}.name`);
    if (name === '' || (name === undefined && !node.has('name'))) this.wrong(node, `${at}.name`, 'a rule needs a name');
    const kinds = ['forbid', 'require'].filter((kind) => node.has(kind));
    if (kinds.length !== 1)
      return this.wrong(
        node,
        at,
        kinds.length === 0 ? 'a rule needs forbid or require' : 'a rule has forbid or require, not both',
      );
    const is = kinds[0] === 'forbid' ? 'forbid' : 'require';
    const body = this.of(node, is);
    const key = `${at}.${is}`;
    if (!isMap(body)) return this.wrong(body ?? node, key, `${is} is a mapping with from and to`);
    this.keys(body, is === 'forbid' ? FORBID_KEYS : REQUIRE_KEYS, key);
    const from = this.from(this.of(body, 'from') ?? body, `${key}.from`, body);
    const except = [...from.except, ...this.clients(this.of(body, 'except'), `${key}.except`)];
    const to = this.to(this.of(body, 'to'), `${key}.to`);
    const tls = this.text(this.of(body, 'tls'), `${key}.tls`);
    const level = (['plain', 'encrypted', 'verified'] as const).find((one) => one === tls);
    if (tls !== undefined && level === undefined)
      this.wrong(this.of(body, 'tls'), `${key}.tls`, `"${tls}" is not plain, encrypted or verified`);
    const through = this.text(this.of(body, 'through'), `${key}.through`);
    if (through !== undefined && !/^[^/]+\/[^/]+$/.test(through))
      this.wrong(this.of(body, 'through'), `${key}.through`, `"${through}" is not NAMESPACE/GATEWAY`);
    const identity = this.text(this.of(body, 'identity'), `${key}.identity`);
    const authenticated = this.flag(this.of(body, 'authenticated'), `${key}.authenticated`);
    if (identity !== undefined && !/^(true|false|[^/\s]+\/[^/\s]+|spiffe:\/\/.+\/ns\/[^/]+\/sa\/[^/]+)$/.test(identity))
      this.wrong(this.of(body, 'identity'), `${key}.identity`, `"${identity}" is not true, NAMESPACE/SERVICEACCOUNT or a SPIFFE name`); // prettier-ignore
    const demands = [through, tls, identity === 'false' ? undefined : identity].some((one) => one !== undefined);
    if (is === 'require' && !demands && !authenticated)
      this.wrong(body, key, 'require needs through, tls, identity or authenticated: it demands nothing');
    const vacuous = this.text(this.of(node, 'vacuous'), `${at}.vacuous`);
    if (vacuous !== undefined && vacuous !== 'allowed')
      this.wrong(this.of(node, 'vacuous'), `${at}.vacuous`, 'write vacuous: allowed, or leave it out');
    return {
      name: name ?? at,
      is,
      from: from.only,
      except,
      to,
      through,
      tls: level,
      identity,
      authenticated,
      mayBeVacuous: vacuous === 'allowed',
      line: this.lineOf(node),
    };
  }

  public keys(node: unknown, known: readonly string[], prefix: string): void {
    if (!isMap(node)) return;
    for (const { key } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      if (!known.includes(name))
        this.wrong(
          key,
          prefix === '' ? name : `${prefix}.${name}`,
          `unknown key "${name}" (known: ${known.join(', ')})`,
        );
    }
  }

  private from(
    node: unknown,
    at: string,
    rule: YAMLMap,
  ): { readonly only: readonly Who[]; readonly except: readonly Who[] } {
    if (node === rule) {
      this.wrong(rule, at, 'from is missing: write "*" for every workload');
      return { only: [], except: [] };
    }
    const isEmpty = (list: unknown): boolean => isSeq(list) && list.items.length === 0;
    if (isEmpty(node)) this.wrong(node, at, 'the list is empty: write "*" for every workload');
    if (!isMap(node)) return { only: this.clients(node, at), except: [] };
    this.keys(node, FROM_KEYS, at);
    const isClient = CLIENT_KEYS.some((key) => node.has(key));
    if (isEmpty(this.of(node, 'only'))) this.wrong(node, `${at}.only`, 'the list is empty');
    if (isClient && node.has('only'))
      this.wrong(node, at, `write only, or one client by its ${CLIENT_KEYS.join(', ')}, not both`);
    const own = isClient ? this.client(node, at) : [];
    const only = node.has('only') ? this.clients(this.of(node, 'only'), `${at}.only`) : own;
    return {
      only: only.length > 0 || node.has('only') || isClient ? only : [{ is: 'everyone' }],
      except: this.clients(this.of(node, 'except'), `${at}.except`),
    };
  }

  private clients(node: unknown, at: string): readonly Who[] {
    if (node === undefined || node === null) return [];
    return this.items(node)?.flatMap((item, index) => this.client(item, `${at}[${index}]`)) ?? this.client(node, at);
  }

  private client(node: unknown, at: string): readonly Who[] {
    if (isMap(node)) {
      this.keys(node, CLIENT_KEYS, at);
      return this.clientByFields(node, at);
    }
    const written = this.text(node, at);
    if (written === undefined) return [];
    if (written === '*') return [{ is: 'everyone' }];
    if (written === 'outside') return [{ is: 'outside' }];
    const principal = /(?:^|\/)ns\/([^/]+)\/sa\/([^/]+)$/.exec(written);
    if (principal !== null) return [{ is: 'account', namespace: principal[1] ?? '', name: principal[2] ?? '' }];
    const slash = written.indexOf('/');
    const [namespace, rest] = slash < 0 ? [written, ''] : [written.slice(0, slash), written.slice(slash + 1)];
    if (namespace === '' || (slash >= 0 && rest === '') || rest.includes('/')) {
      this.wrong(node, at, `"${written}" is not NAMESPACE, NAMESPACE/WORKLOAD, outside or "*"`);
      return [];
    }
    if (rest === '') return [{ is: 'namespace', namespace }];
    if (!rest.includes('=')) return [{ is: 'workload', namespace, name: rest }];
    const pairs = rest.split(',').map((pair): readonly [string, string] => {
      const equals = pair.indexOf('=');
      if (equals < 1) this.wrong(node, at, `"${pair}" of "${written}" is not KEY=VALUE`);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    });
    const { serviceaccount, ...labels } = Object.fromEntries(pairs);
    if (serviceaccount === undefined) return [{ is: 'labels', namespace, labels }];
    if (Object.keys(labels).length > 0)
      return this.wrong(node, at, `"${written}" names labels and a service account: write one of them`) ?? [];
    return [{ is: 'account', namespace, name: serviceaccount }];
  }

  private clientByFields(node: YAMLMap, at: string): readonly Who[] {
    const namespace = this.text(this.of(node, 'namespace'), `${at}.namespace`);
    const account = this.text(this.of(node, 'serviceAccount'), `${at}.serviceAccount`);
    const workload = this.text(this.of(node, 'workload'), `${at}.workload`);
    const given = ['workload', 'labels', 'serviceAccount'].filter((key) => node.has(key));
    if (given.length > 1) return this.wrong(node, at, `write one of ${given.join(', ')}: a client is named in one way`) ?? []; // prettier-ignore
    if (account !== undefined) {
      const parts = account.includes('/') ? account.split('/') : [namespace, account];
      const [owner, name] = parts;
      if (owner === undefined || !name || parts.length > 2 || (namespace ?? owner) !== owner)
        return this.wrong(node, `${at}.serviceAccount`, 'write it as NAMESPACE/NAME') ?? [];
      return [{ is: 'account', namespace: owner, name }];
    }
    if (node.has('labels')) return this.clientByLabels(this.of(node, 'labels'), namespace, `${at}.labels`);
    if (namespace === undefined)
      return this.wrong(node, at, 'a client needs a namespace, labels or a serviceAccount') ?? [];
    return [workload === undefined ? { is: 'namespace', namespace } : { is: 'workload', namespace, name: workload }];
  }

  private clientByLabels(node: unknown, namespace: string | undefined, at: string): readonly Who[] {
    if (!isMap(node) || node.items.length === 0) return this.wrong(node, at, 'labels are a mapping of texts') ?? [];
    const labels = node.items.map(({ key, value }): readonly [string, string] => {
      const name = String(isScalar(key) ? key.value : '');
      return [name, this.text(this.meant(value), `${at}.${name}`) ?? ''];
    });
    return [{ is: 'labels', namespace, labels: Object.fromEntries(labels) }];
  }

  private to(node: unknown, at: string): Where {
    const none = {
      hosts: undefined,
      cidrs: undefined,
      ports: undefined,
      protocols: undefined,
      methods: undefined,
      paths: undefined,
      except: [],
    };
    if (isScalar(node) && (node.value === 'outside' || node.value === '*'))
      return { ...none, outside: node.value === 'outside' };
    if (!isMap(node)) {
      this.wrong(
        node,
        at,
        'to is "*", outside, or a mapping of hosts, services, cidrs, ports, protocols, methods, paths',
      );
      return { ...none, outside: false };
    }
    this.keys(node, TO_KEYS, at);
    const of = (key: string): readonly string[] | undefined => this.texts(this.of(node, key), `${at}.${key}`);
    const services = of('services');
    for (const one of services ?? [])
      if (!/^[^/]+\/[^/]+$/.test(one))
        this.wrong(this.of(node, 'services'), `${at}.services`, `"${one}" is not NAMESPACE/SERVICE`);
    const hosts = of('hosts');
    const except = of('except') ?? [];
    for (const host of [...(hosts ?? []), ...except])
      if (!isHost(host))
        this.wrong(
          this.of(node, except.includes(host) ? 'except' : 'hosts'),
          `${at}.${except.includes(host) ? 'except' : 'hosts'}`,
          `"${host}" is neither a host nor *.domain${/[:/]/.test(host) ? ', which have no scheme, port or path' : ''}`,
        );
    const paths = of('paths');
    for (const path of paths ?? [])
      if (!path.startsWith('/') || path.slice(0, -1).includes('*') || /[?#\s]/.test(path))
        this.wrong(this.of(node, 'paths'), `${at}.paths`, `"${path}" is neither a path nor a prefix that ends in *`);
    const cidrs = of('cidrs');
    for (const block of cidrs ?? [])
      if (!isBlock(block))
        this.wrong(
          this.of(node, 'cidrs'),
          `${at}.cidrs`,
          `"${block}" is neither an address nor a block of them (192.0.2.0/24)`,
        );
    const ports = of('ports')?.map(Number);
    for (const port of ports ?? [])
      if (!Number.isInteger(port) || port < 1 || port > 65535)
        this.wrong(this.of(node, 'ports'), `${at}.ports`, 'a port is a number from 1 to 65535');
    const protocols = of('protocols')?.map((one) => one.toLowerCase());
    for (const one of protocols ?? [])
      if (!PROTOCOLS.includes(one))
        this.wrong(this.of(node, 'protocols'), `${at}.protocols`, `"${one}" is none of ${PROTOCOLS.join(', ')}`);
    const all =
      hosts === undefined && services === undefined
        ? undefined
        : [...(hosts ?? []), ...(services ?? []).map((one) => `service:${one}`)];
    return {
      outside: this.flag(this.of(node, 'outside'), `${at}.outside`),
      hosts: all?.map((host) => host.toLowerCase()),
      cidrs,
      ports,
      protocols,
      methods: of('methods')?.map((one) => one.toUpperCase()),
      paths,
      except: except.map((host) => host.toLowerCase()),
    };
  }

  private text(node: unknown, at: string): string | undefined {
    if (node === undefined || node === null) return undefined;
    if (
      isScalar(node) &&
      (typeof node.value === 'string' || typeof node.value === 'number' || typeof node.value === 'boolean')
    )
      return String(node.value);
    return this.wrong(node, at, 'it is not a text');
  }

  private texts(node: unknown, at: string): readonly string[] | undefined {
    if (node === undefined || node === null) return undefined;
    const items = this.items(node) ?? [node];
    if (items.length === 0) this.wrong(node, at, 'the list is empty');
    return items.flatMap((item, index) => this.text(item, `${at}[${index}]`) ?? []);
  }

  private flag(node: unknown, at: string): boolean {
    const value = this.text(node, at);
    if (value !== undefined && value !== 'true' && value !== 'false')
      this.wrong(node, at, 'it is neither true nor false');
    return value === 'true';
  }

  private lineOf(node: unknown): number {
    return isNode(node) && node.range ? this.lines.linePos(node.range[0]).line : 1;
  }

  private wrong(node: unknown, key: string, what: string): undefined {
    this.problems.push({ line: this.lineOf(node), key, what });
    return undefined;
  }
}
