/** Services, Backends and Secrets that a policy of Envoy Gateway's names, and which of these it cannot use: then its whole target answers 500. */
import { isGranted } from './gateway-api';
import { optionalRecord, record, records, text, type Json } from './fields';
import { extensionApi } from './envoy-gateway-settings';
import { lacksData } from './envoy-gateway-traffic-faults';
import type { Manifest } from './manifest';
import type { Mesh } from './mesh';

const GROUP = 'gateway.envoyproxy.io';

/** The part of a SecurityPolicy that a reference belongs to. */
export type PolicyPart = 'extAuth' | 'oidc' | 'jwt' | 'basicAuth' | 'apiKeyAuth';

export interface BrokenReference {
  readonly part: PolicyPart;
  /** Below `spec`. */
  readonly field: string;
  readonly is: 'missing' | 'no-port' | 'not-granted' | 'elsewhere' | 'invalid';
  readonly what: string;
  readonly fix: string;
  /** What it refers to; the policy itself for a value of its own. */
  readonly target: { readonly kind: string; readonly namespace: string; readonly name: string };
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
    const target = {
      kind: text(reference.kind) || 'Service',
      namespace: text(reference.namespace) || own,
      name: text(reference.name),
    };
    const problem = backendProblem(target, reference, { kind, namespace: own }, mesh);
    if (problem !== undefined) found.push({ part, field, target, ...problem });
  }
  found.push(...keysMissing(spec, own, mesh));
  const back = record(spec.oidc).redirectURL;
  if (back !== undefined && callbackPath(text(back)) === undefined)
    found.push({
      part: 'oidc',
      field: 'oidc.redirectURL',
      target: { kind, namespace: own, name: policy },
      is: 'invalid',
      what: `its redirectURL ${text(back)} has no path of its own, to which the provider leads back`,
      fix: 'write a path after the host (https://HOST/oauth2/callback) that no application uses',
    });
  for (const { part, field, body: reference } of secrets(spec)) {
    const namespace = text(reference.namespace) || own;
    const target = { kind: 'Secret', namespace, name: text(reference.name) };
    if (namespace !== own)
      found.push({
        part,
        field,
        target,
        is: 'elsewhere',
        what: `Secret ${namespace}/${target.name} is not in the namespace of the policy, and Envoy Gateway takes it from nowhere else`,
        fix: `keep the Secret in namespace ${own}`,
      });
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
        target: { kind: 'ConfigMap', namespace, name },
        is: 'missing',
        what: `its keys are in ${lacking}`,
        fix: `make ConfigMap ${namespace}/${name} with the key jwks`,
      };
  }
}

/** Why a backend cannot be used. @param owner whose kind a grant has to name, of Envoy Gateway's own group where none is said */
export function backendProblem(
  { kind, namespace, name }: BrokenReference['target'],
  reference: Json,
  owner: { readonly group?: string; readonly kind: string; readonly namespace: string },
  mesh: Mesh,
): Pick<BrokenReference, 'is' | 'what' | 'fix'> | undefined {
  const port = Number(reference.port ?? 0);
  const whole = `${kind} ${namespace}/${name}`;
  const missing = (what: string, fix: string) => ({ is: 'missing', what, fix }) as const;
  if (kind === 'Backend' && extensionApi(mesh, 'enableBackend') === false)
    return missing(`${whole} is not read, since Envoy Gateway's configuration has no enableBackend`, 'set extensionApis.enableBackend in it'); // prettier-ignore
  if (kind === 'Service') {
    const service = mesh.services.ofCluster(namespace, name);
    if (service === undefined && !mesh.isOpen(namespace))
      return missing(`there is no ${whole}`, `correct the name of the backend, or create ${whole}`);
    if (byName(namespace, name, mesh) && mesh.config.envoyGateway.refusesExternalNames)
      return missing(`${whole} is of type ExternalName, which is no backend`, 'use a Backend with the name');
    if (service !== undefined && !service.ports.some((one) => one.port === port))
      return {
        is: 'no-port',
        what: `${whole} has port ${service.ports.map((one) => one.port).join(', ')}, and not ${port}`,
        fix: 'write a port of the Service',
      };
  }
  if (kind === 'Backend') {
    const backend = mesh.find(GROUP, 'Backend', namespace, name);
    if (backend === undefined && !mesh.isOpen(namespace))
      return missing(`there is no ${whole}`, `correct the name of the backend, or create ${whole}`);
    if (record(record(backend?.body).spec).type === 'DynamicResolver')
      return missing(`${whole} is a DynamicResolver, which policies may not name`, 'name a Backend with endpoints');
  }
  const group = text(reference.group);
  if (isGranted(mesh.gatewayApi.input, { group: GROUP, ...owner }, { group, kind, namespace, name })) return undefined;
  return {
    is: 'not-granted',
    what: `no ReferenceGrant in ${namespace} lets a ${owner.kind} of ${owner.namespace} use ${whole}`,
    fix: `write a ReferenceGrant in ${namespace} that lets a ${owner.kind} (${owner.group ?? GROUP}) of ${owner.namespace} use ${kind} ${name}`,
  };
}
