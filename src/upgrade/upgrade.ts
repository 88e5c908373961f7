/**
 * What another release does to the same manifests: to traffic (by `diff`, the same objects on both sides, judged by either release), to what is
 * refused or dropped, and to defaults; and in which order the steps have to be taken.
 */
import { CheckContext } from '../check/context';
import { check } from '../check/check';
import type { Finding } from '../check/finding';
import { releasesDeprecating } from '../check/schema/store';
import { diff } from '../diff/diff';
import type { Diff } from '../diff/types';
import type { Loaded, Manifest } from '../model/manifest';
import type { MeshOptions } from '../model/mesh-options';
import { doesInPatch } from '../model/release-behavior';
import { RELEASE_NOTES, type ReleaseNote } from '../model/release-notes';
import { COMPONENTS, COMPONENT_NAMES, type Component, type EndOfLife, EXPERIMENTAL } from '../model/releases';
import { type ReleaseInForce, releasesInForce, type ReleasesInForce } from '../model/releases-in-force';
import type { Move } from './move';
import { patchSteps, pathOf, type Step, stepsOf } from './steps';

export type { Move } from './move';
export type { Step } from './steps';

/** A default that changed, or something gone, that objects among the manifests depend on. */
export interface ChangedDefault {
  readonly component: string;
  readonly release: string;
  readonly what: string;
  readonly advice: string;
  readonly source: string;
  readonly objects: readonly string[];
}

export interface DeprecatedVersion {
  readonly apiVersion: string;
  readonly kind: string;
  readonly objects: readonly string[];
  /** The version to write; undefined if there is none. */
  readonly instead: string | undefined;
}

export interface Support extends EndOfLife {
  readonly component: string;
  readonly release: string;
  readonly source: string;
}

export interface Upgrade {
  readonly moves: readonly Pick<Move, 'title' | 'from' | 'to'>[];
  readonly traffic: Diff;
  /** What is found under the new release and was not under the old one: refused, dropped, or judged otherwise. */
  readonly newly: readonly Finding[];
  /** What was found under the old release, and is not under the new one. */
  readonly settled: readonly Finding[];
  readonly deprecated: readonly DeprecatedVersion[];
  readonly defaults: readonly ChangedDefault[];
  readonly steps: readonly Step[];
  readonly support: readonly Support[];
  /** What the report cannot tell. */
  readonly notes: readonly string[];
}

export interface UpgradeOptions {
  readonly was: MeshOptions;
  readonly is: MeshOptions;
  readonly onProgress?: (done: number, total: number) => void;
}

export function upgrade(loaded: Loaded, { was, is, onProgress }: UpgradeOptions): Upgrade {
  const sides = [pinned(loaded, was), pinned(loaded, is)] as const;
  const moves = movesBetween(...sides);
  const patches = patchesBetween(...sides);
  const [old, now] = sides.map((options) => releasesInForce([], options)) as [ReleasesInForce, ReleasesInForce];
  const [before, after] = sides.map((options) => check(loaded, options).findings) as [readonly Finding[], readonly Finding[]]; // prettier-ignore
  const contexts = sides.map((options) => new CheckContext(loaded, options)) as [CheckContext, CheckContext];
  const traffic = diff(
    // As each release stores them: without the fields that it drops.
    contexts[0].manifests,
    contexts[1].manifests,
    { mesh: sides[0], meshAfter: sides[1], exhaustive: true, ...(onProgress === undefined ? {} : { onProgress }) },
  );
  return {
    moves: [
      ...moves.map(({ component, title }) => ({ title, from: shown(old[component]), to: shown(now[component]) })),
      ...patches.map(({ title, from, to }) => ({ title, from, to })),
    ],
    traffic,
    newly: without(after, before),
    settled: without(before, after),
    deprecated: deprecatedIn(contexts[1]),
    defaults: defaultsOf(loaded.manifests, old, now),
    steps: [...stepsOf(loaded.manifests, moves), ...patchSteps(patches)],
    support: [...moves, ...patches.map(({ component, title }) => ({ component, title, from: now[component].release, to: now[component].release }))].flatMap(supportOf), // prettier-ignore
    notes: [...notesOf(contexts, moves), ...notHere(loaded.manifests, old, now)],
  };
}

/** With every release said, so that both sides are judged by what is asked for and not by what the manifests show. */
function pinned({ manifests }: Loaded, options: MeshOptions): MeshOptions {
  const found = releasesInForce(manifests, options);
  const stated = (component: Component): string =>
    found[component].from === 'default' ? found[component].release : found[component].stated;
  return {
    ...options,
    istioVersion: stated('istio'),
    gatewayApiVersion: stated('gatewayApi'),
    envoyGatewayVersion: stated('envoyGateway'),
    kubernetesVersion: stated('kubernetes'),
  };
}

function movesBetween(was: MeshOptions, is: MeshOptions): readonly Move[] {
  const [old, now] = [releasesInForce([], was), releasesInForce([], is)];
  return COMPONENT_NAMES.filter((component) => old[component].release !== now[component].release).map((component) => ({
    component,
    title: COMPONENTS[component].title,
    from: old[component].release,
    to: now[component].release,
  }));
}

