import { MESH, nameOf, virtualServices } from '../edge';
import { isSubsetOf, toFqdn } from '../hosts';
import { NETWORKING, specOf } from '../istio';
import type { CheckContext } from '../context';
import type { FieldPath, Manifest } from '../../model/manifest';
import type { Rule } from '../rule';
import { nearest } from '../schema/structural';

export const rule: Rule = {
  id: 'EDGE210',
  name: 'unknown-destination',
  severity: 'error',
  title: 'An object names a host that nothing declares',
  why: 'A route to a host that is in no registry ends in 503, and a DestinationRule for one changes nothing.',
  fix: 'Name a Service or a host of a ServiceEntry.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0101/',
  reads: ['VirtualService', 'DestinationRule'],
  footguns: ['V12', 'V17'],
  *check(context) {
    for (const { manifest, spec, gateways } of context.index(virtualServices)) {
      for (const kind of ['http', 'tls', 'tcp'] as const) {
        for (const [r, { route = [] }] of (spec[kind] ?? []).entries()) {
          for (const [d, { destination }] of route.entries()) {
            const hit = judge(context, destination?.host ?? '', manifest);
            // Sidecars that meet such a route are followed hop by hop, and said to fail there.
            if (hit)
              yield {
                manifest,
                field: ['spec', kind, r, 'route', d, 'destination', 'host'],
                ...hit,
                severity: hit.isSure
                  ? ('error' as const)
                  : gateways.includes(MESH)
                    ? ('info' as const)
                    : ('warning' as const),
              };
          }
        }
      }
    }
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const hit = judge(context, specOf('DestinationRule', manifest).host ?? '', manifest);
      const field: FieldPath = ['spec', 'host'];
      if (hit) yield { manifest, field, ...hit, severity: hit.isSure ? ('warning' as const) : ('info' as const) };
    }
  },
};

interface Verdict {
  readonly what: string;
  readonly fix?: string;
  readonly isSure: boolean;
}

/** Nothing for a host that is declared, or whose namespace no manifest shows. */
function judge(context: CheckContext, written: string, manifest: Manifest): Verdict | undefined {
  if (written === '' || written.startsWith('*')) return undefined;
  const { services } = context.mesh;
  const host = toFqdn(written, manifest.namespace);
  const candidates = [
    host,
    toFqdn(`${written}`, manifest.namespace),
    ...(/^[^.]+\.[^.]+$/.test(written) ? [`${written}.svc.cluster.local`] : []),
    ...(/\.svc$/.test(written) ? [`${written}.cluster.local`] : []),
  ];
  if (
    candidates.some((name) => services.named(name).size > 0) ||
    services.all.some((service) => service.host.startsWith('*') && isSubsetOf(host, service.host))
  )
    return undefined;
  const [, , namespace] = /^([^.]+)\.([^.]+)\.svc\.cluster\.local$/.exec(host) ?? [];
  const known = services.all.filter(({ assumed }) => !assumed).map((service) => service.host);
  if (namespace !== undefined) {
    const siblings = services
      .inNamespace(namespace)
      .filter(({ assumed, registry }) => !assumed && registry === 'Kubernetes');
    if (siblings.length === 0) return undefined;
    const near = nearest(
      host.split('.')[0] ?? '',
      siblings.map(({ host: name }) => name.split('.')[0] ?? ''),
    );
    return {
      what: `${nameOf(manifest)} names ${JSON.stringify(written)}, and namespace ${namespace} has ${siblings
        .map(({ host: name }) => name.split('.')[0])
        .slice(0, 6)
        .join(', ')}`,
      isSure: near !== undefined,
      ...(near ? { fix: `Did you mean ${near}?` } : {}),
    };
  }
  const near = nearest(
    host,
    known.filter((name) => !name.endsWith('.svc.cluster.local')),
  );
  return {
    what: `${nameOf(manifest)} names ${JSON.stringify(written)}, which no ServiceEntry declares`,
    isSure: near !== undefined,
    ...(near ? { fix: `Did you mean ${near}?` } : {}),
  };
}
