/**
 * Every request, without a solver. One request is followed, and every question that a proxy asked of it is kept with its answer.
 * All requests that give the same answers fare the same: they are one class. Then each answer in turn is taken to be the other
 * one: if some request gives it, together with the answers before, that request is followed next. When no answer is left to turn,
 * the classes cover everything, and no request is in two of them.
 *
 * ```ts
 * const { classes, undecided } = explore(mesh, { from: 'shop/web' }, { scheme: 'http', host: 'api.shop.svc.cluster.local', port: 80 });
 * for (const { witness, trace, region } of classes) console.log(regionText(region), witness, trace.outcome);
 * ```
 */
import type { Mesh } from '../model/mesh';
import { push } from '../model/objects';
import type { Ask, Dimension, Recorder, Supposed } from '../trace/ask';
import { listenerAt, pathSettingsAt } from '../trace/envoy-gateway-config';
import { trace } from '../trace/index';
import { evaluate, type Matcher } from '../trace/matcher';
import { istioPaths, type PathSettings } from '../trace/paths';
import type { ObjectRef, Trace, TraceRequest } from '../trace/types';
import type { Budget } from './budget';
import { exploreByAddress } from './by-address';
import type { Condition, Exploration, RequestClass, Undecided } from './exploration';
import { member } from './members';
import { regionText } from './region-text';
import { isSupposed, supposedBy, supposedMember } from './supposed';
import { keyOf, pathForm, requestOf, universe, type PathForm, type Target, type Values } from './universe';

export type { Condition, Exploration, RequestClass, Undecided } from './exploration';
export { regionText } from './region-text';
export type { Target } from './universe';

export interface ExploreOptions {
  /** Classes beyond this are not looked for: what is left is undecided, and named. @default 2000 */
  readonly mostClasses?: number;
  /** How the paths look that are explored. @default as the meshes normalize them */
  readonly paths?: PathForm;
  /** Clusters that are followed where they are offered, in place of those of the greatest weight. */
  readonly prefers?: ReadonlySet<string>;
  /** What the work is charged to: when it is used up, what is left is undecided, and named. @default no limit but that of the classes */
  readonly budget?: Budget | undefined;
  /** Whether what no manifest tells is supposed, to be so and not so. @default it is unknown */
  readonly supposes?: boolean;
}

/** Who sends: what a request says beside its URL, method and headers. */
export type Client = Omit<TraceRequest, 'request' | 'address' | 'method' | 'headers'>;

const MOST_CLASSES = 2000;
const NOTHING: ReadonlySet<string> = new Set();

interface Node {
  readonly region: readonly Condition[];
  readonly values: Values;
}

/**
 * Explores what `follow` makes of requests. It has to ask about the request through the recorder alone, and to answer alike
 * whenever it gets the same answers; it may follow a request through several meshes one after the other.
 */
