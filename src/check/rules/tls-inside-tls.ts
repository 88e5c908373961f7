import type { Manifest } from '../../model/manifest';
import { nameOf, virtualServices, fullHost } from '../edge';
import { type CheckContext, defineIndex } from '../context';
import { specOf } from '../istio';
import { findDecided } from '../paths/decided';
import { paths } from '../paths/paths';
import { PATH_KINDS, brokenPathHits } from '../paths/report';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE301',
  name: 'tls-inside-tls',
  severity: 'error',
  title: 'TLS is originated on a connection that is TLS already',
  why: 'The server gets a TLS session inside another, and closes the connection.',
  fix: 'Originate TLS on a subset or port that only plain HTTP is routed to.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: PATH_KINDS,
  footguns: ['T01', 'T02'],
  *check(context) {
    // A rule for TLS by its SNI says that applications do speak it. Without one, a rule that plain HTTP uses on its way out is there for that; that TLS of applications breaks is the price of writing it host-wide.
    const used = new Set(
      context
        .index(paths)
        .filter(({ probe, trace }) => probe.scheme === 'http' && trace.outcome === 'delivered')
        .flatMap(({ trace }) => trace.hops.flatMap(({ decidedBy }) => decidedBy))
        .map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`),
    );
    yield* wrappedInside(context);
    yield* brokenPathHits(context, ['double-tls'], ({ manifest }, all) =>
      (used.has(nameOf(manifest)) || isForHttp(context, manifest)) &&
      !all.some(({ probe }) => probe.manifest.kind === 'VirtualService')
        ? { severity: 'warning' }
        : undefined,
    );
  },
};

/** Whether an http route leads to the host of a DestinationRule, even if something else stops it on its way. */
function isForHttp(context: CheckContext, manifest: Manifest): boolean {
  return (
    manifest.kind === 'DestinationRule' &&
    context
      .index(routedHosts)
      .has(fullHost(context, specOf('DestinationRule', manifest).host ?? '', manifest.namespace))
  );
}

const routedHosts = defineIndex(
  'hosts of http routes',
  (context): ReadonlySet<string> =>
    new Set(
      context
        .index(virtualServices)
        .flatMap(({ spec, manifest: { namespace } }) =>
          (spec.http ?? []).flatMap(({ route = [] }) =>
            route.map(({ destination }) => fullHost(context, destination?.host ?? '', namespace)),
          ),
        ),
    ),
);

/** A Service of the cluster whose clients speak TLS to it through a gateway, and get another around it by a DestinationRule. */
function* wrappedInside(context: CheckContext): Generator<Hit> {
  const said = new Set<unknown>();
  for (const { probe, client, trace } of context.index(paths)) {
    const last = [...trace.hops]
      .reverse()
      .find(({ sends }) => sends !== null && sends.tls !== 'APPLICATION' && sends.protocol === 'TLS');
    const { outcome, destination } = trace;
    if (outcome !== 'delivered' || !last || trace.hops[0]?.receives.tls !== 'APPLICATION') continue;
    if (destination?.tls !== 'SIMPLE' && destination?.tls !== 'MUTUAL') continue;
    const by = last.decidedBy.find(({ kind }) => kind === 'DestinationRule') ?? trace.hops.flatMap(({ decidedBy }) => decidedBy).find(({ kind }) => kind === 'DestinationRule'); // prettier-ignore
    const at = by && findDecided(context, by);
    if (!at || said.has(at.manifest)) continue;
    said.add(at.manifest);
    yield {
      ...at,
      what: `${probe.url} from ${client.from} speaks TLS already, and ${nameOf(at.manifest)} adds TLS around it on the way to ${destination.host}`,
    };
  }
}
