/**
 * Runs the code that was written: by the package's own constructs, as synth will. What they render is what is compared, and what they
 * refuse is not written.
 */
import { canonical } from '../model/canonical';
import { record, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { asWritten } from './written';
import { cdk8sNames, statementsOf, type Lifted } from './lifted';

/** A node of the construct tree, as far as it is looked at here. */
interface Node {
  readonly scopes: readonly { readonly node: Node }[];
  readonly path: string;
  tryFindChild(id: string): { readonly node: Node } | undefined;
  findAll(): readonly Found[];
  validate(): readonly string[];
}

/** A construct; an object of Kubernetes has the rest. */
interface Found {
  readonly node: Node;
  readonly kind?: unknown;
  readonly name?: string;
  readonly metadata?: { readonly namespace?: string };
  toJson?(): unknown;
  addJsonPatch?(...patches: unknown[]): void;
}

/** The packages that the written code imports from. The command line loads those that its user has. */
export interface Constructs {
  /** What `cdk8s` exports. */
  readonly cdk8s: {
    readonly App: new (props: { outdir: string }) => { readonly node: Node };
    readonly Chart: new (scope: object, id: string) => { readonly node: Node };
    readonly ApiObject: new (scope: object, id: string, props: Json) => { toJson(): unknown };
  };
  /** What `cdk8s-mesh-edge` exports. */
  readonly edge: Readonly<Record<string, unknown>>;
}

export interface Outcome {
  /** The objects that each rendered. */
  readonly renders: ReadonlyMap<Lifted, readonly Json[]>;
  /** Why some of them cannot be synthesized, in the constructs' own words. */
  readonly refused: ReadonlyMap<Lifted, string>;
  /** Those that need one that was refused. */
  readonly skipped: ReadonlySet<Lifted>;
}

/** @param chartOf the id of the chart that each is in */
export function run(
  lifted: readonly Lifted[],
  { cdk8s, edge }: Constructs,
  chartOf: (one: Lifted) => string = () => 'edge',
): Outcome {
  // Nothing is written there: the app is never synthesized, only its objects are asked for.
  const app = new cdk8s.App({ outdir: 'unused' });
  const charts = new Map<string, { readonly node: Node }>();
  const refused = new Map<Lifted, string>();
  const owners = new Map<Node, Lifted>();
  const variables = new Map<string, unknown>();
  const skipped = new Set<Lifted>();
  for (const one of lifted) {
    const name = chartOf(one);
    const chart = charts.get(name) ?? new cdk8s.Chart(app, name);
    charts.set(name, chart);
    // Without what it needs it is neither good nor bad: the one that is missing has been refused.
    if (one.uses?.some((name) => !variables.has(name)) === true) {
      skipped.add(one);
      continue;
    }
    try {
      const made = statements(one, { cdk8s, edge }, variables).call(chart);
      if (one.provides !== undefined) variables.set(one.provides, made);
    } catch (error) {
      refused.set(one, firstLine(error instanceof Error ? error.message : String(error)));
    }
    for (const id of one.ids) {
      const made = chart.node.tryFindChild(id);
      if (made !== undefined) owners.set(made.node, one);
    }
  }
  const ownerOf = (node: Node): Lifted | undefined =>
    node.scopes.map((scope) => owners.get(scope.node)).find((owner) => owner !== undefined);
  const renders = new Map<Lifted, Json[]>(lifted.map((one) => [one, []]));
  for (const construct of app.node.findAll()) {
    const owner = ownerOf(construct.node);
    try {
      for (const problem of construct.node.validate())
        for (const one of owner === undefined ? blamed(problem, owners, lifted) : [owner])
          if (!refused.has(one)) refused.set(one, firstLine(problem).replace(PLACE, ''));
      if (owner === undefined || typeof construct.kind !== 'string' || construct.toJson === undefined) continue;
      // As it is written to a file: what JSON does not have is not there.
      renders.get(owner)?.push(record(JSON.parse(JSON.stringify(construct.toJson()))));
    } catch (error) {
      if (owner !== undefined) refused.set(owner, firstLine(error instanceof Error ? error.message : String(error)));
    }
  }
  return { renders, refused, skipped };
}

/** How a problem between constructs begins, which the mesh finds that they belong to. */
const PLACE = /^at (\S+): /;

function blamed(problem: string, owners: ReadonlyMap<Node, Lifted>, all: readonly Lifted[]): readonly Lifted[] {
  const path = PLACE.exec(problem)?.[1] ?? '';
  const found = [...owners].find(([node]) => path === node.path || path.startsWith(`${node.path}/`));
  return found === undefined ? all : [found[1]];
}

function statements(one: Lifted, { cdk8s, edge }: Constructs, variables: ReadonlyMap<string, unknown>): () => unknown {
  const own = one.imports.map((name) => [name, edge[name]] as const);
  const theirs = Object.entries(cdk8s).filter(([name]) => cdk8sNames(one).includes(name));
  const others = (one.uses ?? []).map((name) => [name, variables.get(name)] as const);
  const scope = new Map<string, unknown>([...own, ...theirs, ...others, ['carry', carry]]);
  const result = one.provides === undefined ? '' : `\nreturn ${one.provides};`;
  // The text is our own, and its values are quoted by `literal`.
  const make = new Function(...scope.keys(), `return function () {\n${statementsOf(one)}${result}\n};`) as (
    ...exports: unknown[]
  ) => () => unknown;
  return make(...scope.values());
}

/** What `carry.ts` of the written project does. */
function carry(
  scope: { readonly node: Node },
  kind: string,
  namespace: string,
  name: string,
  patches: readonly unknown[],
): void {
  for (const one of scope.node.findAll())
    if (one.kind === kind && one.name === name && (one.metadata?.namespace ?? '') === namespace)
      one.addJsonPatch?.(...patches);
}

const firstLine = (message: string): string => message.split('\n', 1)[0] ?? '';

/** Objects that `ApiObject` renders otherwise than they were written, or not at all, each with the reason. */
export function unsayable(objects: readonly Manifest[], { cdk8s }: Constructs): ReadonlyMap<Manifest, string> {
  const chart = new cdk8s.Chart(new cdk8s.App({ outdir: 'unused' }), 'edge');
  const found = new Map<Manifest, string>();
  for (const [index, one] of objects.entries()) {
    const body = asWritten(one);
    const odd = oddMetadata(record(body.metadata));
    if (odd !== undefined) {
      found.set(one, `an API server refuses it, since its ${odd} is no text`);
      continue;
    }
    try {
      const rendered = record(JSON.parse(JSON.stringify(new cdk8s.ApiObject(chart, `Object${index}`, body).toJson())));
      if (canonical(compared(rendered)) !== canonical(compared(record(JSON.parse(JSON.stringify(body))))))
        found.set(one, 'cdk8s renders it otherwise than it is written');
    } catch {
      found.set(one, 'cdk8s does not render what is in it');
    }
  }
  return found;
}

/** Without a name that cdk8s makes where there is none, and labels that are an empty mapping. */
function compared(body: Json): Json {
  const { labels, annotations } = record(body.metadata);
  return { ...body, metadata: { labels: record(labels), annotations: record(annotations) } };
}

/** What of metadata has to be text, and is not. */
function oddMetadata(metadata: Json): string | undefined {
  const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';
  const own = ['name', 'namespace', 'generateName'].find((field) => !isText(metadata[field]));
  if (own !== undefined) return own;
  for (const field of ['labels', 'annotations']) {
    const [key] = Object.entries(record(metadata[field])).find(([, value]) => !isText(value)) ?? [];
    if (key !== undefined) return `${field === 'labels' ? 'label' : 'annotation'} ${key}`;
  }
  return undefined;
}
