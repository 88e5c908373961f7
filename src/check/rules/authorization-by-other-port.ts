import type { FieldPath } from '../../model/manifest';
import { type JudgedPort, type JudgedProxy, judgingPolicies } from '../authorization';
import type { AuthorizationRule } from '../istio';
import type { Rule } from '../rule';

/** What is wrong with a port, by the action of the policy and by whether the port is one that a rule names or leaves out. */
const EFFECTS: Readonly<Record<string, readonly [string, string]>> = {
  DENY: ['the rule denies nothing', 'the rule denies that port as well'],
  ALLOW: ['the rule allows nothing', 'the rule allows that port as well'],
  CUSTOM: ['nobody is asked', 'that port is asked about as well'],
  AUDIT: ['nothing is logged', 'that port is logged as well'],
};

export const rule: Rule = {
  id: 'EDGE519',
  name: 'authorization-by-other-port',
  severity: 'error',
  title: 'An AuthorizationPolicy names a port that no proxy of its workloads listens on',
  why: 'A sidecar, a gateway and ztunnel know the port of the Pod, which is the targetPort; only a waypoint knows the port of the Service. A rule for any other port never matches.',
  fix: 'Write the port that the proxy listens on: the targetPort of the Service, or at a waypoint the port of the Service.',
  see: 'https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation',
  reads: ['AuthorizationPolicy'],
  footguns: ['I07'],
  *check(context) {
    for (const { manifest, spec, action, proxies } of context.index(judgingPolicies)) {
      // Where one may listen on more than manifests tell, the port may be one of those.
      if (proxies.length === 0 || proxies.some(({ isWhole }) => !isWhole)) continue;
      const ports = proxies.flatMap((proxy) => proxy.ports);
      for (const [r, rule] of (spec.rules ?? []).entries()) {
        for (const { port, isLeftOut, field } of portsOf(rule)) {
          if (Number.isNaN(port) || ports.some(({ number }) => number === port)) continue;
          const meant = meantBy(proxies, port);
          const isExact = proxies.every(({ kind }) => kind === 'gateway' || kind === 'waypoint');
          const effect = EFFECTS[action]?.[isLeftOut ? 1 : 0];
          if (effect === undefined || (meant === undefined && !isExact && isLeftOut)) continue;
          yield {
            manifest,
            field: ['spec', 'rules', r, ...field],
            what: `${said(proxies)} ${proxies.length > 1 ? 'listen' : 'listens'} on ${list(ports)}, and not on ${port}${meant ? ` (${meant.what})` : ''}: ${effect}`,
            ...(meant ? { fix: meant.fix } : { severity: isExact ? ('warning' as const) : ('info' as const) }),
          };
        }
      }
    }
  },
};

interface NamedPort {
  readonly port: number;
  readonly isLeftOut: boolean;
  readonly field: FieldPath;
}

function* portsOf({ to = [], when = [] }: AuthorizationRule): Generator<NamedPort> {
  for (const [t, { operation = {} }] of to.entries()) {
    for (const name of ['ports', 'notPorts'] as const) {
      for (const [p, port] of (operation[name] ?? []).entries())
        yield { port: Number(port), isLeftOut: name === 'notPorts', field: ['to', t, 'operation', name, p] };
    }
  }
  for (const [w, condition] of when.entries()) {
    if (condition.key !== 'destination.port') continue;
    for (const name of ['values', 'notValues'] as const) {
      for (const [p, port] of (condition[name] ?? []).entries())
        yield { port: Number(port), isLeftOut: name === 'notValues', field: ['when', w, name, p] };
    }
  }
}

/** What whoever wrote the port had in mind: that of a Service in front of the Pods, or at a waypoint that of the Pods behind. */
function meantBy(proxies: readonly JudgedProxy[], port: number): { what: string; fix: string } | undefined {
  const found = proxies.flatMap(({ kind, ports }) =>
    ports
      .filter(({ servicePort, podPort }) => (kind === 'waypoint' ? podPort === port : servicePort === port))
      .map((one) => ({ kind, one })),
  );
  const [first] = found;
  if (first === undefined) return undefined;
  const numbers = [...new Set(found.map(({ one }) => one.number))].join(' and ');
  return first.kind === 'waypoint'
    ? {
        what: `the port of the Pods behind ${first.one.of}`,
        fix: `Write port ${numbers}: a waypoint knows the port of the Service.`,
      }
    : { what: `a port of ${first.one.of}`, fix: `Write port ${numbers}, to which port ${port} leads.` };
}

function said(proxies: readonly JudgedProxy[]): string {
  const names = [...new Set(proxies.map(({ kind, name }) => `the ${kind} of ${name}`))];
  return names.length > 3 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} others` : names.join(', ');
}

function list(ports: readonly JudgedPort[]): string {
  const numbers = [...new Set(ports.map(({ number }) => number))].sort((a, b) => a - b);
  return `port ${numbers.slice(0, 8).join(', ')}${numbers.length > 8 ? ' ...' : ''}`;
}
