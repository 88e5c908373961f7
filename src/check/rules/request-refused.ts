import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE299',
  name: 'request-refused',
  severity: 'error',
  title: 'A request that manifests speak of does not arrive',
  why: 'Following the request as Istio and Envoy would, it is refused.',
  fix: 'Follow it with `mesh-edge trace`, which shows each hop and what decided it.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: PATH_KINDS,
  footguns: [],
  check: (context) => brokenPathHits(context, ['other']),
};
