/** Values that charts are given by the objects of tools which install them: Flux, Argo CD, the Helm controller of k3s and RKE2. */
import { parse } from 'yaml';
import { nested } from './charts';
import { list, record, records, text, type Json } from './fields';
import type { FieldPath, Manifest } from './manifest';
import { HELM_VALUES } from './recognize';
import { clusterOf, isApplication, sourcesOf } from './worlds-argo';

/** Values of one chart, and the field in which they are written. */
export interface GivenValues {
  readonly at: FieldPath;
  readonly values: Json;
  /** Its name, where that is said. */
  readonly chart: string;
}

/** Kinds that give values to charts. */
export const INSTALLS_CHARTS: ReadonlySet<string> = new Set(['HelmRelease', 'Application', 'HelmChart']);

/** Values of a chart, or of one in it, and where they stand. */
export type Level = readonly [at: FieldPath, values: Json];

/** Values of a chart, and those that it hands to the charts in it; of charts within these, those of Istio's and Envoy Gateway's alone. */
export function levelsOf(values: Json, at: FieldPath): readonly Level[] {
  const within = inside([at, values]);
  return [[at, values], ...within, ...within.flatMap(inside).flatMap(deeper)];
}

function inside([at, values]: Level): readonly Level[] {
  return Object.entries(values).map(([key, inner]): Level => [[...at, key], record(inner)]);
}

function deeper(level: Level): readonly Level[] {
  return [level, ...inside(level)].filter(([, { meshConfig, config }]) => meshConfig !== undefined || record(config).envoyGateway !== undefined); // prettier-ignore
}

/** Those of all charts for which an object carries values; none but such objects is read. */
export function levelsIn(manifest: Manifest): readonly Level[] {
  if (manifest.kind === HELM_VALUES) return levelsOf(record(manifest.body), []);
  return givenValues(manifest).flatMap(({ values, at }) => levelsOf(values, at));
}

export function givenValues(manifest: Manifest): readonly GivenValues[] {
  // Definitions are not read for a field that no other kind has.
  if (!INSTALLS_CHARTS.has(manifest.kind)) return [];
  const spec = record(record(manifest.body).spec);
  switch (manifest.kind) {
    case 'HelmRelease':
      return [{ at: ['spec', 'values'], values: record(spec.values), chart: text(record(record(spec.chart).spec).chart) }]; // prettier-ignore
    case 'HelmChart':
      // Flux has a kind of this name that gives none.
      return spec.valuesContent === undefined && spec.set === undefined
        ? []
        : [{ at: ['spec', 'valuesContent'], values: merged(read(spec.valuesContent), ...Object.entries(record(spec.set)).map(set)), chart: text(spec.chart) }]; // prettier-ignore
    case 'Application':
      // What is put into another cluster is of another mesh.
      return isApplication(manifest) && clusterOf(manifest) === undefined ? ofApplication(manifest) : [];
    default:
      return [];
  }
}

/** The values of the Application itself: an object of them takes the place of a text, and parameters come last (argo-cd, reposerver). */
function ofApplication(manifest: Manifest): readonly GivenValues[] {
  const isOne = list(record(record(manifest.body).spec).sources).length === 0;
  return sourcesOf(manifest).map((source, index) => {
    const helm = record(source.helm);
    const isObject = helm.valuesObject !== undefined;
    const own = isObject ? record(helm.valuesObject) : read(helm.values);
    const parameters = records(helm.parameters).map(({ name, value }) => set([text(name), value]));
    return {
      at: ['spec', ...(isOne ? ['source'] : ['sources', index]), 'helm', isObject ? 'valuesObject' : 'values'],
      values: merged(own, ...parameters),
      chart: text(source.chart),
    };
  });
}

/** A name with indexes or escapes in it is left out: nothing that is read here is in a list. */
function set([name, value]: readonly [string, unknown]): Json {
  return /^[\w-]+(\.[\w-]+)*$/.test(name) ? nested(name, value) : {};
}

/** Nothing of what is empty, or no YAML yet. */
function read(given: unknown): Json {
  try {
    return record(parse(text(given)));
  } catch {
    return {};
  }
}

function merged(...all: readonly Json[]): Json {
  return all.reduce((into, one) => {
    const inner = Object.entries(one).map(([key, value]) => [
      key,
      isTree(value) && isTree(into[key]) ? merged(record(into[key]), record(value)) : value,
    ]);
    return { ...into, ...Object.fromEntries(inner) };
  }, {});
}

const isTree = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
