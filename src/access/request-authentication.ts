import { ApiObject, ApiObjectMetadata } from 'cdk8s';
import { Construct } from 'constructs';
import * as security from '../../imports/security.istio.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { joinMesh } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import { namesNamespaces } from '../mesh/namespace-names';
import { ruleProblems, ruleSpec } from './access-rule';
import { AccessTarget } from './access-target';

/** Whose signed tokens (JWT) are taken. */
export interface TokenIssuer {
  /** Who issues them: the claim `iss`, letter by letter. */
  readonly issuer: string;

  /**
   * Where the issuer's public keys are. istiod fetches them, so it is istiod's way out that has to be open.
   *
   * @default found by the issuer's OpenID configuration
   */
  readonly jwksUri?: string;

  /**
   * The public keys themselves (JWKS), in place of `jwksUri`.
   *
   * @default fetched
   */
  readonly jwks?: string;

  /**
   * For whom tokens have to be (`aud`), one of these.
   *
   * @default anyone
   */
  readonly audiences?: string[];

  /**
   * Headers that carry the token, by name, with what stands before it there ("Bearer ").
   *
   * @default Authorization with "Bearer ", and the query parameter access_token
   */
  readonly fromHeaders?: { [header: string]: string };

  /**
   * Query parameters that carry the token.
   *
   * @default as for `fromHeaders`
   */
  readonly fromParams?: string[];

  /**
   * Cookies that carry the token.
   *
   * @default none
   */
  readonly fromCookies?: string[];

  /**
   * Headers that the workload gets, by the claim whose value each carries.
   *
   * @default none
   */
  readonly claimToHeaders?: { [claim: string]: string };

  /**
   * Whether the token goes on to the workload.
   *
   * @default false
   */
  readonly forwardToken?: boolean;
}

/** Which tokens are read, and whether one is needed. */
export interface RequestAuthenticationProps {
  /** Whose proxies read them. */
  readonly target: AccessTarget;

  /** Whose tokens are taken. A token of anybody else, or a bad one, is refused with 401. */
  readonly issuers: TokenIssuer[];

  /**
   * Whether requests without a token are refused (403). Istio itself lets them pass: this takes an AuthorizationPolicy, which is rendered beside it.
   *
   * @default true
   */
  readonly required?: boolean;

  /**
   * Paths that are open without a token, where one is required.
   *
   * @default none
   */
  readonly openPaths?: string[];

  /**
   * Ports, by the number that the workload listens on, where a token is required.
   *
   * @default all; where the target's ports are known, those of HTTP
   */
  readonly ports?: number[];

  /**
   * Its name.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of the objects.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * Reads signed tokens (JWT) before a workload or at one of Istio's gateways, and asks for one. Renders one RequestAuthentication, and one
 * AuthorizationPolicy (DENY) that refuses requests without a token. Who of those with a token may do what, an `AuthorizationPolicy` with `tokens` and `claims` says.
 *
 * @see https://istio.io/latest/docs/reference/config/security/request_authentication/
 * @example
 * new RequestAuthentication(this, 'Login', {
 *   target: AccessTarget.workloads(Workloads.in('shop', { app: 'orders' })),
 *   issuers: [{ issuer: 'https://login.example.com', jwksUri: 'https://login.example.com/keys' }],
 *   openPaths: ['/healthz'],
 * });
 */
export class RequestAuthentication extends Construct {
  /** Whose proxies read tokens. */
  public readonly target: AccessTarget;

  /** Whose tokens are taken. */
  public readonly issuers: TokenIssuer[];

  /** The rendered RequestAuthentication, to patch. */
  public readonly resource: ApiObject;

  /** The rendered AuthorizationPolicy that refuses requests without a token, where one is required. */
  public readonly requirement?: ApiObject;

  public constructor(scope: Construct, id: string, props: RequestAuthenticationProps) {
    super(scope, id);
    this.target = props.target;
    this.issuers = [...props.issuers];
    const name = props.name ?? nameOfId(id);
    const { namespace } = this.target;
    this.resource = new MeshObject<security.RequestAuthenticationProps>(this, 'Resource', {
      ...security.RequestAuthentication.GVK,
      metadata: objectMetadata({ name, namespace }, props.metadata),
      manifest: (fields) => documented(security.RequestAuthentication.manifest(fields)),
      spec: () => ({ spec: { ...this.target._spec(), jwtRules: this.issuers.map(jwtRule) } }),
    });
    if (props.required !== false) this.requirement = this.require(name, props);
    refuseAtSynth(this, () => this.problems(props));
    joinMesh<RequestAuthentication>('RequestAuthentication', this, () => []);
    namesNamespaces(this, () => this.target._named);
  }

  private require(name: string, props: RequestAuthenticationProps): ApiObject {
    return new MeshObject<security.AuthorizationPolicyProps>(this, 'Required', {
      ...security.AuthorizationPolicy.GVK,
      metadata: objectMetadata({ name: `${name}-required`, namespace: this.target.namespace }, props.metadata),
      manifest: security.AuthorizationPolicy.manifest,
      spec: () => {
        const { to } = ruleSpec({ exceptPaths: props.openPaths, ports: this.requiredPorts(props) }, '');
        return {
          spec: {
            ...this.target._spec(),
            action: security.AuthorizationPolicySpecAction.DENY,
            rules: [{ from: [{ source: { notRequestPrincipals: ['*'] } }], to }],
          },
        };
      },
    });
  }

