/** What istiod's webhook refuses in a PeerAuthentication, RequestAuthentication and Telemetry (Istio 1.29). */
import type { FieldPath, Manifest } from '../../model/manifest';
import { type PolicyTarget, specOf } from '../istio';
import { type Issue, policyTargetIssues, selectorIssues } from './issue';

const quote = JSON.stringify;

export function* peerAuthenticationIssues(manifest: Manifest): Generator<Issue> {
  const { selector, portLevelMtls } = specOf('PeerAuthentication', manifest);
  const ports = Object.keys(portLevelMtls ?? {});
  if (ports.length > 0 && Object.keys(selector?.matchLabels ?? {}).length === 0) {
    yield {
      field: ['spec', 'portLevelMtls'],
      what: `portLevelMtls is set for port ${ports.join(', ')}, and there is no selector`,
      fix: 'Write a selector: settings of a port are for chosen workloads only.',
      why: 'A port means something for a workload, not for a namespace or a mesh, so istiod refuses it.',
    };
  }
  if (portLevelMtls && ports.length === 0)
    yield { field: ['spec', 'portLevelMtls'], what: 'portLevelMtls is empty', fix: 'Write a port, or leave it out.' };
  for (const port of ports) {
    if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535)
      yield {
        field: ['spec', 'portLevelMtls', port],
        what: `${quote(port)} is no port number`,
        fix: 'Write a number from 1 to 65535.',
      };
  }
  if (selector) yield* selectorIssues(selector.matchLabels, ['spec', 'selector', 'matchLabels']);
}

interface JwtRule {
  readonly issuer?: string;
  readonly audiences?: readonly string[];
  readonly jwksUri?: string;
  readonly jwks?: string;
  readonly fromHeaders?: readonly { readonly name?: string }[];
  readonly outputClaimToHeaders?: readonly { readonly claim?: string; readonly header?: string }[];
}

export function* requestAuthenticationIssues(manifest: Manifest): Generator<Issue> {
  const { spec = {} } = manifest.body as { spec?: PolicyTarget & { readonly jwtRules?: readonly JwtRule[] } };
  yield* policyTargetIssues(spec);
  for (const [at, rule] of (spec.jwtRules ?? []).entries()) yield* jwtRuleIssues(rule, ['spec', 'jwtRules', at]);
}

function* jwtRuleIssues(rule: JwtRule, field: FieldPath): Generator<Issue> {
  if (!rule.issuer && !rule.jwksUri)
    yield { field, what: 'a JWT rule has neither issuer nor jwksUri', fix: 'Write issuer.' };
  if (rule.audiences?.includes(''))
    yield { field: [...field, 'audiences'], what: 'an audience is empty', fix: 'Remove it.' };
  if (rule.jwksUri && !/^https?:\/\/[^/\s]+/.test(rule.jwksUri))
    yield {
      field: [...field, 'jwksUri'],
      what: `${quote(rule.jwksUri)} is no http or https URL`,
      fix: 'Write a URL that begins with https://.',
    };
  if (rule.jwks && !isKeySet(rule.jwks))
    yield { field: [...field, 'jwks'], what: 'jwks is no set of keys in JSON', fix: 'Write {"keys": [...]}.' };
  if (rule.fromHeaders?.some(({ name }) => !name))
    yield { field: [...field, 'fromHeaders'], what: 'a header has no name', fix: 'Write its name.' };
  for (const { claim, header } of rule.outputClaimToHeaders ?? []) {
    if (!claim || !header)
      yield {
        field: [...field, 'outputClaimToHeaders'],
        what: 'a claim or its header has no name',
        fix: 'Write both.',
      };
  }
}

function isKeySet(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && ('keys' in parsed || 'kty' in parsed);
  } catch {
    return false;
  }
}

interface TelemetrySpec extends PolicyTarget {
  readonly accessLogging?: readonly { readonly providers?: readonly { readonly name?: string }[] }[];
  readonly metrics?: readonly { readonly providers?: readonly { readonly name?: string }[] }[];
  readonly tracing?: readonly {
    readonly providers?: readonly { readonly name?: string }[];
    readonly randomSamplingPercentage?: number;
  }[];
}

export function* telemetryIssues(manifest: Manifest): Generator<Issue> {
  const { spec = {} } = manifest.body as { spec?: TelemetrySpec };
  yield* policyTargetIssues(spec);
  for (const part of ['accessLogging', 'metrics', 'tracing'] as const) {
    for (const [at, { providers = [] }] of (spec[part] ?? []).entries()) {
      if (providers.some(({ name }) => !name))
        yield {
          field: ['spec', part, at, 'providers'],
          what: 'a provider has no name',
          fix: 'Name a provider of the mesh configuration, such as envoy.',
        };
      if (part === 'tracing' && providers.length > 1)
        yield {
          field: ['spec', part, at, 'providers'],
          isWarning: true,
          what: `tracing has ${providers.length} providers`,
          fix: 'Keep one.',
          why: 'Istio supports one tracing provider.',
        };
    }
  }
  const tracing = spec.tracing ?? [];
  if (tracing.length > 1)
    yield {
      field: ['spec', 'tracing'],
      isWarning: true,
      what: `there are ${tracing.length} entries of tracing`,
      fix: 'Keep one.',
      why: 'Istio reads the first only.',
    };
  for (const [at, { randomSamplingPercentage: percentage = 0 }] of tracing.entries()) {
    if (percentage < 0 || percentage > 100)
      yield {
        field: ['spec', 'tracing', at, 'randomSamplingPercentage'],
        what: `the percentage is ${percentage}`,
        fix: 'Write a number from 0 to 100.',
      };
  }
}
