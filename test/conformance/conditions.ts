/** What a test says of the state of objects: which of them a controller refuses, and what `check` says of those and of the others. */
import { check } from '../../src/check/check';
import type { Finding } from '../../src/check/finding';
import { record, text, type Json } from '../../src/model/fields';
import { CHANGES } from './asks';
import type { Call, UpstreamTest } from './source';
import { worldOf, type Implementation } from './worlds';

/** A state that tells of something amiss with an object, or with a part of it. */
export interface Amiss {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** `ResolvedRefs False (BackendNotFound)`. */
  readonly states: readonly string[];
  readonly line: number;
}

const KINDS = /(HTTPRoute|GRPCRoute|TLSRoute|TCPRoute|UDPRoute|ListenerSet|BackendTLSPolicy|SecurityPolicy|BackendTrafficPolicy|ClientTrafficPolicy|EnvoyExtensionPolicy|EnvoyPatchPolicy|Gateway)/; // prettier-ignore

/** Conditions that are amiss where they are true; of the others, where they are false. */
const BAD = new Set(['Conflicted', 'PartiallyInvalid']);

function statesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(statesIn);
  if (value === null || typeof value !== 'object') return [];
  const { Type: type, Status: status, Reason: reason } = value as Json;
  if (typeof type !== 'string' || status === undefined) return Object.values(value).flatMap(statesIn);
  const isTrue = (text(record(status).unknown) || text(status)).endsWith('True');
  if (isTrue !== BAD.has(type)) return [];
  const why = typeof reason === 'string' ? reason : text(record(reason).unknown);
  return [`${type} ${isTrue ? 'True' : 'False'}${why === '' ? '' : ` (${why})`}`];
}

function amissBy({ call, args, line }: Call): Amiss | undefined {
  const kind = KINDS.exec(call.replace(/^\w+\./, ''))?.[1];
  const object = args.map(record).find((one) => one.type === 'types.NamespacedName');
  if (kind === undefined || object === undefined || !/Must/.test(call)) return undefined;
  const [namespace, name] = [text(object.Namespace), text(object.Name)];
  const states = /MustHaveNoAcceptedParents$/.test(call) ? ['no parent accepts it'] : /MustFail$/.test(call) ? ['Accepted False'] : statesIn(args); // prettier-ignore
  return states.length === 0 ? undefined : { kind, namespace, name, states, line };
}

export interface Judged {
  readonly test: string;
  readonly amiss: readonly Amiss[];
  /** What is amiss and `check` says nothing of. */
  readonly unsaid: readonly Amiss[];
  /** Errors about objects that nothing is amiss with by the test. */
  readonly errors: readonly Finding[];
}

export function judgeTest(test: UpstreamTest, implementation: Implementation): Judged {
  // What is said of objects that the test has changed before is not of its manifests.
  const changed = test.calls.findIndex(({ call }) => CHANGES.test(call));
  const calls = changed < 0 ? test.calls : test.calls.slice(0, changed);
  const amiss = calls.map(amissBy).filter((one) => one !== undefined);
  const { findings } = check(worldOf(test, implementation), implementation.options);
  const said = (one: Amiss): boolean => findings.some(({ object, severity }) => object != null && severity !== 'info' && object.kind.endsWith(one.kind) && object.namespace === one.namespace && object.name === one.name); // prettier-ignore
  return {
    test: test.name,
    amiss,
    unsaid: amiss.filter((one) => !said(one)),
    errors: findings.filter(({ severity, object }) => severity === 'error' && !amiss.some((one) => object != null && object.kind.endsWith(one.kind) && object.namespace === one.namespace && object.name === one.name)), // prettier-ignore
  };
}
