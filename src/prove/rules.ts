/** Reads a file of rules. All that is wrong with it is said at once, each with its line and key. */
import { isAddress, isCidr, prefixLength } from '../model/addresses';
import { LineCounter, type Node, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';

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
  const reader = new Reader(lines, problems);
  const root: unknown = document.contents;
  const list = isMap(root) ? root.get('rules', true) : undefined;
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
  return message.includes('call stack') ? 'it is nested too deeply' : (message.split('\n')[0] ?? '');
}

function isBlock(text: string): boolean {
  if (isAddress(text)) return true;
  return isCidr(text) && prefixLength(text) <= (text.includes(':') ? 128 : 32);
}

class Reader {
  public constructor(
    private readonly lines: LineCounter,
    private readonly problems: RuleProblem[],
  ) {}

  public rule(node: unknown, at: string): Rule | undefined {
    if (!isMap(node)) return this.wrong(node, at, 'a rule is a mapping with a name, and forbid or require');
    this.keys(node, RULE_KEYS, at);
    const name = this.text(node.get('name', true), `${at}.name`);
    if (name === undefined && !node.has('name')) this.wrong(node, `${at}.name`, 'a rule needs a name');
    const kinds = ['forbid', 'require'].filter((kind) => node.has(kind));
    if (kinds.length !== 1)
      return this.wrong(
        node,
        at,
        kinds.length === 0 ? 'a rule needs forbid or require' : 'a rule has forbid or require, not both',
      );
    const is = kinds[0] === 'forbid' ? 'forbid' : 'require';
    const body = node.get(is, true);
    const key = `${at}.${is}`;
    if (!isMap(body)) return this.wrong(body ?? node, key, `${is} is a mapping with from and to`);
    this.keys(body, is === 'forbid' ? FORBID_KEYS : REQUIRE_KEYS, key);
    const from = this.from(body.get('from', true), `${key}.from`);
    const except = [...from.except, ...this.clients(body.get('except', true), `${key}.except`)];
    const to = this.to(body.get('to', true), `${key}.to`);
    const tls = this.text(body.get('tls', true), `${key}.tls`);
    const level = (['plain', 'encrypted', 'verified'] as const).find((one) => one === tls);
    if (tls !== undefined && level === undefined)
      this.wrong(body.get('tls', true), `${key}.tls`, `"${tls}" is not plain, encrypted or verified`);
    const through = this.text(body.get('through', true), `${key}.through`);
    if (through !== undefined && !/^[^/]+\/[^/]+$/.test(through))
      this.wrong(body.get('through', true), `${key}.through`, `"${through}" is not NAMESPACE/GATEWAY`);
    const identity = this.text(body.get('identity', true), `${key}.identity`);
    const authenticated = this.flag(body.get('authenticated', true), `${key}.authenticated`);
    if (is === 'require' && through === undefined && tls === undefined && identity === undefined && !authenticated)
      this.wrong(body, key, 'require needs through, tls, identity or authenticated: it demands nothing');
    const vacuous = this.text(node.get('vacuous', true), `${at}.vacuous`);
    if (vacuous !== undefined && vacuous !== 'allowed')
      this.wrong(node.get('vacuous', true), `${at}.vacuous`, 'write vacuous: allowed, or leave it out');
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

  private from(node: unknown, at: string): { readonly only: readonly Who[]; readonly except: readonly Who[] } {
    if (node === undefined || node === null) {
      this.problems.push({ line: 1, key: at, what: 'from is missing: write "*" for every workload' });
      return { only: [], except: [] };
    }
    if (!isMap(node)) return { only: this.clients(node, at), except: [] };
    this.keys(node, FROM_KEYS, at);
    const isClient = ['namespace', 'workload', 'labels', 'serviceAccount'].some((key) => node.has(key));
    const own = isClient ? this.client(node, at) : [];
    const only = node.has('only') ? this.clients(node.get('only', true), `${at}.only`) : own;
    return {
      only: only.length > 0 || node.has('only') || isClient ? only : [{ is: 'everyone' }],
      except: this.clients(node.get('except', true), `${at}.except`),
    };
  }

  private clients(node: unknown, at: string): readonly Who[] {
    if (node === undefined || node === null) return [];
    if (isSeq(node)) return node.items.flatMap((item, index) => this.client(item, `${at}[${index}]`));
    return this.client(node, at);
  }

  private client(node: unknown, at: string): readonly Who[] {
    if (isMap(node)) return this.clientByFields(node, at);
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
    const labels = Object.fromEntries(
      rest.split(',').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
    const { serviceaccount, ...others } = labels;
    if (serviceaccount !== undefined && Object.keys(others).length === 0)
      return [{ is: 'account', namespace, name: serviceaccount }];
    return [{ is: 'labels', namespace, labels: others }];
  }

  private clientByFields(node: Node, at: string): readonly Who[] {
    if (!isMap(node)) return [];
    const namespace = this.text(node.get('namespace', true), `${at}.namespace`);
    const account = this.text(node.get('serviceAccount', true), `${at}.serviceAccount`);
    const workload = this.text(node.get('workload', true), `${at}.workload`);
    const labels = node.get('labels', true);
    if (account !== undefined) {
      const [owner, name] = account.includes('/') ? account.split('/') : [namespace, account];
      if (owner === undefined || name === undefined)
        return this.wrong(node, `${at}.serviceAccount`, 'write it as NAMESPACE/NAME') ?? [];
      return [{ is: 'account', namespace: owner, name }];
    }
    if (isMap(labels))
      return [
        {
          is: 'labels',
          namespace,
          labels: Object.fromEntries(
            labels.items.map(({ key, value }) => [
              String(isScalar(key) ? key.value : ''),
              String(isScalar(value) ? value.value : ''),
            ]),
          ),
        },
      ];
    if (namespace === undefined)
      return this.wrong(node, at, 'a client needs a namespace, labels or a serviceAccount') ?? [];
    return [workload === undefined ? { is: 'namespace', namespace } : { is: 'workload', namespace, name: workload }];
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
    const of = (key: string): readonly string[] | undefined => this.texts(node.get(key, true), `${at}.${key}`);
    const services = of('services');
    for (const one of services ?? [])
      if (!/^[^/]+\/[^/]+$/.test(one))
        this.wrong(node.get('services', true), `${at}.services`, `"${one}" is not NAMESPACE/SERVICE`);
    const hosts = of('hosts');
    const except = of('except') ?? [];
    for (const host of [...(hosts ?? []), ...except])
      if (host === '' || host.slice(1).includes('*') || (host.startsWith('*') && !host.startsWith('*.')))
        this.wrong(
          node.get(except.includes(host) ? 'except' : 'hosts', true),
          `${at}.${except.includes(host) ? 'except' : 'hosts'}`,
          `"${host}" is neither a host nor *.domain`,
        );
    const paths = of('paths');
    for (const path of paths ?? [])
      if (!path.startsWith('/') || path.slice(0, -1).includes('*'))
        this.wrong(node.get('paths', true), `${at}.paths`, `"${path}" is neither a path nor a prefix that ends in *`);
    const cidrs = of('cidrs');
    for (const block of cidrs ?? [])
      if (!isBlock(block))
        this.wrong(
          node.get('cidrs', true),
          `${at}.cidrs`,
          `"${block}" is neither an address nor a block of them (192.0.2.0/24)`,
        );
    const ports = of('ports')?.map(Number);
    for (const port of ports ?? [])
      if (!Number.isInteger(port) || port < 1 || port > 65535)
        this.wrong(node.get('ports', true), `${at}.ports`, 'a port is a number from 1 to 65535');
    const protocols = of('protocols')?.map((one) => one.toLowerCase());
    for (const one of protocols ?? [])
      if (!PROTOCOLS.includes(one))
        this.wrong(node.get('protocols', true), `${at}.protocols`, `"${one}" is none of ${PROTOCOLS.join(', ')}`);
    const all =
      hosts === undefined && services === undefined
        ? undefined
        : [...(hosts ?? []), ...(services ?? []).map((one) => `service:${one}`)];
    return {
      outside: this.flag(node.get('outside', true), `${at}.outside`),
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
    const items = isSeq(node) ? node.items : [node];
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
