/** Views of the objects of an edge that several rules share. */
import { overlaps, resolveShortName } from '../model/hostnames';
import type { FieldPath, Manifest } from '../model/manifest';
import { push, visibility, type Visibility } from '../model/objects';
import { resolveGatewayName } from '../model/virtual-services';
import { type CheckContext, defineIndex } from './context';
import {
  type GatewaySpec,
  NETWORKING,
  type ServiceEntrySpec,
  type TlsMatch,
  type VirtualServiceSpec,
  specOf,
} from './istio';

export interface Entry {
  readonly manifest: Manifest;
  readonly spec: ServiceEntrySpec;
}

export const serviceEntries = defineIndex('service entries', (context): readonly Entry[] =>
  context.of(NETWORKING, 'ServiceEntry').map((manifest) => ({ manifest, spec: specOf('ServiceEntry', manifest) })),
);

/** ServiceEntries by each of their hosts, as written. */
export const entriesByHost = defineIndex('entries by host', (context): ReadonlyMap<string, readonly Entry[]> => {
  const byHost = new Map<string, Entry[]>();
  for (const entry of context.index(serviceEntries)) {
    for (const host of new Set(entry.spec.hosts ?? [])) push(byHost, host, entry);
  }
  return byHost;
});

export interface GatewayView {
  readonly manifest: Manifest;
  readonly spec: GatewaySpec;
}

/** Istio's Gateways by `namespace/name`. */
export const gatewaysByName = defineIndex(
  'gateways by name',
  (context): ReadonlyMap<string, GatewayView> =>
    new Map(
      context
        .of(NETWORKING, 'Gateway')
        .map((manifest) => [`${manifest.namespace}/${manifest.name}`, { manifest, spec: specOf('Gateway', manifest) }]),
    ),
);

export const MESH = 'mesh';

export interface VirtualServiceView {
  readonly manifest: Manifest;
  readonly spec: VirtualServiceSpec;
  readonly hosts: readonly string[];
  /** `mesh`, or `namespace/name`. */
  readonly gateways: readonly string[];
}

export const virtualServices = defineIndex('virtual services', (context): readonly VirtualServiceView[] =>
  context.of(NETWORKING, 'VirtualService').map((manifest) => {
    const spec = specOf('VirtualService', manifest);
    const gateways = spec.gateways && spec.gateways.length > 0 ? spec.gateways : [MESH];
    return {
      manifest,
      spec,
      hosts: spec.hosts ?? [],
      gateways: gateways.map((name) => resolveGatewayName(name, manifest.namespace)),
    };
  }),
);

/** One match of one rule of a VirtualService, or a rule without any. */
export interface RuleMatch {
  readonly kind: 'http' | 'tls' | 'tcp';
  /** Index of the rule. */
  readonly rule: number;
  /** Index of the match; undefined for a rule that has none. */
  readonly match: number | undefined;
  /** `mesh`, or `namespace/name`: those of the match, else those of the VirtualService. */
  readonly gateways: readonly string[];
  readonly port: number | undefined;
  readonly sniHosts: readonly string[];
  readonly field: FieldPath;
}

export function ruleMatches(service: VirtualServiceView): RuleMatch[] {
  const found: RuleMatch[] = [];
  for (const kind of ['http', 'tls', 'tcp'] as const) {
    for (const [rule, route] of (service.spec[kind] ?? []).entries()) {
      const field = ['spec', kind, rule];
      const matches = route.match ?? [];
      if (matches.length === 0)
        found.push({ kind, rule, match: undefined, gateways: service.gateways, port: undefined, sniHosts: [], field });
      for (const [at, match] of matches.entries()) {
        const own = match.gateways ?? [];
        const gateways =
          own.length > 0 ? own.map((name) => resolveGatewayName(name, service.manifest.namespace)) : service.gateways;
        const sniHosts = kind === 'tls' ? ((match as TlsMatch).sniHosts ?? []) : [];
        found.push({
          kind,
          rule,
          match: at,
          gateways,
          port: match.port || undefined,
          sniHosts,
          field: [...field, 'match', at],
        });
      }
    }
  }
  return found;
}

export interface Exported {
  readonly manifest: Manifest;
  readonly spec: { readonly exportTo?: readonly string[] };
}

/** Who sees an object: whom it says, else whom the mesh has objects of its kind exported to. */
function seenBy({ mesh: { config } }: Pick<CheckContext, 'mesh'>, { manifest, spec }: Exported): Visibility {
  const defaults =
    manifest.kind === 'VirtualService'
      ? config.defaultVirtualServiceExportTo
      : manifest.kind === 'DestinationRule'
        ? config.defaultDestinationRuleExportTo
        : config.defaultServiceExportTo;
  return visibility(spec.exportTo ?? [], defaults, manifest.namespace);
}

/** Whether an object is seen from a namespace. */
export function isVisible(context: Pick<CheckContext, 'mesh'>, exported: Exported, viewer: string): boolean {
  const seen = seenBy(context, exported);
  if (seen === 'public' || seen === 'none') return seen === 'public';
  return seen === 'private' ? exported.manifest.namespace === viewer : seen.includes(viewer);
}

/** Whether there may be a namespace that sees both. */
export function haveCommonViewer(context: Pick<CheckContext, 'mesh'>, a: Exported, b: Exported): boolean {
  const one = viewersOf(context, a);
  const other = viewersOf(context, b);
  if (one === 'public') return other === 'public' || other.length > 0;
  return other === 'public' ? one.length > 0 : one.some((entry) => other.includes(entry));
}

function viewersOf(context: Pick<CheckContext, 'mesh'>, exported: Exported): readonly string[] | 'public' {
  const seen = seenBy(context, exported);
  if (seen === 'public') return seen;
  return seen === 'none' ? [] : seen === 'private' ? [exported.manifest.namespace] : seen;
}

/** ServiceEntries one of whose hosts has a name in common with `host`. */
export function entriesFor(context: CheckContext, host: string): readonly Entry[] {
  const exact = context.index(entriesByHost).get(host);
  if (exact) return exact;
  return context
    .index(serviceEntries)
    .filter(({ spec }) =>
      (spec.hosts ?? []).some(
        (candidate) => (candidate.includes('*') || host.includes('*')) && overlaps(candidate, host),
      ),
    );
}

/** `ServiceEntry app/cnn`, for a sentence. */
export function nameOf(manifest: Manifest): string {
  return `${manifest.kind} ${manifest.namespace ? `${manifest.namespace}/` : ''}${manifest.name}`;
}

/** Whether every label that is asked for is there. */
export function selects(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);
}

/** The whole name of a host that an object of a namespace names: a name without dots is a Service of that. */
export function fullHost({ mesh }: Pick<CheckContext, 'mesh'>, host: string, namespace: string): string {
  return resolveShortName(host, namespace, mesh.config.clusterDomain);
}
