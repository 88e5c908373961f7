/** Files that a proxy can read: those of its image, those that the injector mounts, and those that a pod mounts into it. */
import { record, records, text } from '../model/fields';
import type { PodTemplate } from './workloads';

/** Folders that every proxy has. */
const OWN = ['/etc/ssl/', '/etc/pki/', '/usr/', '/etc/istio/', '/var/lib/istio/', '/var/run/secrets/'];

const USER_MOUNTS = 'sidecar.istio.io/userVolumeMount';
const TEMPLATES = 'inject.istio.io/templates';

/** Whether the proxy of a pod has a file; undefined where manifests do not say. */
export function hasFile({ annotations, spec }: PodTemplate, file: string): boolean | undefined {
  if (OWN.some((folder) => file.startsWith(folder))) return true;
  const templates = annotations[TEMPLATES];
  if (templates !== undefined && !/^(sidecar|gateway)$/.test(templates)) return undefined;
  const { containers, initContainers } = record(spec);
  const proxies = [...records(containers), ...records(initContainers)].filter(({ name }) => name === 'istio-proxy');
  const byInjector = annotations[USER_MOUNTS];
  const added = byInjector === undefined ? [] : mountsIn(byInjector);
  if (added === undefined) return undefined;
  const mounts = [...proxies.flatMap(({ volumeMounts }) => records(volumeMounts)), ...added];
  return mounts.some(({ mountPath }) => isBelow(file, text(mountPath)));
}

function isBelow(file: string, folder: string): boolean {
  return folder !== '' && (file === folder || file.startsWith(folder.endsWith('/') ? folder : `${folder}/`));
}

/** The annotation holds a list of mounts, or an object with one for each volume. */
function mountsIn(annotation: string): readonly Readonly<Record<string, unknown>>[] | undefined {
  try {
    const mounts: unknown = JSON.parse(annotation);
    return Array.isArray(mounts) ? records(mounts) : Object.values(record(mounts)).map(record);
  } catch {
    return undefined;
  }
}
