/** Services whose connections two waypoints share. */
import type { Mesh } from '../model/mesh';
import type { Service } from '../model/services';
import { type Binding, canaryOf } from '../model/waypoints';
import { gap, type Gap } from './notes';
import { serviceRef } from './refs';

/** Which waypoint a connection takes nobody can tell; undefined where there is but one. */
export function sharedWith(mesh: Mesh, service: Service, first: Binding): Gap | undefined {
  const canary = canaryOf(mesh, service, first);
  if (canary === undefined) return undefined;
  const waypoint = `${first.namespace}/${first.name}`;
  return gap({ kind: 'waypoint-canary', service: serviceRef(service), waypoint, canary: `${canary.namespace}/${canary.name}`, weight: canary.weight }); // prettier-ignore
}
