/** Whether what was adopted synthesizes to the same objects and the same traffic. */
import type { Adopted } from '../../src/adopt/adopt';
import { isSameVersion } from '../../src/adopt/exact';
import { patchesTo } from '../../src/adopt/patches';
import { asWritten, OWN_NOTES } from '../../src/adopt/written';
import { diff } from '../../src/diff/diff';
import { record, type Json } from '../../src/model/fields';
import type { Manifest } from '../../src/model/manifest';
import { synthesize } from './synthesize';

/** @returns what is wrong: an object that is missing, new or another; and changes of traffic */
export function judgeSample(manifests: readonly Manifest[], adopted: Adopted): readonly string[] {
  const after = [...synthesize(adopted.files), ...adopted.left];
  const before = manifests.filter(({ kind }) => kind !== 'Secret');
  const found = new Map(after.map((one) => [keyOf(one), one]));
  const known = new Set(before.map(keyOf));
  const merged = new Set(['Gateway networking.istio.io', 'DestinationRule networking.istio.io']);
  const faults: string[] = [];
  for (const one of before) {
    const other = found.get(keyOf(one));
    if (other === undefined) {
      // Gateways and rules of one selector and host become one.
      if (!merged.has(`${one.kind} ${one.group}`)) faults.push(`${keyOf(one)} is missing`);
    } else if (
      other !== one &&
      !adopted.converted.some(({ manifest }) => keyOf(manifest) === keyOf(one) && isLoose(one))
    )
      faults.push(...differences(one, other));
  }
  for (const one of after) if (!known.has(keyOf(one))) faults.push(`${keyOf(one)} is new`);
  for (const { to, was, is } of diff(before, after).changes) faults.push(`${to}: was ${was.text}, is ${is.text}`);
  return faults;
}

/** What `EgressGateway` and `ExternalService` say is compared by traffic, and by the fields that are left over. */
const isLoose = ({ group, kind }: Manifest): boolean => group === 'networking.istio.io' && ['ServiceEntry', 'Gateway', 'VirtualService', 'DestinationRule'].includes(kind); // prettier-ignore

const keyOf = ({ group, kind, namespace, name }: Manifest): string => `${kind}.${group} ${namespace}/${name}`;

function differences(one: Manifest, other: Manifest): readonly string[] {
  const [wanted, is] = [plain(one), plain(other)];
  const version = isSameVersion(wanted, is) ? is.apiVersion : wanted.apiVersion;
  return patchesTo(is, { ...wanted, apiVersion: version }).map(({ op, path, value }) => `${keyOf(one)}: ${op} ${path} ${JSON.stringify(value) ?? ''}`); // prettier-ignore
}

/** In the namespace that it is in, whether that is written or not. */
function plain(manifest: Manifest): Json {
  const { metadata, ...body } = asWritten(manifest);
  const { annotations, ...rest } = record(metadata);
  const notes = Object.entries(record(annotations)).filter(([key]) => !OWN_NOTES.has(key) && !key.startsWith('cdk8s-mesh-edge/')); // prettier-ignore
  return {
    ...body,
    metadata: {
      ...rest,
      ...(manifest.namespace !== '' && { namespace: manifest.namespace }),
      ...(notes.length > 0 && { annotations: Object.fromEntries(notes) }),
    },
  };
}
