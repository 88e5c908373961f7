import { nameOf } from '../edge';
import { paths } from '../paths/paths';
import { brokenPathHits } from '../paths/report';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE301',
  name: 'tls-inside-tls',
  severity: 'error',
  title: 'TLS is originated on a connection that is TLS already',
  why: 'The server gets a TLS session inside another, and closes the connection.',
  fix: 'Originate TLS on a subset or port that only plain HTTP is routed to.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: ['ServiceEntry', 'VirtualService'],
  footguns: ['T01', 'T02'],
  check(context) {
    // A rule for TLS by its SNI says that applications do speak it. Without one, a rule that plain HTTP uses on its way out is there for that; that TLS of applications breaks is the price of writing it host-wide.
    const used = new Set(
      context
        .index(paths)
        .filter(({ probe, trace }) => probe.scheme === 'http' && trace.outcome === 'delivered')
        .flatMap(({ trace }) => trace.hops.flatMap(({ decidedBy }) => decidedBy))
        .map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
    );
    return brokenPathHits(context, ['double-tls'], ({ manifest }, all) =>
      used.has(nameOf(manifest)) && !all.some(({ probe }) => probe.manifest.kind === 'VirtualService')
        ? { severity: 'warning' }
        : undefined,
    );
  },
};