  /** What is no HTTP has no token: asked for one there, the whole port would be shut. */
  private requiredPorts({ ports }: RequestAuthenticationProps): number[] | undefined {
    const known = this.target._ports ?? [];
    if (ports || !known.some(({ isHttp }) => isHttp === false)) return ports;
    return known.flatMap(({ number, isHttp }) => (isHttp === false || number === undefined ? [] : [number]));
  }

  private problems(props: RequestAuthenticationProps): Problem[] {
    const ports = this.requiredPorts(props);
    const asked = { tokens: ['*'], exceptPaths: props.openPaths, ports };
    const problems = [
      ...objectNameProblems('name', props.name),
      ...this.target._problems(this),
      ...(props.required === false ? [] : ruleProblems(asked, 0, 'DENY', this.target)),
    ];
    if (!this.issuers.length)
      problems.push({
        what: '`issuers` is empty',
        why: 'no token would be read',
        fix: 'add an issuer, or leave it out',
      });
    if (ports && !ports.length && props.required !== false)
      problems.push({
        what: `no port of ${this.target._words()} is HTTP`,
        why: 'there is no token in what comes in',
        fix: 'declare the Service port as HTTP by its name, such as "http", or say who may call by AuthorizationPolicy',
      });
    if (props.required === false && props.openPaths?.length)
      problems.push({
        what: '`openPaths` where no token is required',
        why: 'all paths are open',
        fix: 'leave one of the two out',
      });
    return [...problems, ...this.issuers.flatMap((issuer, i) => issuerProblems(issuer, this.issuers.slice(0, i)))];
  }
}

/** The CRD has two spellings of one field, of which the bindings keep the undocumented one, `jwks_uri`. */
function documented(manifest: { spec: { jwtRules?: Array<{ [field: string]: unknown }> } }): unknown {
  const jwtRules = manifest.spec.jwtRules?.map(({ jwks_uri: jwksUri, ...rule }) => ({ ...rule, jwksUri }));
  return { ...manifest, spec: { ...manifest.spec, jwtRules } };
}

function jwtRule(issuer: TokenIssuer): security.RequestAuthenticationSpecJwtRules {
  const { fromHeaders, claimToHeaders } = issuer;
  return {
    issuer: issuer.issuer,
    jwksUri: issuer.jwksUri,
    jwks: issuer.jwks,
    audiences: issuer.audiences && [...issuer.audiences],
    fromHeaders: fromHeaders && Object.entries(fromHeaders).map(([name, prefix]) => ({ name, prefix })),
    fromParams: issuer.fromParams && [...issuer.fromParams],
    fromCookies: issuer.fromCookies && [...issuer.fromCookies],
    outputClaimToHeaders:
      claimToHeaders && Object.entries(claimToHeaders).map(([claim, header]) => ({ claim, header })),
    forwardOriginalToken: issuer.forwardToken,
  };
}

function issuerProblems({ issuer, jwks, jwksUri }: TokenIssuer, before: readonly TokenIssuer[]): Problem[] {
  const problems: Problem[] = [];
  if (issuer === '')
    problems.push({
      what: 'an issuer without a name',
      why: 'istiod refuses it',
      fix: 'write it as the claim `iss` has it',
    });
  if (jwks !== undefined && jwksUri !== undefined)
    problems.push({
      what: `issuer ${quote(issuer)} has both \`jwks\` and \`jwksUri\``,
      why: 'istiod takes the keys that are written, and forgets those that are fetched',
      fix: 'leave one of the two out',
    });
  if (jwksUri !== undefined && !(URL.canParse(jwksUri) && /^https?:/.test(jwksUri)))
    problems.push({
      what: `jwksUri ${quote(jwksUri)} is no URL of HTTP`,
      why: "istiod's webhook refuses it",
      fix: 'such as "https://login.example.com/.well-known/jwks.json"',
    });
  if (jwks !== undefined && !isKeySet(jwks))
    problems.push({
      what: `\`jwks\` of issuer ${quote(issuer)} is no set of public keys`,
      why: 'no token could be found good; and a private part would be for everybody to read',
      fix: 'give the JSON that the issuer publishes: { "keys": [ ... ] }',
    });
  if (before.some((other) => other.issuer === issuer))
    problems.push({
      what: `issuer ${quote(issuer)} is named twice`,
      why: 'a token is read by the first that fits',
      fix: 'join the two, with all audiences',
    });
  return problems;
}

function isKeySet(text: string): boolean {
  try {
    const { keys } = JSON.parse(text) as { keys?: ReadonlyArray<{ readonly d?: string }> };
    return Array.isArray(keys) && keys.length > 0 && keys.every((key) => key.d === undefined);
  } catch {
    return false;
  }
}
