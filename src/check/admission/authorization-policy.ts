/** What istiod's webhook refuses in an AuthorizationPolicy (pkg/config/validation and pkg/config/security of Istio 1.29). */
import type { FieldPath, Manifest } from '../../model/manifest';
import { ISTIO_SWITCHES, type IstioBehavior } from '../../model/release-behavior';
import { type AuthorizationOperation, type AuthorizationRule, type AuthorizationSource, specOf } from '../istio';
import { type Issue, policyTargetIssues } from './issue';
import { isAddressOrCidr } from './names';

const quote = JSON.stringify;

/** The first patch release that reads them. */
const [TRUST_DOMAINS = ISTIO_SWITCHES.knowsTrustDomains.since] = ISTIO_SWITCHES.knowsTrustDomains.patches ?? [];
const SOURCE_LISTS = ['principals', 'notPrincipals', 'requestPrincipals', 'notRequestPrincipals', 'namespaces', 'notNamespaces', 'serviceAccounts', 'notServiceAccounts', 'ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks', 'trustDomains', 'notTrustDomains'] as const; // prettier-ignore
const OPERATION_LISTS = [
  'hosts',
  'notHosts',
  'ports',
  'notPorts',
  'methods',
  'notMethods',
  'paths',
  'notPaths',
] as const;
/** Identities: an external authorizer is asked before they are known. */
const NOT_FOR_CUSTOM = ['namespaces', 'notNamespaces', 'serviceAccounts', 'notServiceAccounts', 'principals', 'notPrincipals', 'requestPrincipals', 'notRequestPrincipals', 'trustDomains', 'notTrustDomains'] as const; // prettier-ignore

const ATTRIBUTES = new Set(['source.ip', 'remote.ip', 'source.namespace', 'source.serviceAccount', 'source.principal', 'request.auth.principal', 'request.auth.audiences', 'request.auth.presenter', 'destination.ip', 'destination.port', 'connection.sni']); // prettier-ignore
const MAP_ATTRIBUTES = ['request.headers', 'request.auth.claims', 'experimental.envoy.filters.'];

export function* authorizationPolicyIssues(manifest: Manifest, istio: IstioBehavior): Generator<Issue> {
  const spec = specOf('AuthorizationPolicy', manifest);
  const { action = 'ALLOW', provider, rules } = spec;
  yield* policyTargetIssues(spec);
  if (action === 'CUSTOM' && !rules)
    yield {
      field: ['spec'],
      what: 'action is CUSTOM, and there are no rules',
      fix: 'Write rules; an empty rule {} is for every request.',
      why: 'Without rules the policy is never met.',
    };
  if (action === 'CUSTOM' && rules && !provider?.name)
    yield {
      field: ['spec', 'provider'],
      what: 'action is CUSTOM, and there is no provider',
      fix: 'Name an extension provider of the mesh configuration.',
    };
  if (action !== 'CUSTOM' && provider)
    yield {
      field: ['spec', 'provider'],
      what: `a provider is set, and action is ${action}`,
      fix: 'Write action: CUSTOM, or remove the provider.',
    };
  if (action === 'DENY' && !rules)
    yield {
      field: ['spec'],
      what: 'action is DENY, and there are no rules',
      fix: 'Write rules; an empty rule {} denies every request.',
      why: 'Without rules the policy is never met.',
    };
  for (const [at, rule] of (rules ?? []).entries()) yield* ruleIssues(rule, action, istio, ['spec', 'rules', at]);
}

function* ruleIssues(
  rule: AuthorizationRule,
  action: string,
  istio: IstioBehavior,
  field: FieldPath,
): Generator<Issue> {
  if (rule.from?.length === 0)
    yield {
      field: [...field, 'from'],
      what: 'from is empty',
      fix: 'Write a source, or leave from out to mean anyone.',
    };
  if (rule.to?.length === 0)
    yield {
      field: [...field, 'to'],
      what: 'to is empty',
      fix: 'Write an operation, or leave to out to mean anything.',
    };
  for (const [at, { source }] of (rule.from ?? []).entries())
    yield* sourceIssues(source, action, [...field, 'from', at]);
  for (const [at, { operation }] of (rule.to ?? []).entries()) yield* operationIssues(operation, [...field, 'to', at]);
  for (const [at, { key = '', values = [], notValues = [] }] of (rule.when ?? []).entries()) {
    const inner = [...field, 'when', at];
    if (values.length + notValues.length === 0)
      yield {
        field: inner,
        what: `the condition ${quote(key)} has neither values nor notValues`,
        fix: 'Write values.',
      };
    if (key !== 'source.trustDomain') yield* attributeIssues(key, [...values, ...notValues], [...inner, 'key']);
    else if (!istio.knowsTrustDomains)
      yield {
        field: [...inner, 'key'],
        what: `there is no attribute ${quote(key)} here: it needs Istio ${TRUST_DOMAINS}`,
        fix: `Install Istio ${TRUST_DOMAINS} or newer, or name principals such as corp.example/*.`,
      };
    if (
      action === 'CUSTOM' &&
      (/^source\.(namespace|serviceAccount|principal|trustDomain)$/.test(key) || key.startsWith('request.auth.'))
    ) {
      yield {
        field: [...inner, 'key'],
        what: `action is CUSTOM, and the condition is on ${key}`,
        fix: 'Leave it to the external authorizer.',
      };
    }
  }
}

