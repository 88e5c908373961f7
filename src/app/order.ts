import { ApiObject, Chart } from 'cdk8s';
import { IConstruct } from 'constructs';

/** A chart with the objects that go into its file, in the order in which they are applied. */
export interface ChartContent {
  readonly chart: Chart;
  readonly objects: readonly ApiObject[];
}

/**
 * Groups all objects of an app by their nearest chart, in one walk, and orders them by the dependencies that were
 * declared. The same rule as cdk8s' (dependencies first, else the order of creation), linear in objects and edges.
 */
export function chartContents(nodes: readonly IConstruct[]): ChartContent[] {
  const charts: Chart[] = [];
  const objectsOf = new Map<Chart, ApiObject[]>();
  for (const node of nodes) {
    if (Chart.isChart(node)) {
      charts.push(node);
      objectsOf.set(node, []);
    } else if (ApiObject.isApiObject(node)) {
      objectsOf.get(node.chart)?.push(node);
    }
  }
  const edges = declaredEdges(nodes);
  const order = edges.size ? ordered(nodes, edges) : undefined;
  if (order) {
    const rank = new Map(order.map((node, index) => [node, index]));
    const byRank = (a: IConstruct, b: IConstruct) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0);
    for (const objects of objectsOf.values()) objects.sort(byRank);
  }
  return charts.map((chart) => ({ chart, objects: objectsOf.get(chart) ?? [] }));
}

function declaredEdges(nodes: readonly IConstruct[]): Map<IConstruct, readonly IConstruct[]> {
  const edges = new Map<IConstruct, readonly IConstruct[]>();
  for (const node of nodes) {
    const targets = node.node.dependencies;
    if (targets.length) edges.set(node, targets);
  }
  return edges;
}

/**
 * Depth first over groups rather than over pairs of objects: a construct that depends on another stands after the whole
 * subtree of it, and a subtree is entered once.
 */
function ordered(nodes: readonly IConstruct[], edges: ReadonlyMap<IConstruct, readonly IConstruct[]>): IConstruct[] {
  const out: IConstruct[] = [];
  const done = new Set<IConstruct>();
  const open = new Set<IConstruct>();
  const needsOfAncestors = (node: IConstruct): readonly IConstruct[] => {
    const all: IConstruct[] = [];
    for (const scope of node.node.scopes) all.push(...(edges.get(scope) ?? []));
    return all;
  };
  const contains = (ancestor: IConstruct, node: IConstruct) => node.node.scopes.includes(ancestor);
  const visit = (node: IConstruct): void => {
    if (done.has(node) || open.has(node)) return;
    open.add(node);
    for (const need of needsOfAncestors(node)) {
      if (!contains(need, node)) enter(need);
    }
    open.delete(node);
    done.add(node);
    out.push(node);
  };
  const entered = new Set<IConstruct>();
  const enter = (root: IConstruct): void => {
    if (entered.has(root)) return;
    entered.add(root);
    for (const node of root.node.findAll()) visit(node);
  };
  for (const node of nodes) visit(node);
  return out;
}
