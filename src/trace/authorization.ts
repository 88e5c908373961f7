import { contains, isAddress } from '../model/addresses';
import { entry, list, record, records, text, texts, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import type { Config } from '../model/objects';
import { ZTUNNEL_CONDITIONS } from '../model/ztunnel';
import { headerFits, type HttpRequest } from './http-routes';
import { evaluate, exact, PRESENT, regex, type Matcher } from './matcher';
import { gap, type Gap } from './notes';
import { refOf } from './refs';
import type { Decision } from './types';
import { folding, KEYS, namespacePattern, pathPattern, pattern } from './authorization-matchers';
import type { Claims } from './claims';
import type { Asking, HowToAllow, Reason } from './reasons';
import { outermost, type Flight } from './walk';

/** A connection, and the request in it if the proxy reads HTTP, as the RBAC filter sees it. */
export interface Access {
  readonly flight: Flight;
  /** Null where the filter is a TCP one: conditions on HTTP do not exist for it. */
  readonly http: HttpRequest | null;
  readonly sni: string | null;
  /** The port that the proxy really listens on. */
  readonly port: number;
  /** Whether the proxy took TLS off, and so knows the peer's certificate. */
  readonly terminated: boolean;
  /** Whether ztunnel judges, which is told less than an Envoy (convertAuthorizationPolicy, ambient/authorization.go of istiod). */
  readonly atZtunnel?: boolean;
}

export type Verdict =
  | { readonly is: 'allowed' }
  | { readonly is: 'denied'; readonly reason: Reason; readonly by: Decision | undefined }
  | { readonly is: 'unknown'; readonly why: Gap; readonly by: Decision | undefined };

/** `unknown`: what decides is not in the manifests. */
type Truth = boolean | 'unknown';

/** `absent`: the condition does not exist for the filter at hand. */
type Condition = Truth | 'absent';

function and(items: readonly Truth[]): Truth {
  if (items.includes(false)) return false;
  return items.includes('unknown') ? 'unknown' : true;
}

function or(items: readonly Truth[]): Truth {
  if (items.includes(true)) return true;
  return items.includes('unknown') ? 'unknown' : false;
}

function not(value: Truth): Truth {
  return value === 'unknown' ? value : !value;
}

/** `*`, `prefix*`, `*suffix`, or the whole. */
function fits(pattern: string, value: string): boolean {
  if (pattern === '*') return value !== '';
  if (pattern.startsWith('*')) return value.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return value.startsWith(pattern.slice(0, -1));
  return value === pattern;
}

interface Subject {
  readonly mesh: Mesh;
  readonly access: Access;
  readonly policyNamespace: string;
}

function principalOf({ mesh, access }: Subject): string | undefined {
  const { flight } = access;
  if (!access.terminated || !flight.from.inMesh || outermost(flight.layers)?.kind !== 'ISTIO_MUTUAL') return undefined;
  return `${mesh.config.trustDomain}/ns/${flight.from.namespace}/sa/${flight.from.serviceAccount}`;
}

function byPrincipal(subject: Subject, matches: (principal: string) => boolean): Truth {
  const principal = principalOf(subject);
  return principal !== undefined && matches(principal);
}

/** A trust domain's aliases stand for it in principals that have all five parts (trustdomain/bundle.go), and nowhere at ztunnel. */
function principalFits({ mesh, access }: Subject, pattern: string, principal: string): boolean {
  if (fits(pattern, principal)) return true;
  if (access.atZtunnel === true || pattern.split('/').length !== 5) return false;
  const [domain, rest] = [pattern.slice(0, pattern.indexOf('/')), pattern.slice(pattern.indexOf('/') + 1)];
  const isAlias = domain === 'cluster.local' || mesh.config.trustDomainAliases.includes(domain);
  return isAlias && fits(`${mesh.config.trustDomain}/${rest}`, principal);
}

function trustDomainFits(value: string, { config }: Mesh): boolean {
  if (value === '*') return true;
  const own = [config.trustDomain, ...config.trustDomainAliases];
  return fits(value, config.trustDomain) || own.some((domain) => domain === value);
}

function serviceAccountFits(value: string, policyNamespace: string, principal: string): boolean {
  const slash = value.indexOf('/');
  const [namespace, name] = slash < 0 ? [policyNamespace, value] : [value.slice(0, slash), value.slice(slash + 1)];
  return principal.endsWith(`/ns/${namespace}/sa/${name}`);
}

/** Of a Pod that runs nowhere yet the address is not known. */
function inBlock(block: string, address: string | null): Truth {
  if (address === null || !isAddress(address)) return block === '0.0.0.0/0' ? true : 'unknown';
  return contains(block, address);
}

/**
 * A proxy behind a gateway takes for the client of a request whom the gateway names in `x-forwarded-for`, which is not followed
 * (`useRemoteAddress`: true in networking/core/gateway.go, false in listener.go).
 */
function remoteAddress({ flight, http }: Access): string | null {
  return http !== null && flight.sentBy?.kind.endsWith('gateway') === true ? null : flight.from.address;
}

type Test = (value: string, subject: Subject) => Condition;

const HTTP_ONLY =
  (test: (value: string, http: HttpRequest, subject: Subject) => Truth): Test =>
  (value, subject) =>
    subject.access.http === null ? 'absent' : test(value, subject.access.http, subject);

/** Without a token that was taken there are no claims. */
const FROM_TOKEN = (test: (value: string, claims: Claims) => boolean): Test =>
  HTTP_ONLY((value, { claims }) =>
    claims === undefined || claims === 'unknown' ? (claims ?? false) : test(value, claims),
  );

const CLAIM = (path: readonly string[]): Test => FROM_TOKEN((value, claims) => claims.has(path, pattern(value)));

/** `ISSUER/SUBJECT`; an issuer may have slashes of its own. */
function isRequestPrincipal(given: string, claims: Claims): boolean {
  const issuer = (matcher: Matcher): boolean => claims.has(['iss'], matcher);
  const subject = (matcher: Matcher): boolean => claims.has(['sub'], matcher);
  const any = pattern('*');
  if (!issuer(any) || !subject(any)) return false;
  if (given === '*') return true;
  const slash = given.lastIndexOf('/');
  const [before, after] = [given.slice(0, slash), given.slice(slash + 1)];
  if (slash >= 0 && given.startsWith('*')) return issuer(pattern(before)) && subject(exact(after));
  if (slash >= 0 && given.endsWith('*')) return issuer(exact(before)) && subject(pattern(after));
  if (given.startsWith('*')) return subject(pattern(given));
  if (given.endsWith('*')) return issuer(pattern(given));
  return slash >= 0 && issuer(exact(before)) && subject(exact(after));
}

const TESTS: Readonly<Record<string, Test>> = {
  principals: (value, subject) => byPrincipal(subject, (principal) => principalFits(subject, value, principal)),
  namespaces: (value, subject) =>
    byPrincipal(subject, (principal) => evaluate(regex(`.*${namespacePattern(value)}.*`), `/${principal}/`)),
  serviceAccounts: (value, subject) =>
    byPrincipal(subject, (principal) => serviceAccountFits(value, subject.policyNamespace, principal)),
  // Aliases stand for one another here too (ExpandTrustDomainAliases).
  trustDomains: (value, subject) => byPrincipal(subject, () => trustDomainFits(value, subject.mesh)),
  ipBlocks: (value, { access }) => inBlock(value, access.flight.from.address),
  remoteIpBlocks: (value, { access }) => (access.atZtunnel === true ? 'absent' : inBlock(value, remoteAddress(access))),
  requestPrincipals: FROM_TOKEN(isRequestPrincipal),
  hosts: HTTP_ONLY((value, http) => http.authority.is(folding(pattern(value)))),
  methods: HTTP_ONLY((value, http) => http.method.is(pattern(value))),
  paths: HTTP_ONLY((value, http) => http.path.plain.is(pathPattern(value))),
  ports: (value, { access }) => Number(value) === access.port,
};

function testOf(key: string): Test {
  const named = entry(TESTS, entry(KEYS, key) ?? '');
  if (named !== undefined) return named;
  if (key === 'connection.sni') return (value, { access }) => access.sni !== null && fits(value, access.sni);
  if (key === 'destination.ip') return (value, { access }) => inBlock(value, access.flight.address);
  const header = /^request\.headers\[(.+)\]$/.exec(key)?.[1];
  if (header !== undefined)
    // `*` is a header that is there, be it empty (HeaderMatcher of authz/matcher/header.go).
    return HTTP_ONLY((value, http) => headerFits(http, header, value === '*' ? PRESENT : pattern(value)));
  if (key === 'request.auth.audiences') return CLAIM(['aud']);
  if (key === 'request.auth.presenter') return CLAIM(['azp']);
  const claim = /^request\.auth\.claims\[(.+)\]$/.exec(key)?.[1];
  if (claim !== undefined) return CLAIM(claim.split(']['));
  return () => 'unknown';
}

function whenHolds(item: Json, subject: Subject): Condition {
  const key = text(item.key);
  const test: Test = subject.access.atZtunnel === true && !ZTUNNEL_CONDITIONS.has(key) ? () => 'absent' : testOf(key);
  return condition(texts(item.values), texts(item.notValues), test, subject);
}

/** One condition of a rule: any of the values, none of the others. */
function condition(values: readonly string[], notValues: readonly string[], test: Test, subject: Subject): Condition {
  const parts: Truth[] = [];
  for (const [wanted, negated] of [
    [values, false],
    [notValues, true],
  ] as const) {
    if (wanted.length === 0) continue;
    const results = wanted.map((value) => test(value, subject));
    const present = results.filter((result): result is Truth => result !== 'absent');
    if (present.length === 0) return 'absent';
    parts.push(negated ? not(or(present)) : or(present));
  }
  return and(parts);
}

function fieldsOf(block: Json, names: readonly string[], subject: Subject): readonly Condition[] {
  return names.flatMap((name): readonly Condition[] => {
    const test = entry(TESTS, name);
    const values = texts(list(block[name]).map(String));
    const notValues = texts(list(block[`not${name.charAt(0).toUpperCase()}${name.slice(1)}`]).map(String));
    return test === undefined || (values.length === 0 && notValues.length === 0)
      ? []
      : [condition(values, notValues, test, subject)];
  });
}

const SOURCES = [
  'principals',
  'namespaces',
  'serviceAccounts',
  'ipBlocks',
  'remoteIpBlocks',
  'requestPrincipals',
] as const;

/**
 * Whether a rule matches. Conditions that the filter does not know make an ALLOW rule vanish; from a DENY rule they are left
 * out, which makes it deny more.
 */
function ruleMatches(rule: Json, subject: Subject, isAllow: boolean): Truth {
  let isVoid = false;
  const settle = (conditions: readonly Condition[]): Truth => {
    if (isAllow && conditions.includes('absent')) isVoid = true;
    return and(conditions.filter((item): item is Truth => item !== 'absent'));
  };
  const when = records(rule.when).map((item) => whenHolds(item, subject));
  const from = records(rule.from).map((item) =>
    settle(
      fieldsOf(
        record(item.source),
        subject.mesh.config.istio.knowsTrustDomains ? [...SOURCES, 'trustDomains'] : SOURCES,
        subject,
      ),
    ),
  );
  const to = records(rule.to).map((item) =>
    settle(fieldsOf(record(item.operation), ['hosts', 'methods', 'paths', 'ports'], subject)),
  );
  const result = and([settle(when), from.length === 0 ? true : or(from), to.length === 0 ? true : or(to)]);
  return isVoid ? false : result;
}

function decision(policy: Config, field: string): Decision {
  return { kind: policy.kind, namespace: policy.namespace, name: policy.name, field };
}

function askingOf({ access, mesh }: Subject): Asking {
  const { http, port } = access;
  return {
    principal: principalOf({ access, mesh, policyNamespace: '' }) ?? null,
    port,
    http: http === null ? null : { method: `${http.method}`, authority: `${http.authority}`, path: `${http.path}` },
  };
}

/** The providers that the policies of action CUSTOM of a workload name, where nobody can be asked by them: of one workload there may be one only. */
function badProviders({ config: { authorizers } }: Mesh, policies: readonly Config[]): readonly string[] | undefined {
  const names = [...new Set(policies.map((policy) => text(record(policy.spec.provider).name)))];
  if (names.length > 1) return names;
  const isKnown = authorizers === undefined || authorizers.some(({ name }) => name === names[0]);
  return policies.length === 0 || isKnown ? undefined : names;
}

/** An authorizer that speaks HTTP is not asked about what the proxy does not read (buildTCP, authz/builder/builder.go). */
function isAsked({ mesh, access }: Subject, { spec }: Config): boolean {
  const provider = mesh.config.authorizers?.find(({ name }) => name === text(record(spec.provider).name));
  return access.http !== null || provider?.speaks !== 'HTTP';
}

/** How what no rule allows may be allowed, and to whom. */
function adviceFor(subject: Subject, allowing: readonly Config[]): HowToAllow {
  const principal = principalOf(subject);
  const prefixed = allowing.find(({ spec }) => principalsOf(spec).some((value) => value.startsWith('spiffe://')));
  if (prefixed !== undefined) return { is: 'take-prefix-off', policy: refOf(prefixed) };
  if (allowing.every(({ spec }) => records(spec.rules).length === 0)) return { is: 'no-rules' };
  const near = nearest(subject, allowing);
  if (near !== undefined) return near;
  if (principal !== undefined) return { is: 'name-principal', principal };
  return { is: subject.access.flight.from.inMesh ? 'by-mutual-tls' : 'without-source' };
}

/** A rule that takes the caller, and not what it asks for: the one of which the fewest conditions are not met. */
function nearest({ mesh, access }: Subject, allowing: readonly Config[]): HowToAllow | undefined {
  let found: Extract<HowToAllow, { readonly is: 'meet-conditions' }> | undefined;
  for (const policy of allowing) {
    const subject: Subject = { mesh, access, policyNamespace: policy.namespace };
    for (const [index, rule] of records(policy.spec.rules).entries()) {
      const from = records(rule.from).map(({ source }) => unmet(record(source), SOURCE_FIELDS, subject));
      const when = records(rule.when).flatMap(
        (item, at) =>
        whenHolds(item, subject) === true ? [] : [{ at, key: text(item.key) }], // prettier-ignore
      );
      const bySource = when.some(({ key }) => /^(source|remote|request\.auth)\b/.test(key));
      if (bySource || (from.length > 0 && from.every((fields) => fields.length > 0))) continue;
      const [to = []] = records(rule.to).map(({ operation }) => unmet(record(operation), OPERATION_FIELDS, subject)).sort((a, b) => a.length - b.length); // prettier-ignore
      const conditions = [...to, ...when.map(({ at, key }) => `when[${at}] (${key})`)];
      if (conditions.length > 0 && (found === undefined || conditions.length < found.conditions.length))
        found = { is: 'meet-conditions', policy: refOf(policy), rule: index, conditions };
    }
  }
  return found;
}

const SOURCE_FIELDS = [...SOURCES, 'trustDomains'];
const OPERATION_FIELDS = ['hosts', 'methods', 'paths', 'ports'];

/** Fields of a block whose condition is not met, by the name under which they are written. */
function unmet(block: Json, names: readonly string[], subject: Subject): readonly string[] {
  return names.flatMap((name) =>
    [name, `not${name.charAt(0).toUpperCase()}${name.slice(1)}`].filter((field) =>
      fieldsOf({ [field]: block[field] }, [name], subject).some((result) => result !== true),
    ),
  );
}

function principalsOf(spec: Json): readonly string[] {
  return records(spec.rules).flatMap(({ from }) =>
    records(from).flatMap(({ source }) => texts(record(source).principals)),
  );
}

/** DENY first, then ALLOW if there is any: what the RBAC filters of a proxy answer. */
export function authorize(mesh: Mesh, access: Access, policies: readonly Config[]): Verdict {
  const of = (action: string): readonly Config[] =>
    policies.filter((policy) => (text(policy.spec.action) || 'ALLOW') === action);
  const evaluate = (policy: Config, isAllow: boolean): readonly Truth[] =>
    records(policy.spec.rules).map((rule) =>
      ruleMatches(rule, { mesh, access, policyNamespace: policy.namespace }, isAllow),
    );
  const subject: Subject = { mesh, access, policyNamespace: '' };
  const asking = access.atZtunnel === true ? [] : of('CUSTOM');
  const bad = badProviders(mesh, asking);
  for (const policy of asking) {
    const results = evaluate(policy, false);
    const match = results.findIndex((result) => result !== false);
    if (match < 0 || (bad === undefined && !isAsked(subject, policy))) continue;
    if (bad !== undefined && results.includes(true))
      return {
        is: 'denied',
        reason: {
          kind: 'no-authorizer',
          policy: refOf(policy),
          asking: askingOf(subject),
          providers: bad,
          known: (mesh.config.authorizers ?? []).map(({ name }) => name),
        },
        by: decision(policy, 'spec.provider.name'),
      };
    return {
      is: 'unknown',
      why: gap({ kind: 'left-to-authorizer', policy: refOf(policy), asking: askingOf(subject) }),
      by: decision(policy, `spec.rules[${match}]`),
    };
  }
  let uncertain: Decision | undefined;
  for (const policy of of('DENY')) {
    const results = evaluate(policy, false);
    const match = results.indexOf(true);
    if (match >= 0) {
      return {
        is: 'denied',
        reason: { kind: 'denied-by-rule', policy: refOf(policy), rule: match, asking: askingOf(subject) },
        by: decision(policy, `spec.rules[${match}]`),
      };
    }
    if (results.includes('unknown')) uncertain ??= decision(policy, `spec.rules[${results.indexOf('unknown')}]`);
  }
  const allowing = of('ALLOW');
  const results = allowing.map((policy) => evaluate(policy, true));
  const isAllowed = allowing.length === 0 || results.some((rules) => rules.includes(true));
  if (isAllowed && uncertain === undefined) return { is: 'allowed' };
  const first = allowing[0];
  const open = allowing.find((_policy, index) => results[index]?.includes('unknown'));
  const doubtful = uncertain ?? (isAllowed || open === undefined ? undefined : decision(open, 'spec.rules'));
  if (doubtful !== undefined)
    return {
      is: 'unknown',
      why: gap({ kind: 'authorization-open', policy: refOf(doubtful), asking: askingOf(subject) }),
      by: doubtful,
    };
  return {
    is: 'denied',
    reason: {
      kind: 'allowed-by-no-rule',
      policies: allowing.map((policy) => `${policy.namespace}/${policy.name}`),
      asking: askingOf(subject),
      advice: adviceFor(subject, allowing),
    },
    by: first === undefined ? undefined : decision(first, 'spec.rules'),
  };
}
