/** What rules about ambient mode need to know of entries and their waypoints. */
import type { Manifest } from '../model/manifest';
import type { Service } from '../model/services';
import { bindingOf, type Binding, serviceBindingOf } from '../model/waypoints';
import { type CheckContext, defineIndex } from './context';

/** An entry that is led through a waypoint, with the services that istiod makes of it: one for each host and address. */
export interface Led {
  readonly manifest: Manifest;
  readonly binding: Binding;
  readonly services: readonly Service[];
}

/** ServiceEntries whose binding holds. */
export const ledEntries = defineIndex('entries led through waypoints', (context): readonly Led[] =>
  entries(context).flatMap(([manifest, services]) => {
    const binding = bindingOf(context.mesh, manifest);
    return binding === undefined || binding.problem !== undefined ? [] : [{ manifest, binding, services }];
  }),
);

/** Services of Kubernetes whose binding holds. */
export const ledServices = defineIndex('services led through waypoints', ({ mesh }): readonly Led[] =>
  mesh.services.all.flatMap((service) => {
    if (service.registry !== 'Kubernetes' || service.assumed) return [];
    const binding = serviceBindingOf(mesh, service);
    if (binding === undefined || binding.problem !== undefined) return [];
    return [{ manifest: service.config.manifest, binding, services: [service] }];
  }),
);

/** Entries that no label leads anywhere. */
export const unledEntries = defineIndex('entries without a waypoint', (context): readonly Manifest[] =>
  entries(context)
    .filter(([manifest]) => bindingOf(context.mesh, manifest) === undefined)
    .map(([manifest]) => manifest),
);

function entries(context: CheckContext): readonly (readonly [Manifest, readonly Service[]])[] {
  const byManifest = new Map<Manifest, Service[]>();
  for (const service of context.mesh.services.all) {
    if (service.registry !== 'External') continue;
    const known = byManifest.get(service.config.manifest);
    if (known === undefined) byManifest.set(service.config.manifest, [service]);
    else known.push(service);
  }
  return [...byManifest];
}

/** Whether every workload that the manifests speak of does without a proxy of Istio's but waypoints. */
export function isAllAmbient(context: CheckContext): boolean {
  return hasNoSidecar(context) && !context.mesh.workloads.all.some(({ membership }) => membership === 'gateway');
}

/** Whether workloads that the manifests speak of are in ambient mode, and none has a sidecar. */
export function hasNoSidecar({ mesh }: CheckContext): boolean {
  const namespaces = [...mesh.namespaces.keys()];
  return (
    namespaces.some((name) => mesh.membershipIn(name) === 'ztunnel') &&
    !namespaces.some((name) => mesh.membershipIn(name) === 'sidecar') &&
    !mesh.workloads.all.some(({ membership }) => membership === 'sidecar')
  );
}

/** The fields of a policy that say what it is for. */
export interface Targets {
  readonly targetRefs?: readonly { readonly group?: string; readonly kind?: string; readonly name?: string }[];
  readonly action?: string;
}

export const targetsOf = (manifest: Manifest): Targets => (manifest.body as { readonly spec?: Targets }).spec ?? {};
