/**
 * Matchers for jest: unit tests of what may cross the edge. Importing this module registers them.
 *
 * ```ts
 * import 'cdk8s-mesh-edge/jest';
 * expect(chart).toDeliver({ from: 'shop/payments', to: 'https://api.stripe.com/', via: 'istio-egress/egress' });
 * ```
 */
import { type CheckResult, SEVERITIES, type Severity } from '../check/finding';
import { check } from '../check/check';
import type { MeshOptions } from '../model/mesh-options';
import { printable } from '../model/printable';
import { acceptedMesh } from '../check/accepted';
import { formatText } from '../report/text';
import { tlsLabel, traceText } from '../report/trace-text';
import { trace, whyUnknown } from '../trace/index';
import type { TlsKind, Trace, TraceRequest } from '../trace/types';
import { loadSubject } from '../model/subject';
import { type MatcherResult, toAlwaysPass, toNeverReach, toOnlyReach } from './every-request';

export { toAlwaysPass, toNeverReach, toOnlyReach };

interface RequestExpectation extends Omit<TraceRequest, 'request'> {
  readonly to: string;
  readonly mesh?: MeshOptions;
}

export interface DeliverExpectation extends RequestExpectation {
  /** Gateways on the way, in order, as `namespace/workload` or by the workload alone; an empty list for none. */
  readonly via?: string | readonly string[];
  /** TLS with which the request leaves the last proxy. */
  readonly tls?: TlsKind;
  readonly sni?: string;
  /** `host` or `host:port` where it arrives. */
  readonly destination?: string;
}

export interface RefuseExpectation extends RequestExpectation {
  /** Null for a connection that is closed. */
  readonly status?: number | null;
  /** Envoy's own word: `BlackHoleCluster`, `RBAC`, `NR` ... */
  readonly code?: string;
}

export interface AnswerExpectation extends RequestExpectation {
  readonly status?: number;
  /** Where a redirect leads. */
  readonly location?: string;
}

export interface FindingsExpectation {
  /** Findings less serious than this are let pass. Default: `error`. */
  readonly failOn?: Severity;
  readonly mesh?: MeshOptions;
}

const GATEWAYS = new Set(['egress-gateway', 'ingress-gateway', 'envoy-gateway', 'waypoint']);

export function toDeliver(subject: unknown, expected: DeliverExpectation): MatcherResult {
  const { result, request } = follow(subject, expected, 'toDeliver');
  const wrong: string[] = [];
  if (result.outcome !== 'delivered') wrong.push(`expected it to be delivered, and it is ${outcomeText(result)}`);
  else {
    const { destination } = result;
    const passed = result.hops
      .filter((hop) => GATEWAYS.has(hop.proxy.kind))
      .map(({ proxy }) => `${proxy.namespace}/${proxy.workload ?? ''}`)
      // A gateway that opens the hop's TLS hands what is inside to a listener of its own: it is passed once.
      .filter((name, index, all) => name !== all[index - 1]);
    if (expected.via !== undefined) {
      const wanted = typeof expected.via === 'string' ? [expected.via] : expected.via;
      const isMet =
        wanted.length === passed.length &&
        wanted.every((name, index) => passed[index] === name || passed[index]?.split('/')[1] === name);
      if (!isMet) wrong.push(`expected it to pass ${listOf(wanted)}, and it passes ${listOf(passed)}`);
    }
    if (expected.tls !== undefined && destination?.tls !== expected.tls)
      wrong.push(
        `expected tls ${expected.tls} on the way out, and it is ${destination?.tls ?? 'NONE'} (${destination === null ? '' : tlsLabel(destination)})`,
      );
    if (expected.sni !== undefined && destination?.sni !== expected.sni)
      wrong.push(`expected SNI ${expected.sni}, and it is ${destination?.sni ?? 'none'}`);
    if (expected.destination !== undefined) {
      const arrived = [destination?.host, `${destination?.host ?? ''}:${destination?.port ?? ''}`];
      if (!arrived.includes(expected.destination))
        wrong.push(`expected it to arrive at ${expected.destination}, and it arrives at ${arrived[1] ?? ''}`);
    }
  }
  return verdict(wrong, 'expected it not to be delivered like this', result, request);
}

