import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE517',
  name: 'caller-not-admitted',
  severity: 'warning',
  title: 'A route leads to workloads whose policies admit nobody that uses it',
  why: 'The workload asks who calls, which behind a gateway is the gateway, and no ALLOW rule names it: every request on the route gets 403.',
  fix: "Name the identity of the gateway's pods (its service account, or its namespace) in the policy.",
  see: 'https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source',
  reads: PATH_KINDS,
  footguns: [],
  check: (context) => brokenPathHits(context, ['authorization'], () => ({ severity: 'warning' })),
};
