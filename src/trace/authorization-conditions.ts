/** Conditions of AuthorizationPolicies: what each asks of a connection and of the request in it, and whether a rule matches. */
import { contains, isAddress } from '../model/addresses';
import { entry, list, record, records, text, texts, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { ZTUNNEL_CONDITIONS } from '../model/ztunnel';
import { folding, KEYS, namespacePattern, pathPattern, pattern } from './authorization-matchers';
import type { Claims } from './claims';
import { headerFits, type HttpRequest } from './http-routes';
import { evaluate, exact, PRESENT, regex, type Matcher } from './matcher';
import { trustedDomains } from './handshake';
import { outermost, podOf, type Flight } from './walk';

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

/** `unknown`: what decides is not in the manifests. */
export type Truth = boolean | 'unknown';

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

export interface Subject {
  readonly mesh: Mesh;
  readonly access: Access;
  readonly policyNamespace: string;
}

export function principalOf({ mesh, access }: Subject): string | undefined {
  const { flight } = access;
  if (!access.terminated || !flight.from.inMesh || outermost(flight.layers)?.kind !== 'ISTIO_MUTUAL') return undefined;
  return `${trustDomainOf(mesh, flight)}/ns/${flight.from.namespace}/sa/${flight.from.serviceAccount}`;
}

/** The trust domain of who sends, which is that of its own revision of istiod. */
function trustDomainOf(mesh: Mesh, { from }: Flight): string {
  return mesh.servedTo(podOf(from)).config.trustDomain;
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
  const own = trustedDomains(mesh);
  const isOwn = domain === 'cluster.local' || own.includes(domain);
  return isOwn && own.some((one) => fits(`${one}/${rest}`, principal));
}

function trustDomainFits(value: string, { mesh, access }: Subject): boolean {
  if (value === '*') return true;
  const domain = trustDomainOf(mesh, access.flight);
  const own = trustedDomains(mesh);
  return fits(value, domain) || (own.includes(value) && own.includes(domain));
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
  trustDomains: (value, subject) => byPrincipal(subject, () => trustDomainFits(value, subject)),
  ipBlocks: (value, { access }) => inBlock(value, access.flight.from.address),
  remoteIpBlocks: (value, { access }) => (access.atZtunnel === true ? 'absent' : inBlock(value, remoteAddress(access))),
  requestPrincipals: FROM_TOKEN(isRequestPrincipal),
  hosts: HTTP_ONLY((value, http) => http.authority.is(folding(pattern(value)))),
  methods: HTTP_ONLY((value, http) => http.method.is(pattern(value))),
  paths: HTTP_ONLY((value, http) => http.path.plain.is(pathPattern(value))),
  ports: (value, { access }) => Number(value) === access.port,
};

/** Of the SNI that the client said itself it is asked; of one that a proxy wrote it is known. */
function sniFits(value: string, { access: { sni, flight } }: Subject): boolean {
  if (sni === null) return false;
  const isClients = flight.layers.some((layer) => layer.kind === 'APPLICATION' && layer.sni === sni);
  return isClients && flight.askedSni?.toString() === sni ? flight.askedSni.is(pattern(value)) : fits(value, sni);
}

function testOf(key: string): Test {
  const named = entry(TESTS, entry(KEYS, key) ?? '');
  if (named !== undefined) return named;
  if (key === 'connection.sni') return sniFits;
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

/** A condition as a rule has it: any of the values, none of the others. */
export interface Field {
  /** `paths`; of a `when`, its key. */
  readonly name: string;
  readonly test: Test;
  readonly values: readonly string[];
  readonly notValues: readonly string[];
}

export interface Rule {
  readonly from: readonly (readonly Field[])[];
  readonly when: readonly Field[];
  readonly to: readonly (readonly Field[])[];
}

const SOURCES = ['principals', 'namespaces', 'serviceAccounts', 'ipBlocks', 'remoteIpBlocks', 'requestPrincipals'];
const OPERATIONS = ['hosts', 'methods', 'paths', 'ports'];

/** The rules of a policy, each field with what it asks. */
export function rulesOf(mesh: Mesh, spec: Json): readonly Rule[] {
  return mesh.remember(spec, 'rules with their conditions', () => {
    const sources = mesh.config.istio.knowsTrustDomains ? [...SOURCES, 'trustDomains'] : SOURCES;
    return records(spec.rules).map((rule) => ({
      from: records(rule.from).map(({ source }) => fieldsOf(record(source), sources)),
      when: records(rule.when).map((item) => ({
        name: text(item.key),
        test: testOf(text(item.key)),
        values: texts(item.values),
        notValues: texts(item.notValues),
      })),
      to: records(rule.to).map(({ operation }) => fieldsOf(record(operation), OPERATIONS)),
    }));
  });
}

function fieldsOf(block: Json, names: readonly string[]): readonly Field[] {
  return names.flatMap((name): readonly Field[] => {
    const test = entry(TESTS, name);
    const values = texts(list(block[name]).map(String));
    const notValues = texts(list(block[negated(name)]).map(String));
    return test === undefined || (values.length === 0 && notValues.length === 0)
      ? []
      : [{ name, test, values, notValues }];
  });
}

function negated(name: string): string {
  return `not${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

export function whenHolds({ name, test, values, notValues }: Field, subject: Subject): Condition {
  const isKnown = subject.access.atZtunnel !== true || ZTUNNEL_CONDITIONS.has(name);
  return condition(values, notValues, isKnown ? test : () => 'absent', subject);
}

function condition(values: readonly string[], notValues: readonly string[], test: Test, subject: Subject): Condition {
  const wanted = values.length === 0 ? true : anyOf(values, test, subject);
  // Whatever else it says, what is asked next is asked of requests that it still may hold for.
  if (wanted === 'absent' || wanted === false || notValues.length === 0) return wanted;
  const unwanted = anyOf(notValues, test, subject);
  return unwanted === 'absent' ? 'absent' : and([wanted, not(unwanted)]);
}

/** Whether one of some values is met: those behind the first are not asked for. A test is absent for all values or for none. */
function anyOf(values: readonly string[], test: Test, subject: Subject): Condition {
  const found: Truth[] = [];
  for (const value of values) {
    const result = test(value, subject);
    if (result === true || result === 'absent') return result;
    found.push(result);
  }
  return or(found);
}

/** Whether nothing that rules speak of is absent for a filter: then what is false in part is false. */
function knowsAll({ access }: Subject): boolean {
  return access.http !== null && access.atZtunnel !== true;
}

/**
 * Whether a rule matches. Conditions that the filter does not know make an ALLOW rule vanish; from a DENY rule they are left
 * out, which makes it deny more. Who asks comes first, and what is asked for is not looked at where that decides already.
 */
export function ruleMatches({ from, when, to }: Rule, subject: Subject, isAllow: boolean): Truth {
  const isWhole = knowsAll(subject);
  let isVoid = false;
  const all = (fields: readonly Field[], holds: (field: Field) => Condition): Truth => {
    const found: Truth[] = [];
    for (const field of fields) {
      const result = holds(field);
      if (result === 'absent') isVoid ||= isAllow;
      else found.push(result);
      if (isWhole && result === false) return false;
    }
    return and(found);
  };
  const holds = ({ test, values, notValues }: Field): Condition => condition(values, notValues, test, subject);
  const some = (blocks: readonly (readonly Field[])[]): Truth => {
    if (blocks.length === 0) return true;
    const found: Truth[] = [];
    for (const fields of blocks) {
      found.push(all(fields, holds));
      if (isWhole && found[found.length - 1] === true) return true;
    }
    return or(found);
  };
  const asking = some(from);
  if (isWhole && asking === false) return false;
  const conditions = all(when, (field) => whenHolds(field, subject));
  if (isWhole && conditions === false) return false;
  const result = and([asking, conditions, some(to)]);
  return isVoid ? false : result;
}

/** Fields of a block whose condition is not met, by the name under which they are written. */
export function unmet(fields: readonly Field[], subject: Subject): readonly string[] {
  return fields.flatMap(({ name, test, values, notValues }) => [
    ...(values.length === 0 || condition(values, [], test, subject) === true ? [] : [name]),
    ...(notValues.length === 0 || condition([], notValues, test, subject) === true ? [] : [negated(name)]),
  ]);
}
