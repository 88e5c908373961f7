/** ConfigMaps that policies of Envoy Gateway take something from. */
import { record, strings } from './fields';
import type { Mesh } from './mesh';

/** One that is not there, or is empty. */
export interface LackingData {
  /** `namespace/name`. */
  readonly config: string;
  readonly isEmpty: boolean;
}

/** Undefined for a ConfigMap that has data, and for one that may be there. */
export function lacksData(namespace: string, name: string, mesh: Mesh): LackingData | undefined {
  const found = mesh.find('', 'ConfigMap', namespace, name);
  const config = `${namespace}/${name}`;
  if (found === undefined) return mesh.isOpen(namespace) ? undefined : { config, isEmpty: false };
  const { data, binaryData } = record(found.body);
  return Object.keys({ ...strings(data), ...strings(binaryData) }).length > 0 ? undefined : { config, isEmpty: true };
}
