import * as security from '../../imports/security.istio.io';
import { Problem, quote } from '../core/problem';
import { slips } from '../core/slips';
import { Workloads } from '../mesh/workloads';
import { AccessTarget } from './access-target';

/** A claim of a token, and the values of which it needs one. */
export interface TokenClaim {
  /** The claim's name, or the names that lead to it where it is nested: ["realm_access", "roles"]. */
  readonly path: string[];

  /** The values, of which one is enough. A list in the token needs one of them in it. */
  readonly values: string[];
}

/** Who sends a request: all that is said holds. In each list, one is enough. */
export interface AccessSource {
  /**
   * The callers, as the mesh's certificates tell: a whole namespace, or service accounts. Labels stay at home, and can't be named here.
   *
   * @default anybody
   */
  readonly callers?: Workloads[];

  /**
   * Callers that it is not about. Who shows no certificate of the mesh is none of them.
   *
   * @default none
   */
  readonly exceptCallers?: Workloads[];

  /**
   * Addresses of whom the connection comes from: IPs or ranges such as "10.0.0.0/8". Behind a load balancer that is the balancer.
   *
   * @default any
   */
  readonly addresses?: string[];

  /**
   * Addresses of clients as X-Forwarded-For or the PROXY protocol tell them: right only where the mesh says how many trusted proxies stand before the gateway
   * (`numTrustedProxies`).
   *
   * @default any
   */
  readonly clientAddresses?: string[];

  /**
   * Tokens that a RequestAuthentication found good: "issuer/subject", with a star first or last, or "*" for any.
   *
   * @default with one or without
   */
  readonly tokens?: string[];
}

/** What a request asks for: all that is said holds. In each list, one is enough. */
export interface AccessOperation {
  /**
   * Hosts that are asked for, with any port or none. A star stands first or last; such a host is compared as it is written, port included.
   *
   * @default any
   */
  readonly hosts?: string[];

  /**
   * HTTP methods.
   *
   * @default any
   */
  readonly methods?: string[];

  /**
   * HTTP paths: exact, with a star first or last, or with `{*}` for one segment and `{**}` for several.
   *
   * @default any
   */
  readonly paths?: string[];

  /**
   * HTTP paths that it is not about.
   *
   * @default none
   */
  readonly exceptPaths?: string[];

  /**
   * Ports, by the number that the workload listens on, not the Service's.
   *
   * @default all
   */
  readonly ports?: number[];
}

/** Which requests a rule is about: those for which all that is said holds. In each list, one is enough. */
export interface AccessRule extends AccessSource, AccessOperation {
  /**
   * Claims of such a token, all of them.
   *
   * @default any
   */
  readonly claims?: TokenClaim[];

  /**
   * Claims of tokens that it is not about: each of them has to have none of the values, or to be missing.
   *
   * @default none
   */
  readonly exceptClaims?: TokenClaim[];

  /**
   * Headers, and the values of which each needs one; a star stands first or last.
   *
   * @default any
   */
  readonly headers?: { [name: string]: string[] };

  /**
   * Names that clients ask for in TLS (SNI), a star first or last: what a gateway that passes TLS through knows of a request. Without TLS there is none.
   *
   * @default any
   */
  readonly serverNames?: string[];

  /**
   * Others whom it is about as well, each with callers, addresses and tokens of its own: who fits one of them need not fit what the rule itself says of
   * callers, addresses and tokens.
   *
   * @default none
   */
  readonly orFrom?: AccessSource[];

  /**
   * Other requests that it is about as well, each with hosts, methods, paths and ports of its own: what fits one of them need not fit what the rule itself
   * says of these.
   *
   * @default none
   */
  readonly orTo?: AccessOperation[];
}

/** What a rule does: it decides how a rule is read where its fields do not fit. */
export type Action = 'ALLOW' | 'DENY' | 'CUSTOM';