/** Of releases whose patches do otherwise with the same objects. */
function patchesBetween(was: MeshOptions, is: MeshOptions): readonly Move[] {
  return (['istio', 'envoyGateway'] as const).flatMap((component) => {
    const [old, now] = [releasesInForce([], was)[component], releasesInForce([], is)[component]];
    if (old.release !== now.release || old.patch === now.patch) return [];
    const newest = `the newest ${old.release}`;
    return [{ component, title: COMPONENTS[component].title, from: old.patch ?? newest, to: now.patch ?? newest }];
  });
}

/** With its patch, where that was said. */
function shown({ release, patch }: ReleaseInForce): string {
  return patch ?? release;
}

function without(findings: readonly Finding[], others: readonly Finding[]): readonly Finding[] {
  const key = ({ id, object, field }: Finding): string => JSON.stringify([id, object, field]);
  const known = new Set(others.map(key));
  return findings.filter((finding) => !known.has(key(finding)));
}

function nameOf({ kind, namespace, name }: Manifest): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

function deprecatedIn({ manifests, releases, schemas }: CheckContext): readonly DeprecatedVersion[] {
  const found = new Map<string, { apiVersion: string; kind: string; objects: string[]; instead: string | undefined }>();
  const release = releases.gatewayApi.release;
  for (const manifest of manifests) {
    if (!releasesDeprecating(manifest).includes(release)) continue;
    const { apiVersion, kind, group } = manifest;
    const key = `${apiVersion}/${kind}`;
    const entry = found.get(key) ?? { apiVersion, kind, objects: [], instead: schemas.versionsOf(group, kind)?.includes('v1') ? `${group}/v1` : undefined }; // prettier-ignore
    entry.objects.push(nameOf(manifest));
    found.set(key, entry);
  }
  return [...found.values()];
}

interface NoteBetween {
  readonly note: ReleaseNote;
  /** The patch that begins with it, or the release; where the old one does it and the new one does not, the patch that would. */
  readonly begins: string;
  readonly isLost: boolean;
}

/** What the new release does and the old one does not; and what an older patch, also of a newer release, lacks of what the old one does. */
function notesBetween(old: ReleasesInForce, now: ReleasesInForce): readonly NoteBetween[] {
  return RELEASE_NOTES.flatMap((note): readonly NoteBetween[] => {
    const { component, mended } = note;
    const [was, is] = [doesInPatch(component, note, old[component]), doesInPatch(component, note, now[component])];
    const patch = note.patches?.find((one) => one.startsWith(`${now[component].release}.`));
    if (!was && is && (mended === undefined || !doesInPatch(component, mended, now[component])))
      return [{ note, begins: patch ?? note.since, isLost: false }];
    return was && !is && patch !== undefined ? [{ note, begins: patch, isLost: true }] : [];
  });
}

function defaultsOf(
  manifests: readonly Manifest[],
  old: ReleasesInForce,
  now: ReleasesInForce,
): readonly ChangedDefault[] {
  return notesBetween(old, now).flatMap(({ note, begins, isLost }) => {
    const objects = [...new Set(manifests.filter((manifest) => note.isAbout(manifest, manifests)).map(nameOf))];
    if (objects.length === 0) return [];
    const { component, what, advice, source } = note;
    const { title } = COMPONENTS[component];
    const said = { component: title, source, objects };
    if (!isLost) return [{ ...said, release: begins, what, advice }];
    const lacks = `lacks what ${title} ${shown(old[component])} does, and ${begins} again: ${what}`;
    return [{ ...said, release: shown(now[component]), what: lacks, advice: `Go to ${title} ${begins} or newer.` }];
  });
}

/** Of the release in use, and of those that the way leads through. */
function supportOf(move: Move): readonly Support[] {
  const { component, title, from, to } = move;
  const { releases, support } = COMPONENTS[component];
  return [...new Set([from, ...pathOf(move), to])].flatMap((release) => {
    const { endOfLife } = releases.find(({ name }) => name === release.replace(EXPERIMENTAL, '')) ?? {};
    return endOfLife === undefined ? [] : [{ component: title, release, source: support ?? '', ...endOfLife }];
  });
}

/** How many changes of defaults are not told, since they are about nothing here. */
function notHere(manifests: readonly Manifest[], old: ReleasesInForce, now: ReleasesInForce): readonly string[] {
  const told = defaultsOf(manifests, old, now).length;
  const all = notesBetween(old, now).length;
  if (all === told) return [];
  return [`${told === 0 ? '' : 'Another '}${all - told} ${all - told === 1 ? 'default that changed is' : 'defaults that changed are'} about nothing that is here.`]; // prettier-ignore
}

function notesOf(contexts: readonly CheckContext[], moves: readonly Move[]): readonly string[] {
  const unmodelled = contexts.flatMap(({ releases }) =>
    COMPONENT_NAMES.filter((component) => !releases[component].isModelled).map(
      (component) =>
        `${COMPONENTS[component].title} ${releases[component].stated} is not known here, and is judged by ${releases[component].release}`,
    ),
  );
  const isNewest = moves.some(({ component, from, to }) => component === 'istio' && [from, to].includes('1.32'));
  const beyond = isNewest ? ['What istiod 1.32 does to traffic is known from its release notes and the branch it was cut from, a few weeks before: no istiod of it was at hand.'] : []; // prettier-ignore
  return [...new Set(unmodelled), ...beyond];
}
