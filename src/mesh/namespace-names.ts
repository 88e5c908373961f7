import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { isDnsLabel } from '../core/names';
import { nearest } from '../core/nearest';
import { Problem, quote } from '../core/problem';
import { joinMesh, meshBoundaryOf, meshMembers } from './mesh-boundary';
import type { IMeshNamespace } from './mesh-namespace';

/** A namespace that a construct names by text: whose workloads, routes or readers it means. */
export interface NamedNamespace {
  /** What names it, such as "`from`". */
  readonly where: string;
  readonly name: string;
}

const NAMED = Symbol.for('cdk8s-mesh-edge.NamedNamespaces');

interface Namer extends IConstruct {
  [NAMED]?: () => readonly NamedNamespace[];
}

/** There without anybody making them, or made by whoever installs the mesh. */
const ALWAYS_THERE = ['default', 'kube-system', 'kube-public', 'kube-node-lease', 'istio-system'];

/** What runs in a namespace, or is there for what runs: whoever places it has the namespace. */
const RUNS = new Set(
  'Deployment StatefulSet DaemonSet ReplicaSet Job CronJob Pod Service ServiceAccount Gateway'.split(' '),
);

/**
 * Has the mesh of a construct refuse a namespace that it names and nobody has: a rule about it would be for nobody, and nothing else says so. Where objects themselves lie is left
 * to the API server, which refuses a namespace that is not there.
 *
 * An app is asked only where it says which namespaces take part in the mesh; one that has no more than its gateway's leaves those of applications to others.
 *
 * @internal
 */
export function namesNamespaces(construct: IConstruct, find: () => readonly NamedNamespace[]): void {
  Object.defineProperty(construct, NAMED, { value: find });
  joinMesh<Namer>('names of namespaces', construct, namespacesThatNobodyHas);
}

function namespacesThatNobodyHas(namers: readonly Namer[]): Array<{ at: IConstruct; problem: Problem }> {
  const [first] = namers;
  const declared = meshMembers<IMeshNamespace>('MeshNamespace', first);
  if (!declared.some(({ membership }) => membership.isInjected || membership.isAmbient || !membership.isKnown))
    return [];
  const known = knownNamespaces(first, declared);
  const wrong = (at: Namer): readonly NamedNamespace[] => (at[NAMED]?.() ?? []).filter(({ name }) => !known.has(name));
  return namers.flatMap((at) => {
    // What a construct makes of its own names is about the user's line, which is that construct's.
    const said = new Set(at.node.scopes.slice(0, -1).flatMap((scope) => wrong(scope).map(({ name }) => name)));
    const once = new Map(
      wrong(at)
        .filter(({ name }) => !said.has(name))
        .map((one) => [`${one.where} ${one.name}`, one]),
    );
    return [...once.values()].map((one) => ({ at, problem: problemOf(one, [...known]) }));
  });
}

function knownNamespaces(construct: IConstruct, declared: readonly IMeshNamespace[]): ReadonlySet<string> {
  const mesh = meshBoundaryOf(construct);
  const known = new Set([...ALWAYS_THERE, ...declared.map(({ name }) => name)]);
  for (const node of mesh.node.findAll()) {
    if (!ApiObject.isApiObject(node) || meshBoundaryOf(node) !== mesh) continue;
    if (node.kind === 'Namespace') known.add(node.name);
    else if (RUNS.has(node.kind) && node.metadata.namespace) known.add(node.metadata.namespace);
  }
  return known;
}

function problemOf({ where, name }: NamedNamespace, known: readonly string[]): Problem {
  const near = nearest(name, known);
  const guess = near === undefined ? '' : `did you mean ${quote(near)}? `;
  return {
    what: `${where} names namespace ${quote(name)}, which no MeshNamespace of this app has`,
    why: 'the app says which namespaces there are, and a rule about one that is not there is for nobody',
    fix: isDnsLabel(name)
      ? `${guess}${guess === '' ? 'make' : 'Else make'} it, or say that another repository does: MeshNamespace.fromName(this, ${quote(idOf(name))}, ${quote(name)})`
      : guess.trim() || 'name one of them',
  };
}

/** An id for the construct, as people write them: "shop-data" is "ShopData". */
function idOf(name: string): string {
  return name.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
