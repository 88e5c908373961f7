/**
 * Callers whom policies name in namespaces of which manifests show nothing that calls anyone: those of gateways alone, and of the control plane.
 * Whom a policy lets in it lets in, whether manifests show them or not.
 */
import type { Mesh } from '../model/mesh';
import { isNeverInjected } from '../model/workloads';
import type { TraceRequest } from '../trace/types';
import type { Distinctions } from './distinctions';

export interface Admitted {
  readonly namespace: string;
  /** Null for whoever is there. */
  readonly name: string | null;
  readonly request: Pick<TraceRequest, 'from' | 'labels' | 'serviceAccount'>;
}

/** @param inhabited namespaces whose clients are known otherwise */
export function admittedElsewhere(
  meshes: readonly Mesh[],
  { admitted, accounts }: Distinctions,
  inhabited: ReadonlySet<string>,
): readonly Admitted[] {
  const named = accounts.filter(
    ({ namespace, name }) =>
      !inhabited.has(namespace) && !/\*/.test(namespace + name) && !ownAccounts(namespace, meshes).has(name),
  );
  const others = new Set([...admitted, ...named.map(({ namespace }) => namespace)]);
  return [
    // Whoever else is there, beside those with an account that is named.
    ...[...others]
      .filter((namespace) => !inhabited.has(namespace))
      .map((namespace) => ({ namespace, name: null, request: { from: namespace, ...enrolment(namespace, meshes) } })),
    ...named.map(({ namespace, name }) => ({
      namespace,
      name: `serviceaccount=${name}`,
      request: { from: namespace, serviceAccount: name, ...enrolment(namespace, meshes) },
    })),
  ];
}

/** Accounts of what passes on what others send, and calls nobody by itself. */
function ownAccounts(namespace: string, meshes: readonly Mesh[]): ReadonlySet<string> {
  return new Set(meshes.flatMap((mesh) => mesh.workloads.inNamespace(namespace).map((one) => one.serviceAccount)));
}

/** What has an identity in a namespace that is not injected asks for a sidecar itself, as gateways do. */
function enrolment(namespace: string, meshes: readonly Mesh[]): Pick<Admitted['request'], 'labels'> {
  const isLeftAlone = meshes.every(
    (mesh) =>
      mesh.membershipIn(namespace) === 'none' &&
      mesh.namespaces.get(namespace)?.labels['istio-injection'] === undefined,
  );
  return isLeftAlone && !isNeverInjected(namespace) ? { labels: { 'sidecar.istio.io/inject': 'true' } } : {};
}
