import type { CheckContext } from '../context';
import { specOf } from '../istio';
import { findDecided } from '../paths/decided';
import type { BrokenPath } from '../paths/paths';
import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Hit, Rule } from '../rule';

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
  causedBy: ['EDGE314', 'EDGE315', 'EDGE519', 'EDGE522'],
  isByPolicy: true,
  check: (context) =>
    brokenPathHits(context, ['authorization'], (path) => ({ severity: 'warning', ...explained(context, path) })),
};

function explained(context: CheckContext, { probe, trace: { hops, refusal } }: BrokenPath): Partial<Hit> {
  const { by, proxy } = refusal ?? {};
  if (by?.kind === 'PeerAuthentication')
    return { why: 'Where mutual TLS is demanded, what comes in plain text is refused, whoever sends it.' };
  // At the first proxy of a request from outside there is nobody whom a source could name.
  if (probe.at === undefined || hops.length > 1 || by?.kind !== 'AuthorizationPolicy') return {};
  const policy = findDecided(context, by)?.manifest;
  const rules = policy ? (specOf('AuthorizationPolicy', policy).rules ?? []) : [];
  if (rules.some(({ from = [] }) => from.length === 0)) return {};
  return {
    why: 'Policies apply to the gateway as well, and its clients from outside have no identity in the mesh. Where any ALLOW policy is for its pods, what no rule allows gets 403.',
    fix: `Add an ALLOW policy for the pods of the gateway (${proxy?.namespace}/${proxy?.workload}), by the hosts, paths or ports that it is to serve, without a source: whoever reaches the gateway may then ask for those.`,
  };
}
