/** An issuer of tokens, made at each run, and tokens that it signed, or did not. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { type Thing, maybe, pick } from '../../trace/oracle/vocabulary';

const ISSUER = 'https://login.example.com';
const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
const JWKS = JSON.stringify({
  keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }],
});

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

function token(claims: object, by: KeyObject = own.privateKey): string {
  const text = `${encoded({ alg: 'RS256', kid: 'one' })}.${encoded({ iss: ISSUER, sub: 'ann', ...claims })}`;
  return `${text}.${sign('sha256', Buffer.from(text), by).toString('base64url')}`;
}

const TOKENS = [
  token({ team: 'pay' }),
  token({ team: ['ops', 'pay'], aud: 'shop' }),
  token({ team: 'ops', aud: ['other'], scope: 'read write' }),
  token({ sub: 'bob' }),
  token({ exp: 1_600_000_000 }),
  token({ nbf: 4_000_000_000 }),
  token({ iss: 'https://login.example.net' }),
  token({ team: 'pay' }, other.privateKey),
  'nonsense',
];

/** Headers of a request that carries a token: one that is taken for most. */
export const tokenHeaders = fc
  .oneof({ arbitrary: pick(...TOKENS.slice(0, 3)), weight: 3 }, { arbitrary: pick(...TOKENS), weight: 1 })
  .map((one): Record<string, string> => ({ authorization: `Bearer ${one}` }));

/** Rules for tokens, at the gateways for most; none in every other mesh. */
export const authentication = maybe(
  fc
    .record({
      owner: pick('edge', 'edge', 'app', 'web'),
      audiences: maybe(pick(['shop'], ['https://shop/', 'other']), 1, 3),
      forwardOriginalToken: maybe(pick(true), 1, 1),
      outputClaimToHeaders: maybe(pick([{ header: 'x-team', claim: 'team' }]), 1, 3),
    })
    .map(({ owner, ...rule }): Thing => ({
      apiVersion: 'security.istio.io/v1',
      kind: 'RequestAuthentication',
      metadata: { name: 'jwt', namespace: owner },
      spec: { jwtRules: [{ issuer: ISSUER, jwks: JWKS, ...rule }] },
    })),
);

/** The same as a SecurityPolicy of Envoy Gateway has it, with who may come by which claims. */
export const tokenPolicy = fc
  .record({
    audiences: maybe(pick(['shop'], ['other', 'shop']), 1, 2),
    optional: maybe(pick(true), 1, 2),
    claimToHeaders: maybe(pick([{ header: 'x-team', claim: 'team' }]), 1, 3),
    may: maybe(
      pick<object>(
        { claims: [{ name: 'team', values: ['pay', 'dev'] }] },
        { claims: [{ name: 'team', valueType: 'StringArray', values: ['pay'] }] },
        { scopes: ['write'] },
      ),
    ),
  })
  .map(({ optional, may, ...provider }) => ({
    kind: 'SecurityPolicy',
    spec: {
      jwt: {
        optional,
        providers: [{ name: 'login', issuer: ISSUER, localJWKS: { type: 'Inline', inline: JWKS }, ...provider }],
      },
      authorization:
        may === undefined
          ? undefined
          : { rules: [{ action: 'Allow', principal: { jwt: { provider: 'login', ...may } } }] },
    },
  }));

/** Conditions of a VirtualService's rule on the claims of a token. */
export const claimCondition = pick<object>(
  { headers: { '@request.auth.claims.team': { exact: 'pay' } } },
  { headers: { '@request.auth.claims[team]': { prefix: 'o' } } },
  { withoutHeaders: { '@request.auth.claims.team': { exact: 'pay' } } },
);
