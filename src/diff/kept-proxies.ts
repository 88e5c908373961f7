/** Pods that run when the labels of their namespace change: they keep what they were made with until they are made anew. */
import { podInjection } from '../model/injection';
import { record, strings } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { isAdmitted, membershipOf } from '../model/workloads';
import type { Sides } from './reconciled';
import type { Undecided } from './types';

export function keptProxies({ before, after }: Sides): readonly Undecided[] {
  const [was, is] = [namespaces(before), namespaces(after)];
  const kept = new Map<string, { with: number; without: number }>();
  for (const pod of after) {
    const info = is.get(pod.namespace);
    if (info === undefined || was.get(pod.namespace) === info) continue;
    const { metadata, spec } = pod.body;
    if (pod.kind !== 'Pod' || pod.group !== '' || !isAdmitted(pod.body)) continue;
    const shape = { labels: strings(record(metadata).labels), annotations: strings(record(metadata).annotations), spec: record(spec) }; // prettier-ignore
    const [earlier, now] = [was.get(pod.namespace), info].map((one) => podInjection(shape, one));
    const { membership } = membershipOf(shape, pod.namespace, info, 'final');
    const hasProxy = membership === 'sidecar';
    if (earlier === now || now === hasProxy || membership === 'gateway' || membership === 'waypoint') continue;
    const count = kept.get(pod.namespace) ?? { with: 0, without: 0 };
    kept.set(pod.namespace, hasProxy ? { ...count, with: count.with + 1 } : { ...count, without: count.without + 1 });
  }
  return [...kept].flatMap(([namespace, count]) =>
    [told(namespace, count.with, 'keep their sidecars'), told(namespace, count.without, 'get no sidecars')].flat(),
  );
}

function told(namespace: string, count: number, what: string): readonly Undecided[] {
  if (count === 0) return [];
  return [
    {
      from: [namespace],
      to: 'every host',
      what: `Pods of namespace ${namespace} that run (${count}) ${what}, whatever its labels become`,
      why: 'the labels hold for Pods that are made from then on, so that traffic changes when these are restarted',
    },
  ];
}

function namespaces(manifests: readonly Manifest[]): ReadonlyMap<string, Manifest> {
  return new Map(manifests.filter(({ group, kind }) => group === '' && kind === 'Namespace').map((one) => [one.name, one])); // prettier-ignore
}
