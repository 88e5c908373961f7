/** The manifest and field that a trace says has decided something. */
import type { FieldPath, Manifest } from '../../model/manifest';
import type { Decision } from '../../trace';
import { type CheckContext, defineIndex } from '../context';

export function findDecided(context: CheckContext, by: Decision): { manifest: Manifest; field: FieldPath } | undefined {
  const named = context.index(manifestsByName);
  const manifest = named.get(`${by.kind} ${by.namespace}/${by.name}`) ?? named.get(`${by.kind} /${by.name}`);
  return manifest ? { manifest, field: parseField(by.field) } : undefined;
}

const manifestsByName = defineIndex(
  'manifests by name',
  ({ manifests }): ReadonlyMap<string, Manifest> =>
    new Map(manifests.map((manifest) => [`${manifest.kind} ${manifest.namespace}/${manifest.name}`, manifest])),
);

/** `spec.http[0].match` as a path. */
export function parseField(field: string): FieldPath {
  return [...field.matchAll(/\["([^"]+)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, name]) =>
    index === undefined ? (quoted ?? name ?? '') : Number(index),
  );
}