/** A rule as Istio writes it. Namespaces and principals of one source would both have to fit, so each gets a source. */
export function ruleSpec(rule: AccessRule, trustDomain: string): security.AuthorizationPolicySpecRules {
  const sources = [rule, ...(rule.orFrom ?? [])].flatMap((one) => sourceSpecs(one, trustDomain));
  const operations = [rule, ...(rule.orTo ?? [])].flatMap(operationSpecs);
  const when = [
    ...(rule.claims ?? []).map(({ path, values }) => ({
      key: `request.auth.claims${path.map((name) => `[${name}]`).join('')}`,
      values: [...values],
    })),
    ...(rule.exceptClaims ?? []).map(({ path, values }) => ({
      key: `request.auth.claims${path.map((name) => `[${name}]`).join('')}`,
      notValues: [...values],
    })),
    ...Object.entries(rule.headers ?? {}).map(([name, values]) => ({
      key: `request.headers[${name.toLowerCase()}]`,
      values: [...values],
    })),
    ...(rule.serverNames?.length ? [{ key: 'connection.sni', values: [...rule.serverNames] }] : []),
  ];
  return {
    from: sources.length ? sources.map((source) => ({ source })) : undefined,
    to: operations.length ? operations.map((operation) => ({ operation })) : undefined,
    when: when.length ? when : undefined,
  };
}

/** The sources of one who sends; none if nothing is said of that. */
function sourceSpecs(one: AccessSource, trustDomain: string): security.AuthorizationPolicySpecRulesFromSource[] {
  const common = {
    ipBlocks: listed(one.addresses),
    remoteIpBlocks: listed(one.clientAddresses),
    requestPrincipals: listed(one.tokens),
    ...exceptions(one.exceptCallers ?? [], trustDomain),
  };
  const isSourced = one.callers?.length || Object.values(common).some((value) => value !== undefined);
  return isSourced ? callerSources(one.callers ?? [], trustDomain).map((source) => ({ ...source, ...common })) : [];
}

/** The operation of what is asked for; none if nothing is said of that. */
function operationSpecs(one: AccessOperation): security.AuthorizationPolicySpecRulesToOperation[] {
  const operation = {
    hosts: listed(one.hosts?.flatMap((host) => (host.includes('*') ? [host] : [host, `${host}:*`]))),
    methods: listed(one.methods),
    paths: listed(one.paths),
    notPaths: listed(one.exceptPaths),
    ports: listed(one.ports?.map(String)),
  };
  return Object.values(operation).some((value) => value !== undefined) ? [operation] : [];
}

/** Not one of these: all exceptions of a source have to hold. */
function exceptions(
  callers: readonly Workloads[],
  trustDomain: string,
): { notPrincipals?: string[]; notNamespaces?: string[] } {
  if (!callers.length) return {};
  const sources = callerSources(callers, trustDomain);
  return {
    notPrincipals: listed(sources.flatMap(({ principals }) => principals ?? [])),
    notNamespaces: listed(sources.flatMap(({ namespaces }) => namespaces ?? [])),
  };
}

function callerSources(
  callers: readonly Workloads[],
  trustDomain: string,
): Array<{ principals?: string[]; namespaces?: string[] }> {
  const principals = callers.flatMap(({ namespace, serviceAccounts }) =>
    serviceAccounts.map((name) => `${trustDomain}/ns/${namespace}/sa/${name}`),
  );
  const namespaces = callers.filter(({ serviceAccounts }) => !serviceAccounts.length).map((one) => one.namespace);
  const sources = [
    ...(principals.length ? [{ principals: [...new Set(principals)].sort() }] : []),
    ...(namespaces.length ? [{ namespaces: [...new Set(namespaces)].sort() }] : []),
  ];
  return sources.length ? sources : [{}];
}

function listed<T>(values: readonly T[] | undefined): T[] | undefined {
  return values?.length ? [...values] : undefined;
}

/** Whether a rule asks for a token. */
export function asksForToken({ tokens, claims, exceptClaims, orFrom = [] }: AccessRule): boolean {
  return Boolean(tokens?.length || claims?.length || exceptClaims?.length || orFrom.some((one) => one.tokens?.length));
}

/** What of a rule only HTTP has. */
function httpFields(rule: AccessRule): string[] {
  const { hosts, methods, paths, exceptPaths, tokens, claims, exceptClaims, headers } = rule;
  const fields = {
    hosts,
    methods,
    paths,
    exceptPaths,
    tokens,
    claims,
    exceptClaims,
    headers: Object.keys(headers ?? {}),
  };
  return Object.entries(fields)
    .filter(([, value]) => value?.length)
    .map(([name]) => name);
}

/** What is wrong with a rule, whoever reads it. */
export function ruleProblems(rule: AccessRule, index: number, action: Action, target: AccessTarget): Problem[] {
  const at = `rules[${index}]`;
  return [
    ...nothingSaid(rule, at, action),
    ...partProblems(rule, at, target),
    ...httpOnTcp(rule, at, action, target),
    ...alternativeProblems(rule, at, action, target),
  ];
}

