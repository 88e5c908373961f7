/** Faults, mirrors and CORS of an HTTP route, as istiod's webhook asks for them (pkg/config/validation/validation.go of Istio 1.29). */
import type { FieldPath } from '../../model/manifest';
import { refusalOf } from '../../model/re2';
import type { CorsPolicy, HttpFault, StringMatch } from '../istio';
import { corsHeaderIssues } from './http-headers';
import type { Issue } from './issue';

const quote = JSON.stringify;

/** istiod knows these by name (pkg/util/grpc/codes.go). */
const GRPC = new Set(['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED']); // prettier-ignore
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', '*']);

/** 200 to 599 in its words, and 600 in its code. */
export function* statusIssues(status: number | undefined, field: FieldPath): Generator<Issue> {
  if (status !== undefined && (status < 200 || status > 600))
    yield { field, what: `${status} is no status of a response`, fix: 'Write a status from 200 to 599.' };
}

export function* percentageIssues(value: number | undefined, field: FieldPath, least = 0): Generator<Issue> {
  if (value !== undefined && (value < 0 || value > 100 || (value > 0 && value < least)))
    yield { field, what: `the percentage is ${value}`, fix: 'Write a number from 0 to 100.' };
}

export function* faultIssues({ abort, delay }: HttpFault, field: FieldPath): Generator<Issue> {
  if (!abort && !delay) yield { field, what: 'the fault is empty', fix: 'Write abort or delay, or leave it out.' };
  const least = 0.0001;
  yield* percentageIssues(abort?.percentage?.value, [...field, 'abort', 'percentage', 'value'], least);
  yield* percentageIssues(delay?.percentage?.value, [...field, 'delay', 'percentage', 'value'], least);
  yield* statusIssues(abort?.httpStatus, [...field, 'abort', 'httpStatus']);
  if (abort?.grpcStatus !== undefined && !GRPC.has(abort.grpcStatus))
    yield {
      field: [...field, 'abort', 'grpcStatus'],
      what: `${quote(abort.grpcStatus)} is no status of gRPC`,
      fix: 'Write its name, such as UNAVAILABLE.',
    };
  if (abort?.http2Error !== undefined)
    yield {
      field: [...field, 'abort', 'http2Error'],
      what: 'istiod has no faults by errors of HTTP/2',
      fix: 'Write httpStatus or grpcStatus.',
    };
  if (delay?.exponentialDelay !== undefined)
    yield {
      field: [...field, 'delay', 'exponentialDelay'],
      what: 'istiod has no delays that grow',
      fix: 'Write fixedDelay.',
    };
}

export function* corsIssues(policy: CorsPolicy, field: FieldPath): Generator<Issue> {
  for (const [at, origin] of (policy.allowOrigins ?? []).entries())
    yield* originIssues(origin, [...field, 'allowOrigins', at]);
  for (const [at, method] of (policy.allowMethods ?? []).entries())
    if (!METHODS.has(method))
      yield {
        field: [...field, 'allowMethods', at],
        what: `${quote(method)} is no method`,
        fix: 'Write methods in capitals, or *.',
      };
  for (const part of ['allowHeaders', 'exposeHeaders'] as const)
    for (const [at, name] of (policy[part] ?? []).entries()) yield* corsHeaderIssues(name, [...field, part, at]);
  const [, milliseconds = '0'] = /(\d+)ms/.exec(policy.maxAge ?? '') ?? [];
  if (/\.\d*[1-9]|us|µs|ns/.test(policy.maxAge ?? '') || Number(milliseconds) % 1000 !== 0)
    yield {
      field: [...field, 'maxAge'],
      what: `maxAge is ${policy.maxAge ?? ''}`,
      fix: 'Write whole seconds, such as 24h or 600s.',
    };
}

function* originIssues({ exact, prefix, regex }: StringMatch, field: FieldPath): Generator<Issue> {
  if (!exact && !prefix && !regex)
    yield { field, what: 'an allowed origin is empty', fix: 'Write exact, prefix or regex with a value.' };
  else if (regex !== undefined && refusalOf(regex) !== undefined)
    yield {
      field: [...field, 'regex'],
      what: `${quote(regex)} is no regular expression of RE2`,
      fix: 'Write it in the syntax of RE2: no lookahead, lookbehind or back reference.',
    };
}
