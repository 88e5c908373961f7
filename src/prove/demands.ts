/** What a rule demands of a request that arrives, and whether it is so. */
import type { Mesh } from '../model/mesh';
import { wayOf } from '../diff/way';
import { isOutside } from '../list/outside';
import type { Hop, TlsKind, Trace, TraceRequest } from '../trace/types';
import { gatewayNames } from './gateway-names';
import type { Rule, TlsLevel } from './rules';

export type Judged =
  /** The rule says nothing of it. */
  | { readonly is: 'no matter' }
  | { readonly is: 'kept' }
  | { readonly is: 'violated' | 'undecided'; readonly why: string };

const ENCRYPTED = new Set<TlsKind>(['SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL', 'APPLICATION']);

export function violationOf(mesh: Mesh, rule: Rule, told: Trace, request: TraceRequest): Judged {
  const way = wayOf(mesh, told, told.destination?.host ?? '');
  if (told.outcome !== 'delivered') return rule.is === 'forbid' ? { is: 'kept' } : { is: 'no matter' };
  if (rule.is === 'forbid') return { is: 'violated', why: `gets through: ${way.text}` };
  const judged = [
    through(mesh, rule, told),
    rule.tls === undefined ? undefined : tls(mesh, rule.tls, told, way.tls?.insecureSkipVerify === true, request),
    identity(rule, told),
    authenticated(rule, told, request),
  ].filter((one) => one !== undefined);
  return judged.find((one) => one.is === 'violated') ?? judged.find((one) => one.is === 'undecided') ?? { is: 'kept' };
}

function through(mesh: Mesh, { through: wanted }: Rule, { hops }: Trace): Judged | undefined {
  if (wanted === undefined) return undefined;
  const names = hops.flatMap((hop) => namesOf(mesh, hop));
  return names.includes(wanted)
    ? undefined
    : {
        is: 'violated',
        why: `arrives without ${wanted}: ${hops.map(({ proxy }) => `${proxy.kind} ${proxy.namespace}/${proxy.workload ?? '*'}`).join(', then ') || 'by no proxy'}`,
      };
}

/** The workload of a gateway, the Gateways that it stands for, and the Gateway that let the request in. */
function namesOf(mesh: Mesh, { proxy, decidedBy }: Hop): readonly string[] {
  const isGateway = /gateway|waypoint/.test(proxy.kind);
  const own = isGateway ? decidedBy.filter(({ kind }) => kind === 'Gateway') : [];
  return [
    ...gatewayNames(mesh, proxy.namespace, proxy.workload),
    ...own.map(({ namespace, name }) => `${namespace}/${name}`),
  ];
}

/** TLS on the connection that leaves the mesh; within it, on every connection between workloads; and on the one by which a client outside enters. */
function tls(
  mesh: Mesh,
  level: TlsLevel,
  told: Trace,
  isUnverified: boolean,
  { at }: TraceRequest,
): Judged | undefined {
  if (level === 'plain') return undefined;
  const { hops, destination } = told;
  const [first] = hops;
  if (at !== undefined && first !== undefined && !ENCRYPTED.has(first.receives.tls))
    return { is: 'violated', why: `enters in plain text at ${at}` };
  const last = hops[hops.length - 1];
  const isServers = hops.length > 1 && (last?.proxy.kind === 'sidecar' || last?.proxy.kind === 'ztunnel');
  const legs: readonly TlsKind[] = isOutside(mesh, told)
    ? [destination?.tls ?? 'NONE']
    : (isServers ? hops.slice(0, -1) : hops).map(({ sends }) => sends?.tls ?? 'NONE');
  const plain = legs.find((one) => !ENCRYPTED.has(one));
  if (plain !== undefined)
    return { is: 'violated', why: `arrives in plain text at ${destination?.host ?? ''}:${destination?.port ?? ''}` };
  if (level === 'encrypted') return undefined;
  if (isUnverified)
    return { is: 'violated', why: 'arrives over TLS of a server that nobody verifies (insecureSkipVerify)' };
  return legs.includes('APPLICATION')
    ? {
        is: 'undecided',
        why: "the application's own TLS passes through: whether it verifies the server no manifest tells",
      }
    : undefined;
}

function identity({ identity: wanted }: Rule, { hops }: Trace): Judged | undefined {
  if (wanted === undefined || wanted === 'false') return undefined;
  const seen = hops.flatMap((hop) => (hop.identity === undefined ? [] : [hop.identity]));
  if (seen.length === 0) return { is: 'violated', why: 'arrives without an identity of the mesh' };
  const slash = wanted.indexOf('/');
  const account = `ns/${wanted.slice(0, slash)}/sa/${wanted.slice(slash + 1)}`;
  const isIt = (one: string): boolean => wanted === 'true' || one === wanted || one.endsWith(account);
  return seen.some(isIt) ? undefined : { is: 'violated', why: `arrives as ${seen.join(', then ')}` };
}

/** By a certificate, of the mesh or of its own, or by a token: who carries one that no issuer of a proxy's signed does not get through. */
function authenticated(
  { authenticated: wanted }: Rule,
  { hops }: Trace,
  { at, tokens }: TraceRequest,
): Judged | undefined {
  if (!wanted || tokens !== undefined) return undefined;
  // Whoever is outside shows itself to the first proxy, or not at all: the identity that a gateway shows further on is its own.
  const [first] = hops;
  const ofCaller = at === undefined ? first?.identity : undefined;
  const isShown = ofCaller !== undefined || first?.receives.tls === 'MUTUAL' || first?.receives.tls === 'ISTIO_MUTUAL';
  return isShown ? undefined : { is: 'violated', why: 'arrives without showing who it is' };
}
