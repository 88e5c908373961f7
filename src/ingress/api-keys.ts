import { objectNameProblems } from '../core/names';
import { Problem } from '../core/problem';
import type { envoyGateway } from './envoy-gateway-bindings';

/** Where in a request a key is. */
export class ApiKeySource {
  /**
   * A header.
   *
   * @param name its name, such as "x-api-key"
   */
  public static header(name: string): ApiKeySource {
    return new ApiKeySource('headers', name);
  }

  /**
   * A query parameter. It shows in access logs.
   *
   * @param name its name
   */
  public static queryParameter(name: string): ApiKeySource {
    return new ApiKeySource('params', name);
  }

  /**
   * A cookie.
   *
   * @param name its name
   */
  public static cookie(name: string): ApiKeySource {
    return new ApiKeySource('cookies', name);
  }

  private constructor(
    /** headers, params or cookies. */
    public readonly kind: string,
    /** Its name. */
    public readonly name: string,
  ) {}
}

/** Keys of which requests have to carry one. */
export interface ApiKeys {
  /** The names of Secrets in the namespace of the policy's target: each key of their data is a client, and its value that client's API key. */
  readonly secretNames: string[];

  /** Where the key is looked for, in this order. */
  readonly from: ApiKeySource[];

  /**
   * The header by which the Service is told which client it was. Needs Envoy Gateway 1.5 or newer.
   *
   * @default none
   */
  readonly clientIdHeader?: string;

  /**
   * Whether the key is taken out of the request before it goes on. Needs Envoy Gateway 1.5 or newer.
   *
   * @default true: Services need no key, and can't leak it
   */
  readonly sanitize?: boolean;
}

/** @internal */
export function apiKeySpec(keys: ApiKeys): envoyGateway.SecurityPolicySpecApiKeyAuth {
  return {
    credentialRefs: keys.secretNames.map((name) => ({ name })),
    extractFrom: keys.from.map(({ kind, name }) => ({ [kind]: [name] })),
    forwardClientIdHeader: keys.clientIdHeader,
    sanitize: keys.sanitize ?? true,
  };
}

/** @internal */
export function apiKeyProblems({ secretNames, from }: ApiKeys): Problem[] {
  const problems = secretNames.flatMap((name) => objectNameProblems('Secret of apiKeys', name));
  if (!secretNames.length)
    problems.push({ what: '`apiKeys` names no Secret', why: 'nobody would be let in', fix: 'name one' });
  if (!from.length)
    problems.push({
      what: '`apiKeys` looks for keys nowhere',
      why: 'the API server refuses it',
      fix: 'such as ApiKeySource.header("x-api-key")',
    });
  return problems;
}
