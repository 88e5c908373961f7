/**
 * Containers that run as the user or group of the proxy. The rules by which a Pod's connections are led to its sidecar let those of that
 * user and group go, since they are the proxy's own (tools/istio-iptables/pkg/capture/run.go).
 */
import { optionalRecord, record, records, text, type Json } from './fields';
import type { FieldPath, Manifest } from './manifest';

const PROXY = 1337;

export interface RunAs {
  /** Whether all containers of the Pod do. */
  readonly isAll: boolean;
  readonly containers: readonly string[];
  /** Where the first of them is told to. */
  readonly field: FieldPath;
}

/** `at`: where the object keeps the template of its Pods. */
export function runAsProxy(pod: Json, at: readonly string[], namespace: Manifest | undefined): RunAs | undefined {
  const all = records(pod.containers).map((container, index) => ({ container, index }));
  const proxy = all.find(({ container }) => text(container.name) === 'istio-proxy')?.container;
  const own = all.filter(({ container }) => container !== proxy);
  const found = own.flatMap(({ container, index }) => {
    const field = (['runAsUser', 'runAsGroup'] as const)
      .map((name) => fieldOf(name, pod, container, index, idOf(name, proxy, namespace)))
      .find((one) => one !== undefined);
    return field === undefined ? [] : [{ name: text(container.name), field }];
  });
  const [first] = found;
  if (first === undefined) return undefined;
  const field = [...at, 'spec', ...first.field];
  return { isAll: found.length === own.length, containers: found.map(({ name }) => name), field };
}

type Id = 'runAsUser' | 'runAsGroup';

function fieldOf(name: Id, pod: Json, container: Json, index: number, id: number | undefined): FieldPath | undefined {
  const own = record(container.securityContext)[name];
  if (own !== undefined && own !== null) return own === id ? ['containers', index, 'securityContext', name] : undefined;
  return record(pod.securityContext)[name] === id && id !== undefined ? ['securityContext', name] : undefined;
}

/** Who the proxy runs as; undefined where OpenShift gives it the last id of a range of the namespace (GetProxyIDs of pkg/kube/inject). */
function idOf(name: Id, proxy: Json | undefined, namespace: Manifest | undefined): number | undefined {
  const own = optionalRecord(proxy?.securityContext)?.[name];
  if (typeof own === 'number') return own;
  const range = name === 'runAsUser' ? 'openshift.io/sa.scc.uid-range' : 'openshift.io/sa.scc.supplemental-groups';
  return namespace?.annotations[range] === undefined ? PROXY : undefined;
}
