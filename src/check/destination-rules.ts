/** Whom a DestinationRule is for. */
import type { Manifest } from '../model/manifest';
import type { Proxy } from '../model/mesh';
import type { ServedPod } from '../model/revisions';
import type { CheckContext } from './context';

/** Whether a proxy gets its settings for a host of this rule: one that names the host more closely, or that is found before, takes its place. */
export function isHeldTo(
  { mesh }: CheckContext,
  rule: Manifest,
  host: string,
  pod: ServedPod,
  type: Proxy['type'] = 'sidecar',
): boolean {
  const { namespace, labels } = pod;
  const scope = mesh.servedTo(pod).scopeOf({ type, namespace, labels, addresses: [] });
  return scope.destinationRule(host, labels)?.from.some(({ manifest }) => manifest === rule) === true;
}
