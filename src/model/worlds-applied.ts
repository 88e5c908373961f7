/**
 * What Flux and Argo CD apply for the objects of build roots: a folder for each, in the world of the object, or in that of the other
 * cluster that Argo CD sends it to.
 */
import { resolve } from 'node:path';
import { type Chart, chartOfRelease } from './charts';
import type { Manifest } from './manifest';
import { applicationsOf, clusterOf, isApplication, isApplicationSet } from './worlds-argo';
import type { Draft } from './worlds-draft';
import { dependencies, isFlux, substituted, substitutionOf } from './worlds-flux';
import type { Brought, Sources } from './worlds-sources';

/** A chart as it is rendered, or as it is told. */
export type Render = (chart: Chart) => { readonly manifests: readonly Manifest[] } | { readonly chart: Chart };

export interface Applied {
  readonly drafts: readonly Draft[];
  /** Charts that something installs, by full path. */
  readonly charts: ReadonlySet<string>;
}

/** Whether a tool applies more for an object than the object itself. */
export const appliesMore = (manifest: Manifest): boolean =>
  isFlux(manifest) || isApplication(manifest) || isApplicationSet(manifest);

export function withTools(drafts: readonly Draft[], sources: Sources, render: Render): Applied {
  const alive = topLevel(drafts, sources, render);
  const gathering = new Gathering(drafts, sources, render);
  const takes: (readonly string[])[] = [];
  for (const [at, draft] of drafts.entries()) {
    const own = alive[at] ?? [];
    gathering.folders.clear();
    draft.manifests = gathering.expand(own, [], draft).slice();
    takes.push([...gathering.folders]);
    const there = new Set(draft.manifests.filter(isFlux).map(({ namespace, name }) => `${namespace}/${name}`));
    const awaited = draft.manifests.filter(isFlux).flatMap(dependencies);
    draft.remote.push(...awaited.filter((one) => !there.has(one)).map((one) => `Kustomization ${one}`));
  }
  const { charts, clusters } = gathering;
  return { drafts: [...standing(drafts, takes), ...clusters.values()], charts };
}

/**
 * Roots that no other one applies. What a root was bootstrapped with applies the folder around it, and so itself; of roots that apply one
 * another in a circle, the first stands.
 */
function standing(drafts: readonly Draft[], takes: readonly (readonly string[])[]): readonly Draft[] {
  const reaches = takes.map((folders) => new Set(folders));
  const isApplied = (draft: Draft, by: readonly number[]): boolean =>
    draft.isPlain !== true &&
    draft.notBuilt === undefined &&
    by.some((other) => drafts[other] !== draft && reaches[other]?.has(resolve(draft.folder)) === true);
  const all = drafts.map((_draft, at) => at);
  const stand = all.filter((at) => !isApplied(drafts[at] as Draft, all));
  // Whatever they apply may apply more: a root counts as applied only if one that stands leads to it.
  for (const at of all) if (!stand.includes(at) && !isApplied(drafts[at] as Draft, stand)) stand.push(at);
  return drafts.filter((_draft, at) => stand.includes(at));
}

/**
 * The objects of each root that nothing else applies. What one of them applies from files of another root, or of its own, is there where
 * it is applied, and not as it stands; of those that apply one another in a circle, the first stands.
 */
function topLevel(drafts: readonly Draft[], sources: Sources, render: Render): readonly (readonly Manifest[])[] {
  const takes = new Map<Manifest, ReadonlySet<string>>();
  for (const draft of drafts)
    for (const manifest of draft.manifests.filter(appliesMore)) {
      const scratch = new Gathering(drafts, sources, render);
      scratch.expand([manifest], [], { ...draft, manifests: [], remote: [], charts: [], problems: [] });
      takes.set(manifest, scratch.files);
    }
  const all = [...takes.entries()];
  const isTakenByAnother = (one: Manifest): boolean =>
    all.some(([other, files]) => other.source.file !== one.source.file && files.has(one.source.file ?? ''));
  const reached = new Set<string>();
  const standing = new Set<Manifest>();
  const stand = (one: Manifest): void => {
    standing.add(one);
    for (const file of takes.get(one) ?? []) if (file !== one.source.file) reached.add(file);
  };
  for (const [one] of all) if (!isTakenByAnother(one)) stand(one);
  for (const [one] of all) if (!standing.has(one) && !reached.has(one.source.file ?? '')) stand(one);
  return drafts.map((draft) =>
    draft.isPlain === true
      ? draft.manifests.filter((one) => standing.has(one) || !reached.has(one.source.file ?? ''))
      : draft.manifests,
  );
}