export function exploreWith<T>(
  follow: (request: TraceRequest, recorder: Recorder) => T,
  client: Client,
  target: Target,
  { mostClasses = MOST_CLASSES, paths = 'BASE', prefers = NOTHING, budget, supposes = false }: ExploreOptions = {},
): Exploration<T> {
  const classes: RequestClass<T>[] = [];
  const undecided: Undecided[] = [];
  const offered = new Set<string>();
  const hostAsked = new Map<string, Matcher>();
  const open: Node[] = [{ region: [], values: new Map() }];
  let followed = 0;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (classes.length >= mostClasses || budget?.isSpent === true) {
      const rest = [node, ...open];
      undecided.push({
        what: `${regionText(node.region)}${rest.length === 1 ? '' : `, and ${rest.length - 1} more parts of what there is to ask`}`,
        why:
          budget?.isSpent === true
            ? budget.why
            : `there are more than ${mostClasses} classes of requests to ${target.host}`,
        region: node.region,
      });
      break;
    }
    const asks: Ask[] = [];
    const opened: string[] = [];
    const witness = requestOf(client, target, node.values);
    const result = follow(witness, {
      asked: (ask) => asks.push(ask),
      opened: ({ kind, name }, why) => opened.push(`${why} (${keyOf({ kind, name })})`),
      offered: (clusters) => clusters.forEach((one) => offered.add(one)),
      prefers,
      ...(supposes ? { supposed: supposedBy(node.values, (ask) => asks.push(ask)) } : {}),
    });
    followed += 1;
    budget?.follow();
    const region: Condition[] = [...node.region];
    const known = new Set(region.map(literalKey));
    const byDimension = new Map<string, Condition[]>();
    for (const one of region) push(byDimension, keyOf(one.dimension), one);
    const siblings: Node[] = [];
    for (const { dimension, matcher, answer, whenAbsent } of asks) {
      const condition: Condition = { dimension, matcher, holds: answer, whenAbsent };
      const key = literalKey(condition);
      if (known.has(key)) continue;
      known.add(key);
      if (dimension.kind === 'host') hostAsked.set(key, matcher);
      const other: Condition = { ...condition, holds: !answer };
      const about = keyOf(dimension);
      const own = [...(byDimension.get(about) ?? []), other];
      const found = isSupposed(dimension) ? supposedMember(dimension, own) : member(own, universe(dimension, target, paths), budget); // prettier-ignore
      if (found.is === 'none') continue; // it follows from what is known
      const turned = [...region, other];
      region.push(condition);
      push(byDimension, about, condition);
      if (found.is === 'undecided') {
        undecided.push({ what: regionText(turned), why: found.why, region: turned });
        continue;
      }
      siblings.push({
        region: turned,
        values: new Map([...node.values, [about, { dimension, text: found.text }]]),
      });
    }
    // The last answers are turned first: plain requests are followed before odd ones.
    open.push(...siblings.reverse());
    classes.push({ region, witness, followed: result, open: [...new Set([...opened, ...clashes(region)])] });
  }
  return { classes, undecided, followed, offered: [...offered], hostAsked: [...hostAsked.values()] };
}

/** Shares of one exploration that are explored each by itself. */
const MOST_SHARES = 16;

/**
 * Explores the greatest shares of weighted routes, and then each other share, and copies, as if all requests went there. What is given to
 * `explored` beyond the first time has the clusters that were followed instead.
 */
export function withShares(
  explored: (prefers: ReadonlySet<string>) => readonly string[],
  tooMany: (why: string) => void,
): void {
  const seen = new Set<string>();
  const open: ReadonlySet<string>[] = [NOTHING];
  for (let prefers = open.shift(); prefers !== undefined; prefers = open.shift()) {
    for (const cluster of explored(prefers)) {
      const more = new Set([...prefers, cluster]);
      const key = [...more].sort().join('\n');
      if (more.size === prefers.size || seen.has(key)) continue;
      if (seen.size >= MOST_SHARES) return tooMany(`these requests are split in more than ${MOST_SHARES} ways`);
      seen.add(key);
      open.push(more);
    }
  }
}

/** Follows a request as an exploration did: by itself, with the same shares of weighted routes, and with the same supposed. */
export function traceBy(mesh: Mesh, request: TraceRequest, prefers: ReadonlySet<string>, supposed?: Supposed): Trace {
  const recorder: Recorder = { asked: () => undefined, opened: () => undefined, prefers };
  return trace(mesh, request, supposed === undefined ? recorder : { ...recorder, supposed });
}

/** Two ways of asking about one thing, which are taken for two things. */
function clashes(region: readonly Condition[]): readonly string[] {
  const has = (kind: Dimension['kind'], name?: string): boolean =>
    region.some(({ dimension }) => dimension.kind === kind && (name === undefined || dimension.name === name));
  return [
    ...(has('cookie') && has('header', 'cookie')
      ? ['the header cookie is asked about as a whole and by its parts']
      : []),
    ...(has('query') && has('parameter') ? ['the query is asked about as a whole and by its parts'] : []),
    ...tokenClashes(region),
  ];
}

