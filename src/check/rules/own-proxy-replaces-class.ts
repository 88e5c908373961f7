import { proxyOfClass, proxyPod } from '../../model/envoy-gateway';
import { strings, type Json } from '../../model/fields';
import { nameOf } from '../edge';
import { envoyGateways } from '../envoy-gateway';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE833',
  name: 'own-proxy-replaces-class',
  severity: 'error',
  title: 'The EnvoyProxy of a Gateway leaves out what that of its class says to the mesh',
  why: 'An EnvoyProxy that a Gateway names without a mergeType stands in the place of the one of its class, whole: labels and annotations of the class are not on its Pods, and without them the proxies are no members of the mesh.',
  fix: 'Write the labels and annotations of the class into the EnvoyProxy of the Gateway too, or, since Envoy Gateway 1.8, set mergeType: StrategicMerge in it.',
  see: 'https://gateway.envoyproxy.io/docs/tasks/operations/customize-envoyproxy/',
  reads: ['EnvoyProxy'],
  footguns: ['Y07'],
  *check(context) {
    for (const { gateway, proxy, workload } of context.index(envoyGateways)) {
      const ofClass = proxyOfClass(gateway, context.mesh);
      if (!proxy.manifest || !ofClass.manifest || proxy.manifest === ofClass.manifest) continue;
      const [own, wanted] = [proxyPod(proxy), proxyPod(ofClass)];
      const lost = [...missing(wanted, own, 'labels'), ...missing(wanted, own, 'annotations')];
      // What makes the proxies members may also be on their namespace.
      const isInjection = lost.some(
        ({ key }) => key === 'sidecar.istio.io/inject' || key === 'istio.io/dataplane-mode',
      );
      if (lost.length === 0 || (isInjection && lost.length === 1 && workload.membership !== 'none')) continue;
      yield {
        manifest: proxy.manifest,
        field: ['spec', 'provider'],
        what: `${nameOf(proxy.manifest)}, which ${nameOf(gateway.config.manifest)} names, stands in the place of ${nameOf(ofClass.manifest)} and leaves out its ${lost.map(({ key, value }) => `${key}: "${value}"`).join(', ')}`,
        fix: `Write ${lost.map(({ key }) => key).join(' and ')} into the Pod of ${nameOf(proxy.manifest)} too.`,
        ...(isInjection && workload.membership === 'none' ? {} : { severity: 'warning' as const }),
      };
    }
  },
};

/** Keys of Istio that one Pod template has and the other has not. */
function missing(
  wanted: Json,
  own: Json,
  part: 'labels' | 'annotations',
): readonly { readonly key: string; readonly value: string }[] {
  const there = strings(own[part]);
  return Object.entries(strings(wanted[part]))
    .filter(([key]) => /(^|\.)istio\.io\//.test(key) && there[key] === undefined)
    .map(([key, value]) => ({ key, value }));
}
