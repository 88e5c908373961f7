/** Changes that matter and lie in no way that a request takes: whom a policy trusts, what is limited, which headers are set. */
import { entry, record, records, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';
import { type ObjectChange } from './objects';
import { canonical } from '../model/canonical';

type Part = (spec: Json) => unknown;

const each =
  (list: string, ...fields: readonly string[]): Part =>
  (spec) =>
    records(spec[list]).map((one) => fields.map((field) => one[field] ?? null));
const own =
  (field: string): Part =>
  (spec) =>
    spec[field] ?? null;
const headersOf: Part = (spec) =>
  records(spec.rules).map((rule) => records(rule.filters).filter(({ type }) => /Header|CORS/.test(String(type))));

/** By kind, the fields to name and what is in them. */
const PARTS: Readonly<Record<string, readonly (readonly [string, Part])[]>> = {
  SecurityPolicy: ['oidc', 'jwt', 'basicAuth', 'apiKeyAuth', 'extAuth', 'cors', 'authorization'].map((field) => [
    field,
    own(field),
  ]),
  ClientTrafficPolicy: ['tls', 'headers', 'clientIPDetection', 'connection'].map((field) => [field, own(field)]),
  BackendTrafficPolicy: ['rateLimit', 'faultInjection', 'responseOverride', 'requestBuffer', 'proxyProtocol', 'circuitBreaker'].map((field) => [field, own(field)]), // prettier-ignore
  BackendTLSPolicy: [['validation', own('validation')]],
  Backend: [['tls', own('tls')]],
  RequestAuthentication: [['jwtRules', own('jwtRules')]],
  AuthorizationPolicy: [['provider', own('provider')]],
  Gateway: [
    ['servers[].tls', each('servers', 'tls')],
    ['listeners[].tls', each('listeners', 'tls')],
    ['tls', own('tls')],
  ],
  ListenerSet: [['listeners[].tls', each('listeners', 'tls')]],
  VirtualService: [
    ['http[].headers', each('http', 'headers')],
    ['http[].corsPolicy', each('http', 'corsPolicy')],
    ['http[].fault', each('http', 'fault')],
  ],
  HTTPRoute: [['rules[].filters', headersOf]],
  GRPCRoute: [['rules[].filters', headersOf]],
};

/**
 * The fields of such kind in which an object has changed. What has only moved, from one object to another of its kind, has not
 * changed.
 */
export function unseenParts({ ref, was, is }: ObjectChange, meshes: readonly [Mesh, Mesh]): readonly string[] {
  const { group } = was ?? is ?? { group: '' };
  const all = meshes.map((mesh) => mesh.of(group, ref.kind));
  return (entry(PARTS, ref.kind) ?? [])
    .filter(([, part]) => said([was], part) !== said([is], part))
    .filter(([, part]) => said(all[0] ?? [], part) !== said(all[1] ?? [], part))
    .map(([field]) => field);
}

const NOTHING = new Set(['null', '[null]', '[]']);

function said(manifests: readonly (Manifest | undefined)[], part: Part): string {
  return manifests
    .flatMap((manifest) => {
      const value = part(record(record(manifest?.body).spec));
      return Array.isArray(value) ? value.map(canonical) : [canonical(value)];
    })
    .filter((one) => !NOTHING.has(one))
    .sort()
    .join('\n');
}

/** A Gateway of a class that no manifest shows: nobody knows whose proxies run it, so that nothing behind it can be followed. */
export function unknownGateways(meshes: readonly Mesh[]): ReadonlySet<string> {
  return new Set(
    meshes.flatMap((mesh) =>
      mesh.gatewayApi.gateways
        .filter(({ controller }) => controller === 'other')
        .map(({ config: { namespace, name } }) => `${namespace}/${name}`),
    ),
  );
}

/** Whether an object is about such Gateways alone. */
export function isBehind(gateways: ReadonlySet<string>, { ref, was, is }: ObjectChange): boolean {
  if (gateways.size === 0) return false;
  if (ref.kind === 'Gateway') return gateways.has(`${ref.namespace}/${ref.name}`);
  const parents = [was, is].flatMap((manifest) => {
    const { parentRefs, targetRefs, parentRef, targetRef } = record(record(manifest?.body).spec);
    const single = [parentRef, targetRef].filter((one) => one !== undefined).map(record);
    return [...records(parentRefs), ...records(targetRefs), ...single];
  });
  const named = parents.filter(({ kind }) => kind === undefined || kind === 'Gateway');
  return (
    named.length > 0 &&
    named.every(({ namespace, name }) => gateways.has(`${String(namespace ?? ref.namespace)}/${String(name)}`))
  );
}
