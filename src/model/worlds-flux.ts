/** What a Kustomization of Flux says is done to the objects of its path: its own overlay, then `postBuild` (fluxcd/pkg kustomize). */
import { type Variables, envsubst } from './envsubst';
import { record, records, strings, text } from './fields';
import type { Manifest } from './manifest';
import { toManifest } from './object';
import { isRecord } from './recognize';

export const FLUX = 'kustomize.toolkit.fluxcd.io';

export const isFlux = ({ group, kind }: Manifest): boolean => group === FLUX && kind === 'Kustomization';

/** The kustomization that Flux's generator writes over the one at the path (pkg/kustomize/kustomize_generator.go). */
export function fluxOverlay({ body }: Manifest): Record<string, unknown> {
  const spec = record(record(body).spec);
  const { labels, annotations } = record(spec.commonMetadata);
  return {
    ...(text(spec.targetNamespace) === '' ? {} : { namespace: spec.targetNamespace }),
    ...Object.fromEntries(
      ['namePrefix', 'nameSuffix', 'patches', 'images', 'components']
        .filter((key) => spec[key] !== undefined)
        .map((key) => [key, spec[key]]),
    ),
    ...(isRecord(labels) ? { labels: [{ pairs: labels }] } : {}),
    ...(isRecord(annotations) ? { commonAnnotations: annotations } : {}),
  };
}

/** What `postBuild` substitutes. */
export interface Substitution {
  readonly values: Readonly<Record<string, string>>;
  /** Variables that a Secret holds: their values are not known. */
  readonly hidden: ReadonlySet<string>;
  /** Whether every source is among the manifests: then a variable that none of them has takes its default. */
  readonly isWhole: boolean;
}

/** @param find the ConfigMap or Secret of a name beside the Kustomization */
export function substitutionOf(
  { body }: Manifest,
  find: (kind: string, name: string) => Manifest | undefined,
): Substitution | undefined {
  const spec = record(record(body).spec);
  if (spec.postBuild === undefined) return undefined;
  const { substitute, substituteFrom } = record(spec.postBuild);
  let values: Record<string, string> = {};
  const hidden = new Set<string>();
  let isWhole = true;
  for (const source of records(substituteFrom)) {
    const found = find(text(source.kind), text(source.name));
    if (found === undefined) {
      if (source.optional === true) continue;
      isWhole = false;
      values = {}; // whatever is known so far it may overwrite
      continue;
    }
    const { data, stringData } = record(found.body);
    if (found.kind === 'ConfigMap') values = { ...values, ...strings(data) };
    else
      for (const key of [...Object.keys(record(data)), ...Object.keys(record(stringData))]) {
        hidden.add(key);
        delete values[key];
      }
    if (found.kind === 'ConfigMap') for (const key of Object.keys(strings(data))) hidden.delete(key);
  }
  const own = strings(substitute);
  for (const key of Object.keys(own)) hidden.delete(key);
  return { values: { ...values, ...own }, hidden, isWhole };
}

export function substituted(manifest: Manifest, substitution: Substitution | undefined): Manifest {
  if (substitution === undefined) return manifest;
  const mark = 'kustomize.toolkit.fluxcd.io/substitute';
  if (manifest.annotations[mark] === 'disabled' || manifest.labels[mark] === 'disabled') return manifest;
  const { values, hidden, isWhole } = substitution;
  const variables: Variables = {
    valueOf: (name) => (Object.hasOwn(values, name) ? values[name] : undefined),
    mayBeSet: (name) => !isWhole || hidden.has(name),
  };
  const body = fill(manifest.body, variables, true) as Record<string, unknown>;
  return toManifest(body, manifest.index, manifest.source, manifest.lineOf);
}

/** Fields of text alone, in which a number stays text. */
const TEXTS = new Set([
  'labels',
  'annotations',
  'data',
  'stringData',
  'env',
  'metadata',
  'matchLabels',
  'args',
  'command',
]);

function fill(value: unknown, variables: Variables, isTyped: boolean): unknown {
  if (typeof value === 'string') {
    const filled = envsubst(value, variables);
    // Flux substitutes in the text of the YAML: what was `port: ${PORT}` is a number then.
    const isAlone = /^\$\{[^]*\}$/.test(value);
    return isTyped && isAlone && /^(0|-?[1-9]\d{0,14})$/.test(filled)
      ? Number(filled)
      : isTyped && isAlone && /^(true|false)$/.test(filled)
        ? filled === 'true'
        : filled;
  }
  if (Array.isArray(value)) return value.map((item) => fill(item, variables, isTyped));
  return isRecord(value)
    ? Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          envsubst(key, variables),
          fill(item, variables, isTyped && !TEXTS.has(key)),
        ]),
      )
    : value;
}

/** Kustomizations that it waits for, as `namespace/name`. */
export function dependencies({ body, namespace }: Manifest): readonly string[] {
  return records(record(record(body).spec).dependsOn).map(
    (one) => `${text(one.namespace) || namespace}/${text(one.name)}`,
  );
}

export const pathOf = ({ body }: Manifest): string => text(record(record(body).spec).path);
