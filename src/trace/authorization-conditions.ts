/** Conditions of AuthorizationPolicies: what each asks of a connection and of the request in it, and whether a rule matches. */
import { entry, list, record, records, text, texts, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { ZTUNNEL_CONDITIONS } from '../model/ztunnel';
import { accountPattern, folding, isExpression, KEYS, namespacePattern, pathPattern, pattern, principalPattern, QUOTES_ALL, type Quoting } from './authorization-matchers'; // prettier-ignore
import type { Claims } from './claims';
import { headerFits, type HttpRequest } from './http-routes';
import { evaluate, exact, PRESENT, type Matcher } from './matcher';
import { trustedDomains } from './handshake';
import { and, inBlock, isClientFromBlock, isFromBlock, not, some, type Access, type Block, type Condition, type Rule as FilterRule, type Truth } from './rbac'; // prettier-ignore
import { outermost, podOf, type Flight } from './walk';

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
  const quoting = quotingFor({ mesh, access });
  if (isExpression('principals', pattern, quoting)) return evaluate(principalPattern(pattern, quoting), principal);
  if (fits(pattern, principal)) return true;
  if (access.atZtunnel === true || pattern.split('/').length !== 5) return false;
  const [domain, rest] = [pattern.slice(0, pattern.indexOf('/')), pattern.slice(pattern.indexOf('/') + 1)];
  const own = trustedDomains(mesh);
  const isOwn = domain === 'cluster.local' || own.includes(domain);
  return isOwn && own.some((one) => fits(`${one}/${rest}`, principal));
}

function quotingFor({ mesh, access }: Pick<Subject, 'mesh' | 'access'>): Quoting {
  return access.atZtunnel === true ? QUOTES_ALL : mesh.config.istio;
}

function trustDomainFits(value: string, { mesh, access }: Subject): boolean {
  if (value === '*') return true;
  const domain = trustDomainOf(mesh, access.flight);
  const own = trustedDomains(mesh);
  return fits(value, domain) || (own.includes(value) && own.includes(domain));
}

/**
 * A proxy behind a gateway takes for the client of a request whom the gateway names in `x-forwarded-for`, which is not followed
 * (`useRemoteAddress`: true in networking/core/gateway.go, false in listener.go).
 */
function isOfRemote(block: string, access: Access): Truth {
  const isBehindGateway = access.http !== null && access.flight.sentBy?.kind.endsWith('gateway') === true;
  return isBehindGateway ? inBlock(block, null) : isClientFromBlock(block, access);
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
    byPrincipal(subject, (principal) => evaluate(namespacePattern(value, quotingFor(subject)), principal)),
  serviceAccounts: (value, subject) =>
    byPrincipal(subject, (principal) =>
      evaluate(accountPattern(value, subject.policyNamespace, quotingFor(subject)), principal),
    ),
  // Aliases stand for one another here too (ExpandTrustDomainAliases).
  trustDomains: (value, subject) => byPrincipal(subject, () => trustDomainFits(value, subject)),
  ipBlocks: (value, { access }) => isFromBlock(value, access),
  remoteIpBlocks: (value, { access }) => (access.atZtunnel === true ? 'absent' : isOfRemote(value, access)),
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
  /** The whole, as the filter has it: who asks comes first, and what is asked for is not looked at where that decides already. */
  readonly asked: FilterRule<Subject>;
}

const SOURCES = ['principals', 'namespaces', 'serviceAccounts', 'ipBlocks', 'remoteIpBlocks', 'requestPrincipals'];
const OPERATIONS = ['hosts', 'methods', 'paths', 'ports'];

/** The rules of a policy, each field with what it asks. */
export function rulesOf(mesh: Mesh, spec: Json): readonly Rule[] {
  return mesh.remember(spec, 'rules with their conditions', () => {
    const sources = mesh.config.istio.knowsTrustDomains ? [...SOURCES, 'trustDomains'] : SOURCES;
    return records(spec.rules).map((rule) => {
      const from = records(rule.from).map(({ source }) => fieldsOf(record(source), sources));
      const when = records(rule.when).map((item) => ({
        name: text(item.key),
        test: testOf(text(item.key)),
        values: texts(item.values),
        notValues: texts(item.notValues),
      }));
      const to = records(rule.to).map(({ operation }) => fieldsOf(record(operation), OPERATIONS));
      const conditions = when.map((field): readonly Block<Subject>[] => [[(subject) => whenHolds(field, subject)]]);
      return { from, when, to, asked: [from.map(blockOf), ...conditions, to.map(blockOf)] };
    });
  });
}

function blockOf(fields: readonly Field[]): Block<Subject> {
  return fields.map(
    ({ test, values, notValues }) =>
      (subject) =>
        condition(values, notValues, test, subject),
  );
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
  const wanted = values.length === 0 ? true : some(values, (value) => test(value, subject));
  // Whatever else it says, what is asked next is asked of requests that it still may hold for.
  if (wanted === 'absent' || wanted === false || notValues.length === 0) return wanted;
  const unwanted = some(notValues, (value) => test(value, subject));
  return unwanted === 'absent' ? 'absent' : and([wanted, not(unwanted)]);
}

/** Fields of a block whose condition is not met, by the name under which they are written. */
export function unmet(fields: readonly Field[], subject: Subject): readonly string[] {
  return fields.flatMap(({ name, test, values, notValues }) => [
    ...(values.length === 0 || condition(values, [], test, subject) === true ? [] : [name]),
    ...(notValues.length === 0 || condition([], notValues, test, subject) === true ? [] : [negated(name)]),
  ]);
}