function partProblems(rule: AccessRule, at: string, target: AccessTarget): Problem[] {
  return [
    ...slips(rule, FIELDS).map((problem) => ({ ...problem, what: `${at}: ${problem.what}` })),
    ...emptyLists(rule, at),
    ...callerProblems(rule, at),
    ...shapeProblems(rule, at),
    ...portProblems(rule, at, target),
  ];
}

/** An alternative to nothing would narrow what it was to widen, and one that says nothing is no alternative. */
function alternativeProblems(rule: AccessRule, at: string, action: Action, target: AccessTarget): Problem[] {
  const { orFrom = [], orTo = [] } = rule;
  const isSaid = (one: AccessRule, names: readonly (keyof AccessRule)[]): boolean =>
    names.some((name) => one[name] !== undefined);
  const lonely = (list: readonly AccessRule[], field: string, names: readonly (keyof AccessRule)[]): Problem[] => [
    ...(list.length && !isSaid(rule, names)
      ? [
          {
            what: `${at}.${field} is an alternative to nothing`,
            why: `the rule itself says none of ${names.join(', ')}, and fits any without it`,
            fix: `put the first of \`${field}\` into the rule itself`,
          },
        ]
      : []),
    ...list.flatMap((one, index) =>
      isSaid(one, names)
        ? partProblems(one, `${at}.${field}[${index}]`, target)
        : [
            {
              what: `${at}.${field}[${index}] says nothing`,
              why: 'Istio refuses such a source, and such an operation fits everything',
              fix: 'say one of ' + names.join(', ') + ', or leave it out',
            },
          ],
    ),
  ];
  return [
    ...lonely(orFrom, 'orFrom', SOURCE_FIELDS),
    ...lonely(orTo, 'orTo', OPERATION_FIELDS),
    ...orTo.flatMap((one, index) => httpOnTcp(one, `${at}.orTo[${index}]`, action, target)),
  ];
}

const FIELDS: Readonly<Record<keyof AccessRule, true>> = {
  callers: true,
  exceptCallers: true,
  addresses: true,
  clientAddresses: true,
  tokens: true,
  hosts: true,
  methods: true,
  paths: true,
  exceptPaths: true,
  ports: true,
  claims: true,
  exceptClaims: true,
  headers: true,
  serverNames: true,
  orFrom: true,
  orTo: true,
};
const SOURCE_FIELDS = ['callers', 'exceptCallers', 'addresses', 'clientAddresses', 'tokens'] as const;
const OPERATION_FIELDS = ['hosts', 'methods', 'paths', 'exceptPaths', 'ports'] as const;

function nothingSaid(rule: AccessRule, at: string, action: Action): Problem[] {
  if (action === 'CUSTOM' || Object.values(rule).some((value) => value !== undefined)) return [];
  return [
    {
      what: `${at} says nothing of who or what it is about`,
      why: `it would ${action === 'ALLOW' ? 'let everybody in' : 'shut everybody out'}`,
      fix: 'name callers, addresses, tokens, hosts, methods, paths or ports; or leave the rule out',
    },
  ];
}

/** An empty list is no condition to Istio: what was meant to fit nobody would fit everybody. */
function emptyLists(rule: AccessRule, at: string): Problem[] {
  return Object.entries(rule)
    .filter(([, value]) => Array.isArray(value) && !value.length)
    .map(([name]) => ({
      what: `${at}.${name} is empty`,
      why: 'Istio reads an empty list as no condition, and the rule would be about more than was meant',
      fix: `leave \`${name}\` out to mean any, or leave the rule out`,
    }));
}

function callerProblems({ callers = [], exceptCallers = [] }: AccessRule, at: string): Problem[] {
  return [...callers, ...exceptCallers].flatMap((caller): Problem[] => {
    const problems = caller._problems();
    for (const name of caller.serviceAccounts.filter((account) => account.includes('/')))
      problems.push({
        what: `${at}.callers has the service account ${quote(name)}`,
        why: 'principals are made of trust domain, namespace and name; with "spiffe://" or a path in them they fit nobody',
        fix: `give the bare name: ${quote(name.slice(name.lastIndexOf('/') + 1))}`,
      });
    if (caller._sourceLabels)
      problems.push({
        what: `${at}.callers names ${caller._words()}`,
        why: "who is called learns a caller's namespace and service account from its certificate; labels stay at home",
        fix: `use Workloads.serviceAccount(${quote(caller.namespace)}, ...) or Workloads.in(${quote(caller.namespace)})`,
      });
    return problems;
  });
}

