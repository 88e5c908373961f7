/** Secrets of logins and passwords that Envoy Gateway does not take (buildOIDC and buildBasicAuth of internal/gatewayapi/securitypolicy.go). */
import { strings, record } from './fields';
import type { Manifest } from './manifest';

/** Why a line of `.htpasswd` is not taken. */
export type PasswordFault = 'no-name' | 'other-hash' | 'no-hash';

/** What Envoy Gateway takes of `.htpasswd`, and Envoy does not. */
export type PasswordRefusal = 'line-end' | 'space' | 'no-user' | 'user-twice';

export interface RefusedPasswords {
  readonly secret: { readonly kind: string; readonly namespace: string; readonly name: string };
  readonly fault: PasswordRefusal;
}

/** Without `has` the key is not there. */
export interface SecretFault {
  readonly key: string;
  readonly has?: PasswordFault;
}

const KEYS: Readonly<Record<string, string>> = {
  'oidc.clientIDRef': 'client-id',
  'oidc.clientSecret': 'client-secret',
  'basicAuth.users': '.htpasswd',
};

/**
 * What is amiss with the Secret that a field of a SecurityPolicy names. A Secret without any key is written by somebody else, and what is
 * encrypted, or filled in later, is not looked at.
 */
export function secretFault(field: string, secret: Manifest | undefined): SecretFault | undefined {
  const key = KEYS[field];
  if (key === undefined || secret === undefined) return undefined;
  const { data, stringData } = record(secret.body);
  const own = { ...record(data), ...record(stringData) };
  if (Object.keys(own).length === 0) return undefined;
  if (!Object.hasOwn(own, key)) return { key };
  const value = valueOf(secret, key);
  const has = key === '.htpasswd' && value !== undefined ? passwordFault(value) : undefined;
  return has === undefined ? undefined : { key, has };
}

function valueOf({ body }: Manifest, key: string): string | undefined {
  const { data, stringData } = record(body);
  const plain = strings(stringData);
  return Object.hasOwn(plain, key) ? plain[key] : decoded(strings(data)[key]);
}

/** The users of a Secret that Envoy Gateway takes; undefined where they are not known, or not taken. */
export function passwordsOf(secret: Manifest | undefined): string | undefined {
  const value = secret === undefined ? undefined : valueOf(secret, '.htpasswd');
  return value === undefined || isFilledIn(value) || passwordFault(value) !== undefined ? undefined : value;
}

/** What another program fills in has no users yet. */
const isFilledIn = (value: string): boolean => !value.includes(':') || /\$\{|\{\{|<[^>]*>|ENC\[/.test(value);

/** Undefined for what is no text in base64: a stand-in for the value. */
function decoded(value: string | undefined): string | undefined {
  if (value === undefined || !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value)) return undefined;
  const text = Buffer.from(value, 'base64').toString('utf8');
  return /^[\x20-\x7e\s]*$/.test(text) ? text : undefined;
}

/** As `validateHtpasswdFormat`. */
function passwordFault(value: string): PasswordFault | undefined {
  if (isFilledIn(value)) return undefined;
  for (const line of value.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon < 0) return 'no-name';
    const password = line.slice(colon + 1);
    if (!password.startsWith('{SHA}')) return 'other-hash';
    if (!/^[A-Za-z0-9+/]{27}=$/.test(password.slice('{SHA}'.length))) return 'no-hash';
  }
  return undefined;
}
