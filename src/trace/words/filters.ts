/** Reasons of filters: paths and headers as they are read, tokens, authorization. */
import type { Asking, HowToAllow, TokenProblem } from '../reasons';
import { authorizerWords } from './authorizers';
import { policyFaultWords } from './policy-problems';
import { named, type WordsFor } from './words';

type Kinds =
  | 'path-refused'
  | 'path-redirected'
  | 'connect-not-taken'
  | 'token-refused'
  | 'token-required'
  | 'origin-missing'
  | 'token-missing'
  | 'credentials-missing'
  | 'sign-in'
  | 'sign-out'
  | 'sign-in-refused'
  | 'denied-by-rule'
  | 'allowed-by-no-rule'
  | 'no-authorizer'
  | 'refused-by-authorizer'
  | 'denied-by-security-policy'
  | 'underscore-in-header'
  | 'client-address-missing'
  | 'policy-not-usable'
  | 'rate-limit-not-configured'
  | 'rate-limit-of-none'
  | 'loopback-asked-for'
  | 'circuit-always-open';

/** Who asks for what. */
export function askingText({ principal, port, http }: Asking): string {
  const who = principal ?? 'a peer without identity';
  return http === null ? `${who} on port ${port}` : `${http.method} ${http.authority}${http.path} by ${who}`;
}

const ESCAPED_SLASHES = 'send a path without them, or set path.escapedSlashesAction in a ClientTrafficPolicy';
const FOR_THIS = 'send a token that its issuer made for this';

export const FILTER_WORDS: WordsFor<Kinds> = {
  'path-refused': ({ path, has, byEnvoyGateway }) => ({
    what: `the proxy answers 400, since the path ${path} has an ${has}`,
    fix: byEnvoyGateway ? ESCAPED_SLASHES : 'send a path without it',
  }),
  'path-redirected': ({ location }) => ({
    what: `the proxy redirects to ${location}, the path without escaped slashes`,
    fix: ESCAPED_SLASHES,
  }),
  'connect-not-taken': ({ authority }) => ({
    what: `CONNECT ${authority} reaches a proxy that reads HTTP, and no route takes CONNECT`,
    fix: 'declare the port of the HTTP proxy TCP; begin tunnels at the last proxy of the mesh, the egress gateway if there is one',
  }),
  'token-refused': ({ policy, problem }) => ({
    what: `${named(policy)} refuses the token${tokenProblem(problem)}`,
    fix:
      problem.is === 'malformed'
        ? 'send a token of the issuer, or none'
        : problem.is === 'issuer'
          ? 'send a token of that issuer, or add a rule for this one'
          : FOR_THIS,
  }),
  'token-required': ({ policy, issuer }) => ({
    what: `${named(policy)} requires a token of ${JSON.stringify(issuer)}, and the request has none`,
    fix: 'send a token of that issuer, or leave presence out',
  }),
  'origin-missing': () => ({
    what: 'the request changes something, and names no origin that it comes from',
    fix: 'send an Origin header of the same host, or one of additionalOrigins',
  }),
  'token-missing': () => ({
    what: 'the request has no token where a provider looks for one',
    fix: 'send a token where extractFrom says',
  }),
  'credentials-missing': ({ credential }) => ({
    what: `the request has no credentials for ${credential}`,
    fix: credential === 'apiKeyAuth' ? 'send the key where extractFrom says' : 'send an Authorization header',
  }),
  'sign-in': () => ({ what: 'a request without a session is sent to the OpenID provider', fix: 'sign in first' }),
  'sign-out': () => ({ what: 'the path ends the session of its client', fix: 'ask for another path' }),
  'sign-in-refused': ({ policy, why }) =>
    why === 'callback'
      ? { what: 'the path is the one that the OpenID provider leads back to, and the request has no cookie of a login that was begun', fix: 'sign in by another path first' } // prettier-ignore
      : { what: `a request without a session is not sent to the OpenID provider: it has a header of oidc.denyRedirect of ${named(policy)}`, fix: 'sign in first' }, // prettier-ignore
  'denied-by-rule': ({ policy, rule, asking }) => ({
    what: `${named(policy)} denies ${askingText(asking)}`,
    fix: `except it from rules[${rule}], if it should pass`,
  }),
  'allowed-by-no-rule': ({ policies, asking, advice }) => ({
    what: `no rule of AuthorizationPolicy ${policies.join(', ')} allows ${askingText(asking)}`,
    fix: adviceText(advice),
  }),
  'no-authorizer': ({ policy, asking, problem }) => {
    const { what, fix } = authorizerWords(problem);
    return {
      what: `${named(policy)} asks an external authorizer, but ${what}: Istio denies ${askingText(asking)}`,
      fix,
    };
  },
  'refused-by-authorizer': ({ policy }) => ({
    what: `the external authorizer that ${named(policy)} asks refuses it`,
    fix: 'look at what the authorizer decides by',
  }),
  'denied-by-security-policy': ({ policy }) => ({
    what: `${named(policy)} denies it`,
    fix: 'add a rule that allows the caller, before those that deny',
  }),
  'underscore-in-header': ({ headers }) => ({
    what: `the proxy refuses requests with an underscore in the name of a header (${headers.join(', ')})`,
    fix: 'rename the header, or set headers.withUnderscoresAction in a ClientTrafficPolicy',
  }),
  'client-address-missing': ({ header }) => ({
    what: `the request has no address in the header ${header}, by which the listener knows its client`,
    fix: 'send it, or take failClosed off clientIPDetection.customHeader',
  }),
  'policy-not-usable': ({ policy, fault }) => {
    const { what, fix } = policyFaultWords(fault);
    return {
      what: `Envoy Gateway answers 500 wherever ${named(policy)} applies, since it cannot use it: ${what}`,
      fix,
    };
  },
  'rate-limit-of-none': ({ policy }) => ({
    what: `${named(policy)} lets 0 requests pass`,
    fix: 'raise requests of the limit, or give the rule clientSelectors',
  }),
  'loopback-asked-for': ({ backend }) => ({
    what: `Backend ${backend} goes to the host that a request names, and Envoy Gateway keeps it from the proxy itself (127.0.0.1, localhost and the like)`,
    fix: 'ask for another host',
  }),
  'circuit-always-open': ({ policy, field }) => ({
    what: `${named(policy)} lets nothing pass to the backend: circuitBreaker.${field} is 0`,
    fix: `raise circuitBreaker.${field}, or leave it out`,
  }),
  'rate-limit-not-configured': ({ policy }) => ({
    what: `Envoy Gateway answers 500 wherever ${named(policy)} applies, since it has a global rate limit, and Envoy Gateway's own configuration has no rateLimit`,
    fix: "configure rateLimit.backend in Envoy Gateway's configuration, or use a limit of type Local",
  }),
};

