/** Rules that no request gets to, as findings: `src/traffic/dead-routes.ts` decides, for every request. */
import type { FieldPath, Manifest } from '../model/manifest';
import { deadMatches, keyOfRule, type DeadMatch, type RouteMatch, type WhyDead } from '../traffic/dead-routes';
import { regionText } from '../traffic/explore';
import { type CheckContext, defineIndex } from './context';
import type { Hit } from './rule';

const dead = defineIndex('dead matches', ({ mesh }) => deadMatches(mesh));

export interface DeadRule {
  readonly field: FieldPath;
  readonly what: string;
  /** Whether other matches of the rule are reached. */
  readonly isPart: boolean;
  readonly matches: readonly DeadMatch[];
}

/** Of an object with rules below `section`: `http`, `tls`, `tcp`, or `rules` for routes of the Gateway API. */
export function* deadRules(
  context: CheckContext,
  { kind, namespace, name }: Manifest,
  section: string,
  rules: readonly { readonly match?: readonly unknown[]; readonly matches?: readonly unknown[] }[],
): Generator<DeadRule> {
  const found = context.index(dead);
  if (found.size === 0) return;
  for (const [r, rule] of rules.entries()) {
    const ref = { kind, namespace, name, rule: `${section}[${r}]` };
    const own = found.get(keyOfRule(ref));
    if (own === undefined) continue;
    const list = section === 'rules' ? 'matches' : 'match';
    const written = (rule[list] ?? []).length;
    if (own.length >= Math.max(written, 1)) {
      yield { field: ['spec', section, r], what: whatOf(own, ref.rule), isPart: false, matches: own };
      continue;
    }
    for (const one of own)
      if (one.at !== undefined)
        yield {
          field: ['spec', section, r, list, one.at],
          what: whatOf([one], `${ref.rule}.${list}[${one.at}]`),
          isPart: true,
          matches: [one],
        };
  }
}

function whatOf(matches: readonly DeadMatch[], subject: string): string {
  const told = [...new Set(matches.map((one) => reason(one)))];
  return `no request gets to ${subject}: ${told.slice(0, 3).join('; ')}${told.length > 3 ? `; and ${told.length - 3} more` : ''}`;
}

function reason(one: DeadMatch): string {
  const at = one.place === undefined ? '' : ` on ${one.place}`;
  return `${because(one.why, one)}${at}`;
}

function because(why: WhyDead, { ref, host }: DeadMatch): string {
  switch (why.is) {
    case 'never':
      return why.because.length === 0
        ? 'it asks for a scheme that no request has'
        : `none fulfils what it asks for (${regionText(why.because)})`;
    case 'taken': {
      const takers = why.by.map((by) => matchText(by, ref));
      return `${takers.slice(0, 4).join(' and ')}${takers.length > 4 ? ` and ${takers.length - 4} more` : ''} ${takers.length === 1 ? 'has' : 'have'} every request that it is for`;
    }
    case 'left out':
      return why.asks === 'port'
        ? `it asks for a port, and servers for ${host} are on port ${why.ports.join(', ')}`
        : 'it asks for labels or a namespace of the client, which a gateway compares with those of its own Pods';
  }
}

/** `http[0]`, of another object with its name. */
function matchText({ ref, at }: RouteMatch, beside: DeadMatch['ref']): string {
  const isOwn = ref.kind === beside.kind && ref.namespace === beside.namespace && ref.name === beside.name;
  const list = ref.rule.startsWith('rules') ? 'matches' : 'match';
  const rule = `${ref.rule}${at === undefined ? '' : `.${list}[${at}]`}`;
  return isOwn ? rule : `${rule} of ${ref.kind} ${ref.namespace}/${ref.name}`;
}

/** The other objects that have a say. */
export function takersOf(context: CheckContext, matches: readonly DeadMatch[]): Pick<Hit, 'beside'> {
  const refs = matches.flatMap(({ why }) => (why.is === 'taken' ? why.by.map(({ ref }) => ref) : []));
  const found = new Set<Manifest>();
  for (const { kind, namespace, name } of refs) {
    const group = kind === 'VirtualService' ? 'networking.istio.io' : 'gateway.networking.k8s.io';
    const manifest = context.find(group, kind, namespace, name);
    if (manifest !== undefined) found.add(manifest);
  }
  return { beside: [...found] };
}
