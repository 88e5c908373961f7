/** Rules of AuthorizationPolicies as conjunctions of conditions, and what they may be conditions on. */
import { isAddress } from '../model/addresses';
import { entry, list, record, records, text, texts, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import {
  accountPattern,
  folding,
  isExpression,
  KEYS,
  namespacePattern,
  pathPattern,
  pattern,
  principalPattern,
} from '../trace/authorization-matchers';
import { anyOf, exact, prefix, PRESENT, regex, type Matcher } from '../trace/matcher';
import { istioPaths } from '../trace/paths';
import type { Clause } from './cover';
import type { Universe } from './members';
import { pathForm, universe, type About, type PathForm } from './universe';

/** A condition with the place where it is written, below the rule. */
export interface PolicyClause extends Clause {
  readonly field: readonly (string | number)[];
}

/** One source, one operation and all conditions of a rule: it matches where one of these does. */
export interface Alternative {
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly clauses: readonly PolicyClause[];
  /** Whether these are all of its conditions; others narrow it further. */
  readonly isWhole: boolean;
}

/** Where a policy stands: names of accounts are of its namespace. */
export interface PolicyPlace {
  readonly namespace: string;
  readonly mesh: Mesh;
}

interface Read {
  readonly clauses: readonly PolicyClause[];
  readonly isWhole: boolean;
}

export function alternativesOf(rule: Json, place: PolicyPlace): readonly Alternative[] {
  const when = joined(records(rule.when).map((item, w) => ofCondition(item, ['when', w], place)));
  const sources = records(rule.from).map(({ source }, f) =>
    ofBlock(record(source), ['from', f, 'source'], SOURCES, place),
  );
  const operations = records(rule.to).map(({ operation }, t) => ofBlock(record(operation), ['to', t, 'operation'], OPERATIONS, place)); // prettier-ignore
  return (sources.length === 0 ? [undefined] : sources).flatMap((from, f) =>
    (operations.length === 0 ? [undefined] : operations).map((to, t): Alternative => ({
      from: from === undefined ? undefined : f,
      to: to === undefined ? undefined : t,
      ...joined([from ?? NOTHING, to ?? NOTHING, when]),
    })),
  );
}

const NOTHING: Read = { clauses: [], isWhole: true };

function joined(parts: readonly Read[]): Read {
  return { clauses: parts.flatMap(({ clauses }) => clauses), isWhole: parts.every(({ isWhole }) => isWhole) };
}

const SOURCES = ['principals', 'namespaces', 'serviceAccounts', 'ipBlocks', 'remoteIpBlocks', 'requestPrincipals', 'trustDomains']; // prettier-ignore
const OPERATIONS = ['hosts', 'methods', 'paths', 'ports'];

function ofBlock(block: Json, field: PolicyClause['field'], names: readonly string[], place: PolicyPlace): Read {
  return joined(
    names.map((name) => {
      const not = `not${name.charAt(0).toUpperCase()}${name.slice(1)}`;
      return ofValues(name, block[name], block[not], [...field, name], [...field, not], place);
    }),
  );
}

function ofCondition({ key, values, notValues }: Json, field: PolicyClause['field'], place: PolicyPlace): Read {
  const name = entry(KEYS, text(key)) ?? text(key);
  return ofValues(name, values, notValues, [...field, 'values'], [...field, 'notValues'], place);
}

function ofValues(
  name: string,
  values: unknown,
  notValues: unknown,
  field: PolicyClause['field'],
  notField: PolicyClause['field'],
  place: PolicyPlace,
): Read {
  const read = (given: unknown, holds: boolean, at: PolicyClause['field']): Read => {
    const all = texts(list(given).map(String));
    if (all.length === 0) return NOTHING;
    const about = aboutOf(name, all, place);
    if (about === undefined || all.some((value) => /[^\x20-\x7e]/.test(value))) return { clauses: [], isWhole: false };
    return { clauses: [{ ...about, holds, whenAbsent: false, field: at }], isWhole: true };
  };
  return joined([read(values, true, field), read(notValues, false, notField)]);
}

type Subject = Pick<Clause, 'dimension' | 'matcher'>;

function aboutOf(name: string, values: readonly string[], { namespace, mesh }: PolicyPlace): Subject | undefined {
  const of = (kind: string, matcherOf: (value: string) => Matcher, own = ''): Subject => ({
    dimension: { kind, name: own },
    matcher: anyOf(...values.map(matcherOf)),
  });
  // Trust domains that stand for one another make several principals of one: compared as they are written.
  const { istio } = mesh.config;
  const isPlain = mesh.config.trustDomainAliases.length === 0 && mesh.config.trustDomain === 'cluster.local';
  switch (name) {
    case 'principals':
    case 'namespaces':
    case 'serviceAccounts':
      // Expressions are what proxies get alone, and not ztunnel: nothing is concluded of them.
      if (values.some((value) => isExpression(name, value, istio))) return asWritten(name, values);
      break;
    default:
  }
  switch (name) {
    case 'principals':
      return isPlain ? of('principal', (value) => principalPattern(value, istio)) : asWritten(name, values);
    case 'namespaces':
      return of('principal', (value) => namespacePattern(value, istio));
    case 'serviceAccounts':
      return of('principal', (value) => accountPattern(value, namespace, istio));
    case 'hosts':
      return of('host', (value) => folding(pattern(value)));
    case 'methods':
      return of('method', pattern);
    case 'paths':
      return of('path', pathPattern);
    case 'ports':
      return of('port', exact);
    case 'connection.sni':
      return of('sni', pattern);
    case 'ipBlocks':
      return ofBlocks('source.ip', values);
    case 'remoteIpBlocks':
      return ofBlocks('remote.ip', values);
    case 'destination.ip':
      return ofBlocks('destination.ip', values);
    case 'requestPrincipals':
      return asWritten(name, values);
    case 'request.auth.audiences':
      return ofClaim(['aud'], values);
    case 'request.auth.presenter':
      return ofClaim(['azp'], values);
    default:
  }
  const header = /^request\.headers\[([^:\]].*)\]$/.exec(name)?.[1]?.toLowerCase();
  if (header !== undefined && header !== 'host') return of('header', (value) => (value === '*' ? PRESENT : pattern(value)), header); // prettier-ignore
  const claim = /^request\.auth\.claims\[(.+)\]$/.exec(name)?.[1];
  return claim === undefined ? undefined : ofClaim(claim.split(']['), values);
}

