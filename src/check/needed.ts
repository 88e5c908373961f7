/** Secrets, ConfigMaps, Services, Backends and Gateways that objects of the edge name: what has to be there for them to work. */
import { brokenReferences } from '../model/envoy-gateway-references';
import { isRecord } from '../model/recognize';
import { list, record, records, text, type Json } from '../model/fields';
import type { FieldPath, Manifest } from '../model/manifest';
import type { CheckContext } from './context';
import { namedCredentials } from './credentials';
import { virtualServices, fullHost } from './edge';
import { ENVOY_GATEWAY, GATEWAY_API } from './gateway-api';
import { NETWORKING, specOf } from './istio';
import { judgeHost } from './named-hosts';
import { missingBackend } from './backends';
import { serviceSpec } from './workloads';

export const NEEDED_KINDS = ['Secret', 'ConfigMap', 'Service', 'Backend', 'Gateway'] as const;

export interface Needed {
  readonly kind: (typeof NEEDED_KINDS)[number];
  /** Undefined where it is that of Pods which no manifest shows. */
  readonly namespace: string | undefined;
  readonly name: string;
  readonly by: Manifest;
  readonly field: FieldPath;
}

/** All that other rules do not speak of already. */
export function* needed(context: CheckContext): Generator<Needed> {
  yield* credentials(context);
  yield* hosts(context);
  yield* parents(context);
  for (const manifest of context.manifests)
    if (manifest.group === GATEWAY_API || manifest.group === ENVOY_GATEWAY || manifest.kind === 'XListenerSet')
      yield* references(context, manifest);
}

function* credentials(context: CheckContext): Generator<Needed> {
  for (const { manifest, field, name, namespaces } of namedCredentials(context)) {
    if (name.includes('://')) continue;
    const places = namespaces.length === 0 ? [undefined] : namespaces;
    for (const namespace of places) yield { kind: 'Secret', namespace, name, by: manifest, field };
  }
}

/** Services of this cluster that are named as hosts. */
function* hosts(context: CheckContext): Generator<Needed> {
  const domain = context.mesh.config.clusterDomain;
  const { services } = context.mesh;
  const named = function* (by: Manifest, written: string, field: FieldPath, mayBeTold = false): Generator<Needed> {
    const host = /\.svc$/.test(written) ? `${written}.${domain}` : fullHost(context, written, by.namespace);
    const [name, namespace, ...rest] = host.split('.');
    if (!name || !namespace || name.includes('*') || rest.join('.') !== `svc.${domain}`) return;
    // An entry may declare such a host as well.
    if ([...services.named(host).values()].some(({ assumed }) => !assumed)) return;
    if (mayBeTold && judgeHost(context, written, by) !== undefined) return;
    yield { kind: 'Service', namespace, name, by, field };
  };
  for (const { manifest, spec } of context.index(virtualServices)) {
    for (const kind of ['http', 'tls', 'tcp'] as const) {
      for (const [r, rule] of list(spec[kind]).entries()) {
        const at: FieldPath = ['spec', kind, r];
        const { route, mirror, mirrors } = record(rule);
        const destinations = [
          ...records(route).map(({ destination }, d) => ({ destination, path: ['route', d, 'destination'] })),
          { destination: mirror, path: ['mirror'] },
          ...records(mirrors).map(({ destination }, m) => ({ destination, path: ['mirrors', m, 'destination'] })),
        ];
        for (const { destination, path } of destinations) {
          const host = text(record(destination).host);
          if (host !== '') yield* named(manifest, host, [...at, ...path, 'host'], true);
        }
      }
    }
  }
  for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
    const { host = '' } = specOf('DestinationRule', manifest);
    yield* named(manifest, host, ['spec', 'host'], true);
  }
  for (const manifest of context.of(NETWORKING, 'ServiceEntry'))
    for (const [at, { address }] of records(record(record(manifest.body).spec).endpoints).entries())
      if (text(address).includes('.')) yield* named(manifest, text(address), ['spec', 'endpoints', at, 'address']);
  for (const manifest of context.of('', 'Service')) {
    const { type, externalName = '' } = serviceSpec(manifest);
    if (type === 'ExternalName' && externalName.includes('.'))
      yield* named(manifest, externalName.replace(/\.$/, ''), ['spec', 'externalName']);
  }
}