/** A token is in one place of the request, which is then no longer free; a claim is a text or has claims of its own, not both. */
function tokenClashes(region: readonly Condition[]): readonly string[] {
  const found: string[] = [];
  const held = region.filter(({ holds }) => holds);
  for (const { dimension } of held.filter(({ dimension }) => dimension.kind === 'token')) {
    const [kind = '', name = ''] = dimension.name.split(' ');
    const isSame = (other: Dimension): boolean => {
      if (other.kind === 'token') return other.name !== dimension.name && other.name.startsWith(`${kind} ${name}`);
      return other.kind === kind && other.name === name;
    };
    if (held.some((one) => isSame(one.dimension)))
      found.push(`the ${kind} ${name} is asked about beside the token in it`);
  }
  const claims = held.filter(({ dimension }) => dimension.kind === 'claim').map(({ dimension }) => dimension);
  const isWithin = (one: Dimension, outer: Dimension): boolean =>
    one.name === outer.name &&
    (one.claim?.length ?? 0) > (outer.claim?.length ?? 0) &&
    (outer.claim ?? []).every((part, index) => one.claim?.[index] === part);
  if (claims.some((one) => claims.some((outer) => isWithin(one, outer))))
    found.push('a claim is asked about as a text, and by claims within it');
  return found;
}

function literalKey({ dimension, matcher, whenAbsent }: Condition): string {
  return `${keyOf(dimension)} ${whenAbsent} ${JSON.stringify(matcher)}`;
}

/**
 * All classes of requests of a client to a target in one mesh: disjoint, and covering all requests that `docs/every-request.md`
 * speaks of. `decidedBy` names the objects that had a say in a class.
 */
export function explore(
  mesh: Mesh,
  client: Client,
  target: Target,
  options: ExploreOptions = {},
): {
  readonly classes: readonly (RequestClass<Trace> & {
    readonly trace: Trace;
    readonly decidedBy: readonly ObjectRef[];
  })[];
  readonly undecided: readonly Undecided[];
  readonly offered: readonly string[];
  readonly hostAsked: readonly Matcher[];
} {
  const paths = pathsOf([mesh], client, target);
  const { classes, undecided, offered, hostAsked } = exploreByAddress<Trace>(
    [mesh],
    target,
    (one) => exploreWith((request, recorder) => trace(mesh, request, recorder), client, one, { paths, ...options }),
    (followed) => [followed],
  );
  return {
    classes: classes.map((one) => ({ ...one, trace: one.followed, decidedBy: decidedBy(one.followed) })),
    undecided,
    offered,
    hostAsked,
  };
}

/** Objects that a trace names as those that decided it. */
export function decidedBy({ hops, refusal }: Trace): readonly ObjectRef[] {
  const found = new Map<string, ObjectRef>();
  const add = ({ kind, namespace, name }: ObjectRef): void => {
    found.set(`${kind} ${namespace}/${name}`, { kind, namespace, name });
  };
  for (const hop of hops) {
    if (hop.route !== null) add(hop.route);
    for (const one of hop.decidedBy) add(one);
  }
  if (refusal?.by != null) add(refusal.by);
  return [...found.values()];
}

/** How paths look that the first proxy on the way which reads them takes as they stand. */
export function pathsOf(meshes: readonly Mesh[], { at = '' }: Client, { port }: Target): PathForm {
  const [namespace = '', name = ''] = at.split('/');
  const settings = meshes.map((mesh): PathSettings => {
    const gateway = mesh.gatewayApi.find(namespace, name);
    if (gateway?.controller === 'envoy-gateway') return pathSettingsAt({ mesh, gateway }, port);
    return istioPaths(mesh.config);
  });
  return pathForm(settings);
}

/** How a proxy of Envoy Gateway that a client outside enters reads paths that are not canonical; empty for others, and where it reads no HTTP. */
export function readingOfPaths(mesh: Mesh, { at = '' }: Client, { port }: Target): string {
  const [namespace = '', name = ''] = at.split('/');
  const gateway = mesh.gatewayApi.find(namespace, name);
  if (gateway?.controller !== 'envoy-gateway') return '';
  const { chains, defaultChain } = listenerAt({ mesh, gateway }, port);
  const readsHttp = [...chains, defaultChain].some((chain) => chain !== null && chain.routeConfig !== null);
  return readsHttp ? JSON.stringify(pathSettingsAt({ mesh, gateway }, port)) : '';
}

/** Whether a request, given by its values, is one of a class. */
export function isOf(region: readonly Condition[], valueOf: (dimension: Dimension) => string | undefined): boolean {
  return region.every(({ dimension, matcher, holds, whenAbsent }) => {
    const text = valueOf(dimension);
    return (text === undefined ? whenAbsent : evaluate(matcher, text)) === holds;
  });
}
