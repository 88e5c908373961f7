/** Names and values of headers, as istiod's webhook asks for them (pkg/config/validation/validation.go, header_value_validator.go of Istio 1.29). */
import type { FieldPath } from '../../model/manifest';
import type { HeaderOperations } from '../istio';
import type { Issue } from './issue';

const quote = JSON.stringify;

/** A token of RFC 7230. */
const TOKEN = /^[!#$%&'*+\-.^_`|~A-Za-z0-9]+$/;
const PSEUDO = [':method', ':scheme', ':authority', ':path', ':status'];
/** pkg/jwt/routing.go */
const CLAIM = /^@request\.auth\.claims(\..+|\[.+\])$/i;

/** Whether a match on this header is one on a claim of a token. */
export const isClaim = (name: string): boolean => CLAIM.test(name);

/** The name of a header that a match is about. */
export function* matchedHeaderIssues(name: string, field: FieldPath): Generator<Issue> {
  if (PSEUDO.includes(name) || isClaim(name) || TOKEN.test(name)) return;
  yield wrongHeader(name, field);
}

/** What CORS names: `*` stands for all. */
export function* corsHeaderIssues(name: string, field: FieldPath): Generator<Issue> {
  if (name !== '*' && !TOKEN.test(name)) yield wrongHeader(name, field);
}

function wrongHeader(name: string, field: FieldPath): Issue {
  return {
    field,
    what: name === '' ? 'the name of a header is empty' : `${quote(name)} is no name of a header`,
    fix: 'Write a name of letters, digits and hyphens.',
  };
}

/** What a rule or a destination does to the headers of requests and answers. */
export function* headerOperationIssues(
  { request, response }: { readonly request?: HeaderOperations; readonly response?: HeaderOperations },
  field: FieldPath,
): Generator<Issue> {
  for (const [side, operations] of [
    ['request', request],
    ['response', response],
  ] as const) {
    for (const verb of ['add', 'set'] as const) {
      for (const [name, value] of Object.entries(operations?.[verb] ?? {})) {
        const at = [...field, side, verb, name];
        yield* changedHeaderIssues(name, at, side === 'request');
        const wrong = wrongValue(value);
        if (wrong !== undefined)
          yield { field: at, what: `the value ${quote(value)} of a header ${wrong}`, fix: 'Write %% for a percent sign, and %NAME% for what Envoy knows.' }; // prettier-ignore
      }
    }
    for (const [at, name] of (operations?.remove ?? []).entries())
      yield* changedHeaderIssues(name, [...field, side, 'remove', at], false);
  }
}

function* changedHeaderIssues(name: string, field: FieldPath, mayBeAuthority: boolean): Generator<Issue> {
  if (name === '') yield wrongHeader(name, field);
  else if (mayBeAuthority && /^(:authority|host)$/i.test(name)) return;
  else if (name.startsWith(':') || /^host$/i.test(name))
    yield {
      field,
      what: `the header ${quote(name)} cannot be changed there`,
      fix: 'Only add and set of requests may name host or :authority; for paths write rewrite.uri.',
    };
}

/** How Envoy's parser of `%NAME%` and `%NAME(arguments)%` fails (source/common/router/header_parser.cc); undefined if it does not. */
function wrongValue(value: string): string | undefined {
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) return 'has control characters';
  const rest = value.replace(/%%/g, '');
  if (!rest.includes('%')) return undefined;
  const list = /\[ *"(?:[^"\\]|\\.)*" *(?:, *"(?:[^"\\]|\\.)*" *)*\] */.source;
  const variable = new RegExp(`^(?:[^%]|%[^%(]*(?:\\((?: *${list}|(?! *\\[)(?:[^)\\\\]|\\\\.)*)\\) *)?%)*$`);
  return variable.test(rest) ? undefined : 'has a percent sign that begins no %NAME%';
}
