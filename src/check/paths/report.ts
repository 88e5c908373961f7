/** One finding for each cause that breaks paths, however many requests it breaks. */
import type { Manifest } from '../../model/manifest';
import { type CheckContext, defineIndex } from '../context';
import { gatewaysByName, virtualServices } from '../edge';
import { formatField } from '../field';
import type { Hit } from '../rule';
import { findDecided } from './decided';
import { type Break, type BrokenPath, brokenPaths } from './paths';

/** Kinds that speak of requests. */
export const PATH_KINDS = ['ServiceEntry', 'VirtualService', 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'];

export function* brokenPathHits(
  context: CheckContext,
  kinds: readonly Break[],
  adjust?: (path: BrokenPath, all: readonly BrokenPath[]) => Partial<Hit> | undefined,
): Generator<Hit> {
  const causes = new Map<string, { first: BrokenPath; others: Set<string>; all: BrokenPath[] }>();
  for (const path of context.index(brokenPaths)) {
    if (!kinds.includes(path.kind)) continue;
    const { manifest, field, trace } = path;
    const key = `${path.isDoubtful} ${manifest.index} ${formatField(field)} ${trace.refusal?.code ?? ''} ${trace.refusal?.what.replace(/from .*/, '') ?? ''}`;
    const cause = causes.get(key);
    const request = `${path.probe.url} from ${path.client.from}`;
    if (!cause) causes.set(key, { first: path, others: new Set([request]), all: [path] });
    else {
      cause.others.add(request);
      cause.all.push(path);
    }
  }
  for (const { first, others, all } of causes.values()) {
    const { refusal } = first.trace;
    if (!refusal) continue;
    const { isDoubtful } = first;
    const more = others.size > 1 ? ` (and ${others.size - 1} more)` : '';
    yield {
      manifest: first.manifest,
      field: first.field,
      what: `${first.probe.url} from ${first.client.from}${more} is refused${statusOf(refusal.status, refusal.code)} at ${placeOf(first)}: ${refusal.what}`,
      fix: sentence(refusal.fix),
      ...(isDoubtful ? { severity: 'warning' as const } : {}),
      onTheWay: onTheWay(context, all),
      ...adjust?.(first, all),
    };
  }
}

function statusOf(status: number | null, code: string): string {
  return status === null ? ` (${code})` : ` (${status} ${code})`;
}

function placeOf({ trace: { refusal } }: BrokenPath): string {
  if (!refusal) return '';
  const { kind, namespace, workload } = refusal.proxy;
  return kind === 'none' ? 'the network' : `the ${kind} of ${namespace}${workload ? `/${workload}` : ''}`;
}

function sentence(text: string): string {
  return text === '' ? '' : `${text[0]?.toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** What has a say in a path: what speaks of the request, what decides its hops, and the Gateways of its routes. */
function onTheWay(context: CheckContext, all: readonly BrokenPath[]): readonly Manifest[] {
  const found = new Set<Manifest>();
  const gateways = context.index(gatewaysByName);
  const named = context.index(gatewaysOfRoutes);
  for (const { probe, manifest, trace } of all) {
    const decisions = trace.hops.flatMap(({ decidedBy, route }) => [
      ...decidedBy,
      ...(route ? [{ ...route, field: '' }] : []),
    ]);
    const objects = decisions.flatMap((decision) => findDecided(context, decision)?.manifest ?? []);
    for (const object of [probe.manifest, manifest, ...objects]) {
      found.add(object);
      for (const name of named.get(object) ?? []) {
        const gateway = gateways.get(name);
        if (gateway) found.add(gateway.manifest);
      }
    }
  }
  return [...found];
}

const gatewaysOfRoutes = defineIndex(
  'gateways of routes',
  (context): ReadonlyMap<Manifest, readonly string[]> =>
    new Map(context.index(virtualServices).map(({ manifest, gateways }) => [manifest, gateways])),
);
