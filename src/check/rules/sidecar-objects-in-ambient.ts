import { NETWORKING } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE705',
  name: 'sidecar-objects-in-ambient',
  severity: 'warning',
  title: 'An object for sidecars is in a namespace without any',
  why: 'Workloads of an ambient namespace have no sidecar: a Sidecar scopes nothing there.',
  fix: 'Remove it; in ambient mode use exportTo, a waypoint, and AuthorizationPolicies.',
  see: 'https://istio.io/latest/docs/ambient/',
  reads: ['Sidecar'],
  footguns: ['A07'],
  *check(context) {
    const ambient = new Set(
      context
        .of('', 'Namespace')
        .filter(({ labels }) => labels['istio.io/dataplane-mode'] === 'ambient')
        .map(({ name }) => name),
    );
    for (const manifest of context.of(NETWORKING, 'Sidecar')) {
      if (ambient.has(manifest.namespace))
        yield { manifest, field: ['metadata', 'namespace'], what: `namespace ${manifest.namespace} is ambient` };
    }
  },
};