export function toRefuse(subject: unknown, expected: RefuseExpectation): MatcherResult {
  const { result, request } = follow(subject, expected, 'toRefuse');
  const wrong: string[] = [];
  if (result.outcome !== 'refused') wrong.push(`expected it to be refused, and it is ${outcomeText(result)}`);
  else {
    const { refusal } = result;
    if (expected.status !== undefined && refusal?.status !== expected.status)
      wrong.push(`expected ${statusText(expected.status)}, and it is ${statusText(refusal?.status ?? null)}`);
    if (expected.code !== undefined && refusal?.code !== expected.code)
      wrong.push(`expected code ${expected.code}, and it is ${refusal?.code ?? 'none'}`);
  }
  return verdict(wrong, 'expected it not to be refused like this', result, request);
}

export function toAnswer(subject: unknown, expected: AnswerExpectation): MatcherResult {
  const { result, request } = follow(subject, expected, 'toAnswer');
  const wrong: string[] = [];
  const { answer } = result;
  if (answer === undefined) wrong.push(`expected a proxy to answer it by itself, and it is ${outcomeText(result)}`);
  else {
    if (expected.status !== undefined && answer.status !== expected.status)
      wrong.push(`expected ${statusText(expected.status)}, and it is ${statusText(answer.status)}`);
    if (expected.location !== undefined && answer.location !== expected.location)
      wrong.push(`expected Location ${expected.location}, and it is ${answer.location ?? 'none'}`);
  }
  return verdict(wrong, 'expected it not to be answered like this', result, request);
}

export function toHaveNoFindings(subject: unknown, expected: FindingsExpectation = {}): MatcherResult {
  const failOn = expected.failOn ?? 'error';
  if (!SEVERITIES.includes(failOn))
    throw new TypeError(`toHaveNoFindings: failOn is "${String(failOn)}", not one of ${SEVERITIES.join(', ')}`);
  const all = check(loadSubject(subject, 'toHaveNoFindings'), expected.mesh ?? {});
  const serious = SEVERITIES.slice(0, SEVERITIES.indexOf(failOn) + 1);
  const findings = all.findings.filter(({ severity }) => serious.includes(severity));
  const shown: CheckResult = { ...all, findings };
  return {
    pass: findings.length === 0,
    message: () =>
      findings.length === 0 ? 'expected findings, and there are none' : formatText(shown, { color: false }),
  };
}

function follow(
  subject: unknown,
  expected: RequestExpectation,
  matcher: string,
): { readonly result: Trace; readonly request: TraceRequest } {
  if (typeof expected !== 'object' || typeof expected.from !== 'string' || typeof expected.to !== 'string')
    throw new TypeError(`${matcher} takes { from, to }: from is NAMESPACE/WORKLOAD, to a URL`);
  const { from, to, address, method, headers, labels, serviceAccount, at, mesh } = expected;
  const optional = { address, method, headers, labels, serviceAccount, at };
  const request: TraceRequest = {
    from,
    request: to,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
  return { result: trace(acceptedMesh(loadSubject(subject, matcher).manifests, mesh ?? {}), request), request };
}

function verdict(wrong: readonly string[], negated: string, result: Trace, request: TraceRequest): MatcherResult {
  const pass = wrong.length === 0;
  return {
    pass,
    message: () =>
      `${pass ? negated : wrong.map(printable).join('\n')}\n\n${traceText(result, request, { color: false })}`,
  };
}

function outcomeText(told: Trace): string {
  const { outcome, refusal, answer } = told;
  if (answer !== undefined)
    return `answered by the proxy itself (${answer.status}${answer.location === undefined ? '' : ` to ${answer.location}`})`;
  if (refusal !== null) return `refused (${refusal.code}, ${statusText(refusal.status)})`;
  return outcome === 'unknown' ? `unknown: ${whyUnknown(told)}` : outcome;
}

function statusText(status: number | null): string {
  return status === null ? 'a closed connection' : `status ${status}`;
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? 'no gateway' : names.join(', then ');
}

interface Expect {
  extend(matchers: Record<string, unknown>): void;
}

const runner = (globalThis as { expect?: Expect }).expect;
if (runner === undefined)
  throw new Error('cdk8s-mesh-edge/jest is for tests: import it in a test file, or in setupFilesAfterEnv of jest');
runner.extend({ toDeliver, toRefuse, toAnswer, toHaveNoFindings, toNeverReach, toOnlyReach, toAlwaysPass });