const CIDR = /^(\d{1,3}(\.\d{1,3}){3}(\/([0-9]|[12]\d|3[0-2]))?|[0-9a-fA-F:]*:[0-9a-fA-F:.]*(\/\d{1,3})?)$/;

function shapeProblems(rule: AccessRule, at: string): Problem[] {
  const problems: Problem[] = [];
  const bad = (field: string, value: unknown, why: string, fix: string) =>
    problems.push({ what: `${at}.${field} has ${quote(value)}`, why, fix });
  for (const field of ['addresses', 'clientAddresses'] as const)
    for (const value of rule[field] ?? [])
      if (!CIDR.test(value)) bad(field, value, 'that is no address and no range', 'such as "10.0.0.0/8"');
  for (const value of rule.tokens ?? []) {
    if (/^spiffe:/.test(value))
      bad('tokens', value, 'that names a workload, and no token', 'name workloads as `callers`');
    else if (value !== '*' && !value.includes('/') && !value.includes('*'))
      bad('tokens', value, 'tokens are known as "issuer/subject"', `such as "${value}/*" for all of an issuer`);
  }
  for (const value of rule.methods ?? [])
    if (!/^[A-Z]+$/.test(value)) bad('methods', value, 'methods are compared letter by letter', value.toUpperCase());
  for (const field of ['paths', 'exceptPaths'] as const)
    for (const value of rule[field] ?? []) {
      if (/[?#]/.test(value)) bad(field, value, 'paths are compared without their query', 'leave out the query');
      else if (!/^[/*{]/.test(value)) bad(field, value, 'paths begin with a slash', `${quote(`/${value}`)}`);
    }
  for (const value of rule.hosts ?? [])
    if (value.includes(':') || value.includes('/'))
      bad(
        'hosts',
        value,
        'a host is given without scheme and port',
        quote(value.replace(/^.*:\/\//, '').replace(/[:/].*$/, '')),
      );
  for (const value of rule.serverNames ?? [])
    if (/[:/]|.\*./.test(value) || value === '')
      bad('serverNames', value, 'clients ask for a bare name in TLS, and stars stand first or last', 'such as "*.example.com"'); // prettier-ignore
  for (const { path, values } of [...(rule.claims ?? []), ...(rule.exceptClaims ?? [])])
    if (!path.length || !values.length)
      bad('claims', path.join('.'), 'a claim without name or values fits nothing', 'give both');
  return problems;
}

/** A policy is read where the Service's port is already forgotten. */
function portProblems({ ports = [] }: AccessRule, at: string, target: AccessTarget): Problem[] {
  const known = target._ports ?? [];
  if (!known.length || known.some(({ number }) => number === undefined)) return [];
  return ports
    .filter((port) => !known.some(({ number }) => number === port))
    .map((port) => {
      const dialled = known.find((one) => one.dialled === port);
      const listens = known.map(({ number }) => number).join(', ');
      return {
        what: `${at}.ports has ${port}, ${dialled ? "which is the Service's" : 'on which nothing listens'}`,
        why: 'policies count the ports that workloads listen on, so it would never fit',
        fix: dialled ? `use ${dialled.number}, where the workload listens` : `use one of ${listens}`,
      };
    });
}

/** Fields of HTTP on other ports: an ALLOW never fits there, and a DENY shuts the port (pilot/pkg/security/authz/model, generate). */
function httpOnTcp(rule: AccessRule, at: string, action: Action, target: AccessTarget): Problem[] {
  const fields = httpFields(rule);
  const touched = (target._ports ?? []).filter(
    ({ number }) => !rule.ports?.length || (number !== undefined && rule.ports.includes(number)),
  );
  const opaque = touched.filter(({ isHttp }) => isHttp === false);
  const isVoid = opaque.length === touched.length;
  if (!fields.length || !opaque.length || (action !== 'DENY' && !isVoid)) return [];
  const where = opaque.map(({ number, dialled }) => number ?? dialled).join(', ');
  const http = touched.filter(({ isHttp }) => isHttp !== false).map(({ number }) => number);
  return [
    {
      what: `${at} asks for ${fields.join(', ')} on port ${where}, which is not HTTP`,
      why:
        action === 'DENY'
          ? 'Istio leaves fields of HTTP out there, and the rest of the rule would shut the port to all'
          : 'nobody reads requests there, so the rule never fits and the port stays shut',
      fix: http.length ? `give the rule \`ports: [${http.join(', ')}]\`` : 'name callers, addresses or ports alone',
    },
  ];
}
