/** What istiod's webhook refuses in an HTTP route of a VirtualService (pkg/config/validation/virtualservice.go of Istio 1.29). */
import { STATUS_CODES } from 'node:http';
import type { FieldPath } from '../../model/manifest';
import type { HttpMatch, HttpRoute, StringMatch } from '../istio';
import { headerOperationIssues, matchedHeaderIssues } from './http-headers';
import { corsIssues, faultIssues, percentageIssues, statusIssues } from './http-policies';
import { type Issue, labelIssues } from './issue';
import { isDnsLabel } from './names';
import { destinationIssues, destinationsIssues, gatewayNameIssues, matchPortIssues } from './destinations';
import { refusalOf } from '../../model/re2';

const quote = JSON.stringify;

/** Words of Envoy's retry_on; a status code is allowed as well. */
const RETRY_ON = new Set(['5xx', 'gateway-error', 'reset', 'reset-before-request', 'connect-failure', 'envoy-ratelimited', 'retriable-4xx', 'refused-stream', 'retriable-status-codes', 'retriable-headers', 'http3-post-connect-failure', 'cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable']); // prettier-ignore

/** What Go has words for (net/http, StatusText). */
const STATUSES = new Set(Object.keys(STATUS_CODES).filter((status) => status !== '509'));

export function* httpRouteIssues(route: HttpRoute, isDelegate: boolean, field: FieldPath): Generator<Issue> {
  yield* conflictIssues(route, isDelegate, field);
  for (const [at, match] of (route.match ?? []).entries()) yield* matchIssues(match, [...field, 'match', at]);
  yield* destinationsIssues(route.route ?? [], [...field, 'route']);
  if (route.mirror) yield* destinationIssues(route.mirror, [...field, 'mirror']);
  for (const [at, { destination, percentage }] of (route.mirrors ?? []).entries()) {
    if (destination) yield* destinationIssues(destination, [...field, 'mirrors', at, 'destination']);
    else yield { field: [...field, 'mirrors', at], what: 'a mirror has no destination', fix: 'Write destination.' };
    yield* percentageIssues(percentage?.value, [...field, 'mirrors', at, 'percentage']);
  }
  yield* retryIssues(route, [...field, 'retries']);
  yield* redirectIssues(route, [...field, 'redirect']);
  yield* statusIssues(route.directResponse?.status, [...field, 'directResponse', 'status']);
  yield* percentageIssues(route.mirrorPercentage?.value, [...field, 'mirrorPercentage']);
  yield* headerOperationIssues(route.headers ?? {}, [...field, 'headers']);
  if (route.fault) yield* faultIssues(route.fault, [...field, 'fault']);
  if (route.corsPolicy) yield* corsIssues(route.corsPolicy, [...field, 'corsPolicy']);
  yield* rewriteIssues(route, [...field, 'rewrite']);
}

function* conflictIssues(route: HttpRoute, isDelegate: boolean, field: FieldPath): Generator<Issue> {
  const destinations = route.route ?? [];
  const clash = (a: string, b: string): Issue => ({
    field,
    what: `an HTTP route has both ${a} and ${b}`,
    fix: `Keep one of them; write a route of its own for the other.`,
  });
  if (route.delegate && !isDelegate) {
    if (route.redirect) yield clash('delegate', 'redirect');
    if (route.route) yield clash('delegate', 'route');
    return;
  }
  if (route.delegate)
    yield {
      field: [...field, 'delegate'],
      what: 'a delegate delegates again',
      fix: 'Delegate from the root VirtualService only.',
    };
  const answer = route.redirect ? 'redirect' : route.directResponse ? 'directResponse' : undefined;
  if (answer) {
    if (destinations.length > 0) yield clash('route', answer);
    if (route.fault) yield clash('fault', answer);
    if (route.rewrite) yield clash('rewrite', answer);
    if (route.redirect && route.directResponse) yield clash('redirect', 'directResponse');
  } else if (destinations.length === 0) {
    yield {
      field,
      what: 'an HTTP route leads nowhere',
      fix: 'Write route with a destination, redirect, or directResponse.',
    };
  }
  if (route.mirror && (route.mirrors ?? []).length > 0) yield clash('mirror', 'mirrors');
}

function* matchIssues(match: HttpMatch, field: FieldPath): Generator<Issue> {
  yield* matchPortIssues(match.port, [...field, 'port']);
  yield* gatewayNameIssues(match.gateways ?? [], [...field, 'gateways']);
  yield* labelIssues(match.sourceLabels, [...field, 'sourceLabels']);
  if (match.sourceNamespace && !isDnsLabel(match.sourceNamespace))
    yield {
      field: [...field, 'sourceNamespace'],
      what: `${quote(match.sourceNamespace)} is no namespace`,
      fix: 'Write the name of a namespace.',
    };
  yield* stringMatchIssues(match.uri, [...field, 'uri'], true);
  for (const part of ['scheme', 'method', 'authority'] as const)
    yield* stringMatchIssues(match[part], [...field, part]);
  for (const part of ['headers', 'queryParams', 'withoutHeaders'] as const) {
    for (const [name, value] of Object.entries(match[part] ?? {})) {
      if (part !== 'queryParams') yield* matchedHeaderIssues(name, [...field, part, name]);
      if (part === 'withoutHeaders' && value.regex === '*') continue;
      yield* stringMatchIssues(value, [...field, part, name]);
    }
  }
}