function* sourceIssues(source: AuthorizationSource | undefined, action: string, field: FieldPath): Generator<Issue> {
  if (!source || SOURCE_LISTS.every((name) => (source[name] ?? []).length === 0)) {
    yield {
      field,
      what: 'a source is empty',
      fix: 'Write who it is: principals, namespaces, ipBlocks ...; leave from out to mean anyone.',
    };
    return;
  }
  const accounts = [...(source.serviceAccounts ?? []), ...(source.notServiceAccounts ?? [])];
  const others = (['principals', 'notPrincipals', 'namespaces', 'notNamespaces'] as const).filter(
    (name) => (source[name] ?? []).length > 0,
  );
  if (accounts.length > 0 && others.length > 0)
    yield {
      field,
      what: `serviceAccounts and ${others.join(', ')} are both set`,
      fix: 'Keep serviceAccounts: it names the namespace as well.',
    };
  for (const name of SOURCE_LISTS) {
    for (const [at, value] of (source[name] ?? []).entries()) {
      const inner = [...field, 'source', name, at];
      if (value === '') yield { field: inner, what: `${name} has an empty value`, fix: 'Remove it.' };
      else if (/ipblocks$/i.test(name) && !isAddressOrCidr(value))
        yield {
          field: inner,
          what: `${quote(value)} is no IP address or CIDR block`,
          fix: 'Write an address or a block such as 10.0.0.0/8.',
        };
      else if (
        /trustdomains$/i.test(name) &&
        (value.includes('/') || /.\*./.test(value) || value.split('*').length > 2)
      )
        yield {
          field: inner,
          what: `${quote(value)} is no trust domain`,
          fix: 'Write a trust domain such as cluster.local; a * may stand at its beginning or end.',
        };
      else if (/serviceaccounts$/i.test(name) && (value.includes('*') || !/^([^/]+\/)?[^/]+$/.test(value)))
        yield {
          field: inner,
          what: `${quote(value)} is no service account`,
          fix: 'Write name or namespace/name; wildcards are not allowed.',
        };
    }
  }
  if (action !== 'CUSTOM') return;
  for (const name of NOT_FOR_CUSTOM) {
    if ((source[name] ?? []).length > 0)
      yield {
        field: [...field, 'source', name],
        what: `action is CUSTOM, and the source has ${name}`,
        fix: 'Leave it to the external authorizer.',
      };
  }
}

function* operationIssues(operation: AuthorizationOperation | undefined, field: FieldPath): Generator<Issue> {
  if (!operation || OPERATION_LISTS.every((name) => (operation[name] ?? []).length === 0)) {
    yield {
      field,
      what: 'an operation is empty',
      fix: 'Write hosts, ports, methods or paths; leave to out to mean anything.',
    };
    return;
  }
  for (const name of OPERATION_LISTS) {
    for (const [at, value] of (operation[name] ?? []).entries()) {
      const inner = [...field, 'operation', name, at];
      if (value === '') yield { field: inner, what: `${name} has an empty value`, fix: 'Remove it.' };
      else if (/ports$/i.test(name) && !isPort(value))
        yield { field: inner, what: `${quote(value)} is no port`, fix: 'Write a number up to 65535, in quotes.' };
      else if (/paths$/i.test(name)) {
        const wrong = wrongTemplate(value);
        if (wrong)
          yield {
            field: inner,
            what: `the path ${quote(value)} is not allowed: ${wrong}`,
            fix: 'Write {*} for one segment and, at the end of it all, {**} for the rest.',
          };
      }
    }
  }
}

function* attributeIssues(key: string, values: readonly string[], field: FieldPath): Generator<Issue> {
  const isMap = MAP_ATTRIBUTES.some((prefix) => key.startsWith(prefix));
  if (isMap) {
    if (!/^[^[]+\[[^\]]+\]$/.test(key) && !/^[^[]+\[.+\]$/.test(key))
      yield {
        field,
        what: `the condition ${quote(key)} names no entry`,
        fix: `Write ${key.replace(/\[.*/, '')}[name].`,
      };
  } else if (!ATTRIBUTES.has(key)) {
    yield {
      field,
      what: `there is no attribute ${quote(key)}`,
      fix: `Write one of ${[...ATTRIBUTES].join(', ')}, request.headers[name] or request.auth.claims[name].`,
    };
  }
  if (/\.ip$/.test(key)) {
    for (const value of values)
      if (!isAddressOrCidr(value))
        yield {
          field,
          what: `${quote(value)} is no IP address or CIDR block`,
          fix: 'Write an address or a block such as 10.0.0.0/8.',
        };
  }
  if (key === 'destination.port') {
    for (const value of values)
      if (!isPort(value))
        yield { field, what: `${quote(value)} is no port`, fix: 'Write a number up to 65535, in quotes.' };
  }
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535;
}

function wrongTemplate(path: string): string | undefined {
  let isOver = false;
  const isTemplate = path.includes('{*}') || path.includes('{**}');
  for (const part of path.replace(/^\/+|\/+$/g, '').split('/')) {
    if (part === '{*}' || part === '{**}') {
      if (isOver) return '{**} is not the last of its segments';
      isOver = part === '{**}';
    } else if (/[{}]/.test(part)) return 'braces are for {*} and {**} only';
    else if (isTemplate && !/^[a-zA-Z0-9\-._~%!$&'()+,;:@=]+$/.test(part))
      return `${quote(part)} cannot stand in a template`;
  }
  return undefined;
}