class Gathering {
  public readonly folders = new Set<string>();
  /** By the name that messages use. */
  public readonly files = new Set<string>();
  public readonly charts = new Set<string>();
  public readonly clusters = new Map<string, Draft>();

  public constructor(
    private readonly drafts: readonly Draft[],
    private readonly sources: Sources,
    private readonly render: Render,
  ) {}

  public expand(manifests: readonly Manifest[], within: readonly string[], into: Draft): readonly Manifest[] {
    return manifests.flatMap((manifest): readonly Manifest[] => {
      const id = `${manifest.kind} ${manifest.namespace}/${manifest.name}`;
      if (manifest.kind === 'HelmRelease' && manifest.group === 'helm.toolkit.fluxcd.io')
        return [
          manifest,
          ...this.install(
            chartOfRelease(manifest, (path) => this.sources.find(path)),
            into,
          ),
        ];
      if (within.includes(id) || !appliesMore(manifest)) return [manifest];
      if (isApplicationSet(manifest)) {
        const { applications, unknown } = applicationsOf(manifest, this.sources.repository());
        into.remote.push(...unknown);
        if (into.by !== 'flux') into.by = 'argo';
        return [manifest, ...applications.flatMap((one) => this.applied(one, [...within, id], into))];
      }
      if (isApplication(manifest)) return [manifest, ...this.applied(manifest, [...within, id], into)];
      const substitution = substitutionOf(manifest, (kind, name) => this.find(kind, manifest.namespace, name, into));
      if (into.by !== 'argo') into.by = 'flux';
      const brought = this.take(this.sources.flux(manifest), into).map((one) => substituted(one, substitution));
      return [manifest, ...this.expand(brought, [...within, id], into)];
    });
  }

  /** What an Application applies; that of another cluster is put there. */
  private applied(application: Manifest, within: readonly string[], into: Draft): readonly Manifest[] {
    const cluster = clusterOf(application);
    const target = cluster === undefined ? into : this.cluster(cluster, into);
    if (into.by !== 'flux') into.by = 'argo';
    const brought = this.expand(this.take(this.sources.argo(application), target), within, target);
    if (target === into) return brought;
    target.manifests.push(...brought);
    return [];
  }

  private cluster(cluster: string, { folder }: Draft): Draft {
    const known = this.clusters.get(cluster);
    if (known) return known;
    const draft: Draft = { name: `cluster ${cluster}`, folder, by: 'argo', manifests: [], problems: [], remote: [], charts: [] }; // prettier-ignore
    this.clusters.set(cluster, draft);
    return draft;
  }

  private take(brought: Brought, into: Draft): readonly Manifest[] {
    for (const folder of brought.folders) this.folders.add(resolve(folder));
    for (const file of brought.files) this.files.add(file);
    into.remote.push(...brought.remote);
    return [...brought.manifests, ...brought.charts.flatMap((chart) => this.install(chart, into))];
  }

  private install(chart: Chart | undefined, into: Draft): readonly Manifest[] {
    if (chart === undefined) return [];
    this.charts.add(resolve(chart.folder));
    const made = this.render(chart);
    if ('manifests' in made) return made.manifests;
    into.charts.push(made.chart);
    return [];
  }

  /** An object beside the Kustomization that names it, else one of that name in the repository. */
  private find(kind: string, namespace: string, name: string, draft: Draft): Manifest | undefined {
    const fits = (one: Manifest): boolean => one.kind === kind && one.namespace === namespace && one.name === name;
    return draft.manifests.find(fits) ?? this.drafts.flatMap(({ manifests }) => manifests).find(fits);
  }
}