function* stringMatchIssues(match: StringMatch | undefined, field: FieldPath, mayBeEmpty = false): Generator<Issue> {
  if (match?.prefix === '' && !mayBeEmpty)
    yield { field: [...field, 'prefix'], what: 'the prefix is empty', fix: 'Write a prefix, or leave the match out.' };
  if (match?.regex === undefined) return;
  if (match.regex === '')
    yield {
      field: [...field, 'regex'],
      what: 'the regular expression is empty',
      fix: 'Write an expression, or leave the match out.',
    };
  else yield* expressionIssues(match.regex, [...field, 'regex']);
}

function* expressionIssues(regex: string, field: FieldPath): Generator<Issue> {
  if (regex.length > 1024)
    yield {
      field,
      what: `the regular expression has ${regex.length} characters`,
      fix: 'Write at most 1024 characters.',
    };
  else if (refusalOf(regex) !== undefined) {
    yield {
      field,
      what: `${quote(regex)} is no regular expression of RE2`,
      fix: 'Write it in the syntax of RE2: no lookahead, lookbehind or back reference.',
    };
  }
}

function* retryIssues({ retries }: HttpRoute, field: FieldPath): Generator<Issue> {
  if (!retries) return;
  const { attempts = 0, perTryTimeout, retryOn } = retries;
  if (attempts < 0)
    yield { field: [...field, 'attempts'], what: `attempts is ${attempts}`, fix: 'Write 0 (no retries) or more.' };
  if (attempts === 0 && (perTryTimeout || retryOn))
    yield {
      field,
      what: 'attempts is 0 (no retries), and retryOn or perTryTimeout is set',
      fix: 'Write attempts, or leave the others out.',
    };
  for (const word of (retryOn ?? '').split(',').filter(Boolean)) {
    if (!RETRY_ON.has(word) && !STATUSES.has(word))
      yield {
        field: [...field, 'retryOn'],
        what: `${quote(word)} is no condition for a retry`,
        fix: "Write words of Envoy's retry_on such as connect-failure, refused-stream or 503, with commas and no spaces.",
      };
  }
}

function* redirectIssues({ redirect, match = [] }: HttpRoute, field: FieldPath): Generator<Issue> {
  if (!redirect) return;
  const { uri, prefixRewrite, authority, scheme, port, derivePort, redirectCode = 0 } = redirect;
  if (uri && prefixRewrite)
    yield { field, what: 'a redirect has both uri and prefixRewrite', fix: 'Keep one of them.' };
  else if (prefixRewrite && match.some((one) => one.uri !== undefined && one.uri.prefix === undefined))
    yield {
      field: [...field, 'prefixRewrite'],
      what: 'prefixRewrite is set, and the route matches a uri that is no prefix',
      fix: 'Match prefixes only, or write uri.',
    };
  if (!uri && !prefixRewrite && !authority && !scheme && port === undefined && derivePort === undefined)
    yield {
      field,
      what: 'a redirect says nothing of where to',
      fix: 'Write uri, prefixRewrite, authority, scheme or port.',
    };
  if (redirectCode !== 0 && (redirectCode < 300 || redirectCode > 399))
    yield {
      field: [...field, 'redirectCode'],
      what: `${redirectCode} is no status of a redirect`,
      fix: 'Write a status from 300 to 399.',
    };
  if (scheme && scheme !== 'http' && scheme !== 'https')
    yield { field: [...field, 'scheme'], what: `the scheme is ${quote(scheme)}`, fix: 'Write http or https.' };
}

function* rewriteIssues({ rewrite, headers }: HttpRoute, field: FieldPath): Generator<Issue> {
  if (rewrite) {
    if (rewrite.uri && rewrite.uriRegexRewrite)
      yield { field, what: 'rewrite has both uri and uriRegexRewrite', fix: 'Keep one of them.' };
    if (!rewrite.uri && !rewrite.uriRegexRewrite && !rewrite.authority)
      yield { field, what: 'rewrite is empty', fix: 'Write uri, uriRegexRewrite or authority, or leave it out.' };
    if (rewrite.uriRegexRewrite && (!rewrite.uriRegexRewrite.match || !rewrite.uriRegexRewrite.rewrite))
      yield {
        field: [...field, 'uriRegexRewrite'],
        what: 'uriRegexRewrite needs both match and rewrite',
        fix: 'Write both.',
      };
    else if (rewrite.uriRegexRewrite?.match)
      yield* expressionIssues(rewrite.uriRegexRewrite.match, [...field, 'uriRegexRewrite', 'match']);
  }
  const sets = [...Object.keys(headers?.request?.set ?? {}), ...Object.keys(headers?.request?.add ?? {})].filter(
    (name) => /^(:authority|host)$/i.test(name),
  );
  if (sets.length + (rewrite?.authority ? 1 : 0) > 1)
    yield {
      field,
      what: 'the authority is set more than once, by rewrite and headers',
      fix: 'Set it in rewrite.authority only.',
    };
}