/** After "refuses the token". */
function tokenProblem(problem: TokenProblem): string {
  switch (problem.is) {
    case 'not-valid-yet':
      return ': it is not valid yet';
    case 'expired':
      return ': it has expired';
    case 'not-signed-by-issuer':
      return ': none of the keys of its issuer has signed it';
    case 'audience':
      return problem.audiences === null
        ? `: it is not for ${problem.wanted.join(' or ')}`
        : `: it is for ${problem.audiences.join(', ') || 'nobody'}, not for ${problem.wanted.join(' or ')}`;
    case 'no-keys':
      return ': there is no key that it could be verified by';
    case 'no-key':
      return `: no key of its issuer is for ${problem.algorithm} and key id "${problem.keyId}"`;
    case 'issuer':
      return `: its issuer "${problem.issuer}" is not one of ${problem.trusted.map((one) => `"${one}"`).join(', ')}`;
    case 'malformed':
      return `, which is no JSON Web Token as Envoy reads one: ${problem.detail}`;
  }
}

function adviceText(advice: HowToAllow): string {
  switch (advice.is) {
    case 'take-prefix-off':
      return `take "spiffe://" off the principals of ${named(advice.policy)}: they begin with the trust domain`;
    case 'name-principal':
      return `add a rule that names ${advice.principal}, if that is to be allowed`;
    case 'meet-conditions':
      return `widen ${advice.conditions.join(', ')} of rules[${advice.rule}] of ${named(advice.policy)}, if this is to be allowed to everybody whom the rule takes: the caller is among them`;
    case 'send-token':
      return `send a token that rules[${advice.rule}] of ${named(advice.policy)} asks for, and that a RequestAuthentication for the proxy takes`;
    case 'no-rules':
      return 'leave it, if nobody is to get in: a policy without rules allows nobody; else add a rule for whoever is to be allowed';
    case 'without-source':
      return 'add a rule without a source, for the hosts, paths or ports that everybody may use: a client from outside the mesh has no identity that a source could name';
    case 'by-mutual-tls':
      return 'send over mutual TLS, so that the rule can know who calls; a rule without a source would allow it to everybody';
  }
}
