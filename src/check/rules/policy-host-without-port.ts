import type { FieldPath } from '../../model/manifest';
import { type JudgingPolicy, judgingPolicies } from '../authorization';
import type { AuthorizationRule } from '../istio';
import { namesWhatLeaves } from '../leaving';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE521',
  name: 'policy-host-without-port',
  severity: 'warning',
  title: 'A policy names a host without the port that the Host header may have',
  why: 'Policies compare the whole Host header, and proxies route shop.example.com:443 as they route shop.example.com: whoever adds the port gets past a DENY, and past what an ALLOW leaves out.',
  fix: 'Name both forms: shop.example.com and shop.example.com:*.',
  see: 'https://istio.io/latest/docs/ops/best-practices/security/#writing-host-match-policies',
  reads: ['AuthorizationPolicy'],
  findsAbsence: true,
  footguns: ['I09'],
  *check(context) {
    for (const policy of context.index(judgingPolicies)) {
      const passes = PASSES[policy.action];
      if (passes === undefined) continue;
      const leaving = new Set(namesWhatLeaves(context, policy).map(({ field }) => field.slice(0, -2).join()));
      for (const [r, rule] of (policy.spec.rules ?? []).entries()) {
        for (const { host, isLeftOut, field } of barePatterns(rule)) {
          const isHole = (policy.action !== 'ALLOW') !== isLeftOut;
          const port = isHole ? undefined : unusualPort(policy);
          if (!isHole && port === undefined) continue;
          // Nothing that the host is asked of comes to the policy, with or without a port.
          if (leaving.has(['spec', 'rules', r, ...field].slice(0, -2).join())) continue;
          yield {
            manifest: policy.manifest,
            field: ['spec', 'rules', r, ...field],
            what: isHole
              ? `"${host}" is not "${host}:${portOf(policy)}": the request with the port in its Host header ${passes}`
              : `clients of port ${port} send "${host}:${port}", which is not "${host}": ${policy.action === 'CUSTOM' ? 'it is left to the authorizer' : isLeftOut ? 'it is denied' : 'it is not allowed'}`,
            fix: adviceFor(host, isHole, portOf(policy)),
          };
        }
      }
    }
  },
};

/** What becomes of a request with the port in its Host header that a pattern without port lets slip. */
const PASSES: Readonly<Record<string, string>> = {
  ALLOW: 'is allowed',
  DENY: 'is not denied',
  CUSTOM: 'goes past the authorizer',
};

interface Pattern {
  readonly host: string;
  readonly isLeftOut: boolean;
  readonly field: FieldPath;
}

/** Hosts that no entry beside them names with a port. */
function* barePatterns({ to = [], when = [] }: AuthorizationRule): Generator<Pattern> {
  for (const [w, condition] of when.entries()) {
    if (!/^request\.headers\[(:authority|host)\]$/i.test(condition.key ?? '')) continue;
    for (const name of ['values', 'notValues'] as const)
      yield* bare(condition[name] ?? [], name === 'notValues', ['when', w, name]);
  }
  for (const [t, { operation = {} }] of to.entries()) {
    for (const name of ['hosts', 'notHosts'] as const) {
      yield* bare(operation[name] ?? [], name === 'notHosts', ['to', t, 'operation', name]);
    }
  }
}

function* bare(hosts: readonly string[], isLeftOut: boolean, field: FieldPath): Generator<Pattern> {
  for (const [h, host] of hosts.entries()) {
    if (host === '' || host.endsWith('*') || /:\d+$/.test(host)) continue;
    const isNamed = hosts.some((other) => other !== host && takesPort(other, host));
    if (!isNamed) yield { host, isLeftOut, field: [...field, h] };
  }
}

/** `shop.example.com:*`, `shop.example.com:8443` or `shop.example.com*`. */
function takesPort(pattern: string, host: string): boolean {
  const lower = pattern.toLowerCase();
  if (lower.startsWith(`${host.toLowerCase()}:`)) return true;
  return lower.endsWith('*') && `${host.toLowerCase()}:`.startsWith(lower.slice(0, -1));
}

/** A port that a Host header may name at the proxies of the policy, for an example: that of HTTPS, if they have it. */
function portOf({ proxies }: JudgingPolicy): number {
  const read = proxies.flatMap(({ ports }) => ports).filter(({ readsHttp }) => readsHttp !== 'no');
  const numbers = read.map(({ number, servicePort }) => servicePort ?? number);
  return numbers.includes(443) ? 443 : (numbers[0] ?? 443);
}

/** A port of a server whose clients have to name it: any but the usual one of their protocol. */
function unusualPort({ proxies }: JudgingPolicy): number | undefined {
  return proxies
    .filter(({ kind }) => kind === 'gateway')
    .flatMap(({ ports }) => ports)
    .find(({ readsHttp, servicePort }) => readsHttp === 'yes' && servicePort !== 80 && servicePort !== 443)
    ?.servicePort;
}

/** A pattern has one star, at one end: with one in front there is none for the port. */
function adviceFor(host: string, isHole: boolean, port: number): string {
  if (!host.startsWith('*')) return `Write "${host}:*" beside it.`;
  const named = `Write "${host}:${port}" and whatever other port clients may name beside it`;
  return isHole
    ? `${named}; to leave none open, allow the hosts that are served in place of sparing these.`
    : `${named}.`;
}
