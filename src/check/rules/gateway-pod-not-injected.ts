import type { Rule } from '../rule';
import { podTemplates } from '../workloads';
import { podInjection } from '../../model/injection';

export const rule: Rule = {
  id: 'EDGE605',
  name: 'gateway-pod-not-injected',
  severity: 'error',
  title: 'A gateway waits for injection that does not come',
  why: 'The image "auto" is put in by the injector. Where it is not asked for, the pod tries to pull an image of that name, and never starts.',
  fix: 'Label the pod template sidecar.istio.io/inject: "true", and annotate it inject.istio.io/templates: gateway.',
  see: 'https://istio.io/latest/docs/setup/additional-setup/gateway/#deploying-a-gateway',
  reads: ['Deployment', 'DaemonSet', 'StatefulSet', 'Pod'],
  footguns: ['W06'],
  *check(context) {
    for (const { manifest, namespace, labels, annotations, spec, at } of context.index(podTemplates)) {
      const container = (spec.containers ?? []).findIndex(({ image }) => image === 'auto');
      if (container === -1) continue;
      const own = labels['sidecar.istio.io/inject'] ?? annotations['sidecar.istio.io/inject'];
      const injected = podInjection({ labels, annotations }, context.find('', 'Namespace', '', namespace));
      if (injected !== true) {
        yield {
          manifest,
          field: [...at, 'spec', 'containers', container, 'image'],
          severity: injected === undefined ? 'warning' : 'error',
          what: `the image is auto, and ${own === 'false' ? 'the pod refuses injection' : 'neither the pod nor its namespace asks for injection'}`,
        };
      } else if (
        !/gateway/.test(annotations['inject.istio.io/templates'] ?? '') &&
        (spec.containers ?? []).some(({ name, image }) => name === 'istio-proxy' && image === 'auto')
      ) {
        yield {
          manifest,
          field: [...at, 'metadata', 'annotations'],
          severity: 'warning',
          what: 'the container istio-proxy has the image auto, and inject.istio.io/templates is not gateway',
          why: 'The default template makes a sidecar of it, which has no ports of a gateway.',
          fix: 'Annotate the pod template inject.istio.io/templates: gateway.',
        };
      }
    }
  },
};