/** Gateways that routes and sets of listeners name; one of that name in another namespace is most likely meant, and told as that. */
function* parents(context: CheckContext): Generator<Needed> {
  const shown = new Set(context.of(GATEWAY_API, 'Gateway').map(({ name }) => name));
  for (const manifest of context.manifests) {
    const isSet = manifest.kind === 'ListenerSet' || manifest.kind === 'XListenerSet';
    if (!isSet && (manifest.group !== GATEWAY_API || !/Route$/.test(manifest.kind))) continue;
    const { parentRef, parentRefs } = record(record(manifest.body).spec);
    const named: readonly (readonly [FieldPath, Json])[] = isSet
      ? [[['spec', 'parentRef'], record(parentRef)]]
      : records(parentRefs).map((parent, at) => [['spec', 'parentRefs', at], parent]);
    for (const [field, parent] of named) {
      const name = text(parent.name);
      if ((text(parent.kind) || 'Gateway') !== 'Gateway' || (text(parent.group) || GATEWAY_API) !== GATEWAY_API)
        continue;
      if (name === '' || shown.has(name)) continue;
      yield { kind: 'Gateway', namespace: text(parent.namespace) || manifest.namespace, name, by: manifest, field };
    }
  }
}

/** Fields of the Gateway API and of Envoy Gateway that refer to others by name, with the kind that is meant where none is written. */
const REFERENCES: Readonly<Record<string, Needed['kind']>> = {
  certificateRefs: 'Secret',
  clientCertificateRef: 'Secret',
  caCertificateRefs: 'ConfigMap',
  clientIDRef: 'Secret',
  clientSecret: 'Secret',
  users: 'Secret',
  credentialRefs: 'Secret',
  pullSecretRef: 'Secret',
  valueRef: 'ConfigMap',
  refs: 'Secret',
  backendRef: 'Service',
  backendRefs: 'Service',
};

/** What holds other people's text, or lists of what is asked of a request. */
const NO_REFERENCES = new Set([
  'targetRef',
  'targetRefs',
  'targetSelectors',
  'parentRefs',
  'matches',
  'hostnames',
  'patch',
  'config',
]);

function* references(context: CheckContext, manifest: Manifest): Generator<Needed> {
  const spec = record(record(manifest.body).spec);
  const told = new Set(
    manifest.kind === 'SecurityPolicy'
      ? brokenReferences(manifest, context.mesh).map(
          ({ fault: { target } }) => `${target.kind} ${target.namespace}/${target.name}`,
        )
      : [],
  );
  for (const { field, key, body } of walk(spec, ['spec'])) {
    const standing = key === 'valueRef' && field.at(-2) === 'credential' ? 'Secret' : REFERENCES[key];
    const kind = NEEDED_KINDS.find((one) => one !== 'Gateway' && one === (text(body.kind) || standing));
    const name = text(body.name);
    const namespace = text(body.namespace) || manifest.namespace;
    if (kind === undefined || name === '' || body.weight === 0 || !isOfKind(kind, text(body.group))) continue;
    if (told.has(`${kind} ${namespace}/${name}`)) continue;
    // A Service that istiod makes of a Gateway is not shown, and is there.
    if (kind === 'Service') {
      const isMade = context.mesh.services.ofCluster(namespace, name) !== undefined;
      if (isMade || (/Route$/.test(manifest.kind) && missingBackend(context, namespace, name) !== undefined)) continue;
    }
    yield { kind, namespace, name, by: manifest, field };
  }
}

function isOfKind(kind: Needed['kind'], group: string): boolean {
  return kind === 'Backend' ? group === ENVOY_GATEWAY : group === '' || group === 'v1' || group === 'core';
}

function* walk(value: unknown, path: FieldPath): Generator<{ field: FieldPath; key: string; body: Json }> {
  if (Array.isArray(value)) {
    for (const [at, one] of value.entries()) yield* walk(one, [...path, at]);
    return;
  }
  if (!isRecord(value)) return;
  for (const [key, one] of Object.entries(value)) {
    if (NO_REFERENCES.has(key)) continue;
    if (Object.hasOwn(REFERENCES, key)) {
      if (Array.isArray(one)) {
        for (const [at, body] of records(one).entries()) yield { field: [...path, key, at], key, body };
      } else if (isRecord(one)) yield { field: [...path, key], key, body: one };
    }
    yield* walk(one, [...path, key]);
  }
}