/** Known only from a condition that is written in the same way. */
function asWritten(name: string, values: readonly string[]): Subject {
  return { dimension: { kind: name, name: [...values].sort().join(', ') }, matcher: PRESENT };
}

function ofClaim(claim: readonly string[], values: readonly string[]): Subject {
  return { dimension: { kind: 'claim', name: 'token', claim }, matcher: { is: 'some', of: anyOf(...values.map(pattern)) } }; // prettier-ignore
}

/** Addresses as their bits, so that blocks are prefixes. */
function ofBlocks(kind: string, blocks: readonly string[]): Subject | undefined {
  const all = blocks.map(bitsOf);
  return all.includes(undefined)
    ? undefined
    : { dimension: { kind, name: '' }, matcher: anyOf(...(all as string[]).map((bits) => prefix(bits))) };
}

export function bitsOf(block: string): string | undefined {
  const [address = '', length] = block.split('/');
  if (!isAddress(address)) return undefined;
  const isSix = address.includes(':');
  const bits = isSix ? bitsOfSix(address) : address.split('.').map((part) => Number(part).toString(2).padStart(8, '0')).join(''); // prettier-ignore
  if (bits === undefined) return undefined;
  return `${isSix ? '6' : '4'}${length === undefined ? bits : bits.slice(0, Number(length))}`;
}

function bitsOfSix(address: string): string | undefined {
  if (address.includes('.')) return undefined;
  const [before = '', after] = address.split('::');
  const groups = (part: string): readonly string[] => (part === '' ? [] : part.split(':'));
  const [head, tail] = [groups(before), groups(after ?? '')];
  const all = after === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]; // prettier-ignore
  return all.map((group) => parseInt(group, 16).toString(2).padStart(16, '0')).join('');
}

const TARGET = { scheme: 'http', host: '*', port: 80 } as const;
const ANY = regex('[!-~]+');

/** What conditions of policies may be about; paths as Istio's proxies treat them, if nothing else is said. */
export function policyUniverse(mesh: Mesh, form?: PathForm): (dimension: About) => Universe {
  const paths = form ?? pathForm([istioPaths(mesh.config)]);
  const of = (all: Matcher, mayBeAbsent: boolean, ...plain: readonly string[]): Universe => ({ all: [all], none: [], mayBeAbsent, plain }); // prettier-ignore
  return (dimension) => {
    switch (dimension.kind) {
      case 'principal':
        return of(ANY, true, 'cluster.local/ns/any/sa/any');
      case 'sni':
        return of(ANY, true, 'any.example');
      case 'host':
        return of(ANY, false, 'any.example');
      case 'method':
        return of(regex("[!#$%&'*+.^_`|~0-9A-Za-z-]+"), false, 'GET');
      case 'port':
        return of(regex('[1-9][0-9]*'), false, '80');
      case 'source.ip':
      case 'remote.ip':
      case 'destination.ip':
        return of(regex('4[01]{32}|6[01]{128}'), false);
      case 'path':
        return universe({ kind: 'path', name: '' }, TARGET, paths);
      case 'header':
        return universe({ kind: 'header', name: dimension.name }, TARGET, paths);
      case 'claim':
        return universe({ kind: 'claim', name: dimension.name, claim: dimension.claim ?? [] }, TARGET, paths);
      default:
        return of(exact('written'), true, 'written');
    }
  };
}
