/** Services, Backends and Secrets that a policy of Envoy Gateway's names, and which of these it cannot use: then its whole target answers 500. */
import { isGranted } from './reference-grants';
import { optionalRecord, record, records, text, type Json } from './fields';
import { extensionApi } from './envoy-gateway-settings';
import { lacksData, type LackingData } from './lacking-data';
import type { Manifest } from './manifest';
import type { Mesh } from './mesh';
import { providerFault, type ProviderFault } from './oidc-provider';
import { secretFault, type SecretFault } from './secret-fault';

const GROUP = 'gateway.envoyproxy.io';

/** The part of a SecurityPolicy that a reference belongs to. */
export type PolicyPart = 'extAuth' | 'oidc' | 'jwt' | 'basicAuth' | 'apiKeyAuth';

/** What a policy, or a copy, refers to. */
export interface Referred {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Why a backend cannot be used. */
export type BackendFault = { readonly target: Referred } & (
  | { readonly is: 'backends-not-enabled' | 'missing' | 'external-name' | 'resolver' }
  | { readonly is: 'no-port'; readonly port: number; readonly ports: readonly number[] }
  /** `owner`: whose group, kind and namespace a ReferenceGrant has to name. */
  | { readonly is: 'not-granted'; readonly owner: { readonly group: string; readonly kind: string; readonly namespace: string } } // prettier-ignore
);

export type ReferenceFault =
  | BackendFault
  | { readonly is: 'keys-missing'; readonly target: Referred; readonly lacking: LackingData }
  | { readonly is: 'no-callback-path'; readonly target: Referred; readonly redirectURL: string }
  | { readonly is: 'provider-not-taken'; readonly target: Referred; readonly fault: ProviderFault }
  | { readonly is: 'secret-elsewhere'; readonly target: Referred; readonly own: string }
  | { readonly is: 'secret-not-usable'; readonly target: Referred; readonly fault: SecretFault };

export interface BrokenReference {
  readonly part: PolicyPart;
  /** Below `spec`. */
  readonly field: string;
  readonly fault: ReferenceFault;
}

/** What a reference of an object in a namespace refers to. */
export function referredTo({ kind, namespace, name }: Json, own: string): Referred {
  return { kind: text(kind) || 'Service', namespace: text(namespace) || own, name: text(name) };
}

interface Reference {
  readonly part: PolicyPart;
  readonly field: string;
  readonly body: Json;
}

function backendsOf(part: PolicyPart, field: string, owner: Json): readonly Reference[] {
  const single = optionalRecord(owner.backendRef);
  const several = records(owner.backendRefs);
  return several.length > 0
    ? several.map((body, index) => ({ part, field: `${field}.backendRefs[${index}]`, body }))
    : single === undefined
      ? []
      : [{ part, field: `${field}.backendRef`, body: single }];
}

/** The backends in the order in which Envoy Gateway looks at them. */
function backends({ extAuth, oidc, jwt }: Json): readonly Reference[] {
  const { http, grpc } = record(extAuth);
  return [
    ...backendsOf('oidc', 'oidc.provider', record(record(oidc).provider)),
    ...records(record(jwt).providers).flatMap(({ remoteJWKS }, index) =>
      backendsOf('jwt', `jwt.providers[${index}].remoteJWKS`, record(remoteJWKS)),
    ),
    ...backendsOf('extAuth', 'extAuth.http', record(http)),
    ...backendsOf('extAuth', 'extAuth.grpc', record(grpc)),
  ];
}

/** Secrets, which have to be of the policy's own namespace whatever a ReferenceGrant says. */
function secrets({ oidc, basicAuth, apiKeyAuth }: Json): readonly Reference[] {
  const one = (part: PolicyPart, field: string, body: unknown): readonly Reference[] =>
    optionalRecord(body) === undefined ? [] : [{ part, field, body: record(body) }];
  return [
    ...one('oidc', 'oidc.clientIDRef', record(oidc).clientIDRef),
    ...one('oidc', 'oidc.clientSecret', record(oidc).clientSecret),
    ...one('basicAuth', 'basicAuth.users', record(basicAuth).users),
    ...records(record(apiKeyAuth).credentialRefs).map((body, index): Reference => ({
      part: 'apiKeyAuth',
      field: `apiKeyAuth.credentialRefs[${index}]`,
      body,
    })),
  ];
}

/**
 * The references of a SecurityPolicy that Envoy Gateway cannot follow (validateExtServiceBackendReference and validateSecretObjectRef in
 * internal/gatewayapi/validate.go). What may be in a namespace that no manifest shows is none of them.
 */
export function brokenReferences(
  { kind, namespace: own, name: policy, body }: Manifest,
  mesh: Mesh,
): readonly BrokenReference[] {
  // prettier-ignore
  const spec = record(record(body).spec);
  const found: BrokenReference[] = [];
  for (const { part, field, body: reference } of backends(spec)) {
    const fault = backendProblem(referredTo(reference, own), reference, { kind, namespace: own }, mesh);
    if (fault !== undefined) found.push({ part, field, fault });
  }
  found.push(...keysMissing(spec, own, mesh));
  const provider = providerFault(record(spec.oidc), mesh.config.envoyGateway);
  if (provider !== undefined)
    found.push({
      part: 'oidc',
      field: `oidc.provider.${provider.field}`,
      fault: { is: 'provider-not-taken', target: { kind, namespace: own, name: policy }, fault: provider },
    });
  const back = record(spec.oidc).redirectURL;
  if (back !== undefined && callbackPath(text(back)) === undefined)
    found.push({
      part: 'oidc',
      field: 'oidc.redirectURL',
      fault: { is: 'no-callback-path', target: { kind, namespace: own, name: policy }, redirectURL: text(back) },
    });
  for (const { part, field, body: reference } of secrets(spec)) {
    const namespace = text(reference.namespace) || own;
    const target = { kind: 'Secret', namespace, name: text(reference.name) };
    if (namespace !== own) found.push({ part, field, fault: { is: 'secret-elsewhere', target, own } });
    const fault = namespace === own ? secretFault(field, mesh.find('', 'Secret', namespace, target.name)) : undefined;
    if (fault !== undefined) found.push({ part, field, fault: { is: 'secret-not-usable', target, fault } });
  }
  return found;
}

const VARIABLE_SCHEME = '%REQ(x-forwarded-proto)%';

/**
 * The path that an OpenID provider leads back to; undefined for a URL that Envoy Gateway does not take (extractRedirectPath of
 * internal/gatewayapi/securitypolicy.go).
 */
export function callbackPath(redirectURL: string): string | undefined {
  const [, scheme = '', path = ''] = /^(.+?):\/\/[^/]+(\/.+)$/.exec(redirectURL) ?? [];
  return ['http', 'https', VARIABLE_SCHEME].includes(scheme) ? path : undefined;
}

function byName(namespace: string, name: string, mesh: Mesh): boolean {
  return record(record(mesh.find('', 'Service', namespace, name)?.body).spec).type === 'ExternalName';
}

/** Keys that a policy keeps in a ConfigMap beside it (buildLocalJWKS of internal/gatewayapi/securitypolicy.go). */
function* keysMissing({ jwt }: Json, namespace: string, mesh: Mesh): Generator<BrokenReference> {
  for (const [index, { localJWKS }] of records(record(jwt).providers).entries()) {
    const { type, valueRef } = record(localJWKS);
    const name = text(record(valueRef).name);
    const lacking = type === 'ValueRef' && name !== '' ? lacksData(namespace, name, mesh) : undefined;
    if (lacking !== undefined)
      yield {
        part: 'jwt',
        field: `jwt.providers[${index}].localJWKS.valueRef`,
        fault: { is: 'keys-missing', target: { kind: 'ConfigMap', namespace, name }, lacking },
      };
  }
}

/** Why a backend cannot be used. @param owner whose kind a grant has to name, of Envoy Gateway's own group where none is said */
export function backendProblem(
  target: Referred,
  reference: Json,
  owner: { readonly group?: string; readonly kind: string; readonly namespace: string },
  mesh: Mesh,
): BackendFault | undefined {
  const { kind, namespace, name } = target;
  const port = Number(reference.port ?? 0);
  if (kind === 'Backend' && extensionApi(mesh, 'enableBackend') === false)
    return { is: 'backends-not-enabled', target };
  if (kind === 'Service') {
    const service = mesh.services.ofCluster(namespace, name);
    if (service === undefined && !mesh.isOpen(namespace)) return { is: 'missing', target };
    if (byName(namespace, name, mesh) && mesh.config.envoyGateway.refusesExternalNames)
      return { is: 'external-name', target };
    if (service !== undefined && !service.ports.some((one) => one.port === port))
      return { is: 'no-port', target, port, ports: service.ports.map((one) => one.port) };
  }
  if (kind === 'Backend') {
    const backend = mesh.find(GROUP, 'Backend', namespace, name);
    if (backend === undefined && !mesh.isOpen(namespace)) return { is: 'missing', target };
    if (record(record(backend?.body).spec).type === 'DynamicResolver') return { is: 'resolver', target };
  }
  const group = text(reference.group);
  const by = { group: GROUP, ...owner };
  return isGranted(mesh.gatewayApi.input, by, { group, kind, namespace, name })
    ? undefined
    : { is: 'not-granted', target, owner: by };
}
