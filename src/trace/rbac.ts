/**
 * Envoy's RBAC filter, whoever's policies it was made of: conditions on a connection and the request in it, rules that are made of them, and which rule
 * decides.
 */
import { contains, isAddress } from '../model/addresses';
import { clientAddress, type ClientDetection } from './client-address';
import type { HttpRequest } from './http-routes';
import type { Supposed } from './ask';
import { addressOwner, type Flight } from './walk';

/** A connection, and the request in it if the proxy reads HTTP, as the filter sees it. */
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
  /** Where the proxy looks for the client's address besides the connection. */
  readonly client?: ClientDetection | undefined;
  readonly supposed?: Supposed | undefined;
}

/** `unknown`: what decides is not in the manifests. */
export type Truth = boolean | 'unknown';

/** `absent`: the condition does not exist for the filter at hand. */
export type Condition = Truth | 'absent';

export function and(items: readonly Truth[]): Truth {
  if (items.includes(false)) return false;
  return items.includes('unknown') ? 'unknown' : true;
}

export function or(items: readonly Truth[]): Truth {
  if (items.includes(true)) return true;
  return items.includes('unknown') ? 'unknown' : false;
}

export function not(value: Truth): Truth {
  return value === 'unknown' ? value : !value;
}

/** Whether one of some values is met: those behind the first are not asked for. A test is absent for all values or for none. */
export function some(values: readonly string[], test: (value: string) => Condition): Condition {
  const found: Truth[] = [];
  for (const value of values) {
    const result = test(value);
    if (result === true || result === 'absent') return result;
    found.push(result);
  }
  return or(found);
}

/** Of a Pod that runs nowhere yet the address is not known. */
export function inBlock(block: string, address: string | null): Truth {
  if (address === null || !isAddress(address)) return block === '0.0.0.0/0' ? true : 'unknown';
  return contains(block, address);
}

/** The same of the address that a connection comes from. */
export function isFromBlock(block: string, { flight: { from }, supposed }: Access): Truth {
  const known = inBlock(block, from.address);
  if (known !== 'unknown' || supposed === undefined) return known;
  return supposed.isWithin(addressOwner(from), block, []);
}

/** The same of the address that the proxy takes for the client's, which may be told in headers, and may be one that nobody knows. */
export function isClientFromBlock(block: string, access: Access): Truth {
  const told = access.client && clientAddress(access.client);
  return told === undefined ? isFromBlock(block, access) : inBlock(block, told);
}

/** Conditions that all have to hold. */
export type Block<S> = readonly ((subject: S) => Condition)[];

/** Groups that all have to hold, of each of which one block has to; a group without any holds. */
export type Rule<S> = readonly (readonly Block<S>[])[];

/** Whether nothing that rules speak of is absent for a filter: then what is false in part is false. */
function knowsAll({ http, atZtunnel }: Access): boolean {
  return http !== null && atZtunnel !== true;
}

/**
 * Whether a rule matches. Conditions that the filter does not know make an ALLOW rule vanish; from a DENY rule they are left
 * out, which makes it deny more. ztunnel passes over a block of which nothing is left (RbacMatch::is_empty of its rbac.rs), and so over a group
 * of such blocks with its rule: it denies nobody. What comes behind a part that decides already is not looked at.
 */
export function ruleMatches<S extends { readonly access: Access }>(rule: Rule<S>, subject: S, isAllow: boolean): Truth {
  const isWhole = knowsAll(subject.access);
  let isVoid = false;
  const all = (block: Block<S>): Truth => {
    const found: Truth[] = [];
    for (const holds of block) {
      const result = holds(subject);
      if (result === 'absent') isVoid ||= isAllow;
      else found.push(result);
      if (isWhole && result === false) return false;
    }
    return found.length === 0 && subject.access.atZtunnel === true ? false : and(found);
  };
  const found: Truth[] = [];
  for (const blocks of rule) {
    const group: Truth[] = [];
    for (const block of blocks) {
      group.push(all(block));
      if (isWhole && group[group.length - 1] === true) break;
    }
    found.push(blocks.length === 0 ? true : or(group));
    if (isWhole && found[found.length - 1] === false) return false;
  }
  return isVoid ? false : and(found);
}

export type Action = 'ALLOW' | 'DENY';

/** What a rule does to those whom it matches. */
export interface Acting {
  readonly action: Action;
}

/** What the rules come to: the first that matches decides, if none before it that may match says otherwise. */
export type Outcome<R extends Acting> =
  | { readonly is: 'decided'; readonly action: Action; readonly rule: R | undefined }
  | { readonly is: 'open'; readonly rule: R };

/** @param otherwise what becomes of those whom no rule is about */
export function decide<R extends Acting>(rules: Iterable<R>, holds: (rule: R) => Truth, otherwise: Action): Outcome<R> {
  let open: R[] | undefined;
  let decided: R | undefined;
  for (const rule of rules) {
    const truth = holds(rule);
    if (truth === 'unknown') (open ??= []).push(rule);
    if (truth !== true) continue;
    decided = rule;
    break;
  }
  const action = decided?.action ?? otherwise;
  const other = open?.find((rule) => rule.action !== action);
  return other === undefined ? { is: 'decided', action, rule: decided } : { is: 'open', rule: other };
}
