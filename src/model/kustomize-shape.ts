/** What kustomize takes as a kustomization at all: it refuses fields and types that it does not know (kustomize/api types, kusttarget.go). */
import { NotBuilt } from './kustomize-resource';
import { isRecord } from './recognize';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isTrueOrFalse: Check = (value) => typeof value === 'boolean';
const isWhole: Check = (value) => Number.isInteger(value);
const listOf =
  (item: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every((one) => one === null || item(one));
const mapOf =
  (item: Check): Check =>
  (value) =>
    isRecord(value) && Object.values(value).every((one) => one === null || item(one));
const fields =
  (known: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) &&
    Object.entries(value).every(
      ([key, one]) => Object.hasOwn(known, key) && (one === null || known[key]?.(one) === true),
    );

const SELECTOR = Object.fromEntries(
  ['group', 'version', 'kind', 'name', 'namespace', 'labelSelector', 'annotationSelector'].map((key) => [key, isText]),
);
const MARKS = {
  labels: mapOf(isText),
  annotations: mapOf(isText),
  disableNameSuffixHash: isTrueOrFalse,
  immutable: isTrueOrFalse,
};
const PATCH = { path: isText, patch: isText, target: fields(SELECTOR), options: mapOf(isTrueOrFalse) };
const GENERATED = {
  name: isText, namespace: isText, behavior: isText, literals: listOf(isText), files: listOf(isText), envs: listOf(isText), env: isText, options: fields(MARKS),
}; // prettier-ignore
const TEXTS = listOf(isText);

const FIELDS: Readonly<Record<string, Check>> = {
  apiVersion: isText, kind: isText, metadata: isRecord,
  namePrefix: isText, nameSuffix: isText, namespace: isText,
  resources: TEXTS, components: TEXTS, bases: TEXTS, crds: TEXTS, configurations: TEXTS, generators: TEXTS, transformers: TEXTS, validators: TEXTS, buildMetadata: TEXTS, patchesStrategicMerge: TEXTS,
  commonLabels: mapOf(isText), commonAnnotations: mapOf(isText),
  labels: listOf(fields({ pairs: mapOf(isText), includeSelectors: isTrueOrFalse, includeTemplates: isTrueOrFalse, fields: listOf(isRecord) })),
  patches: listOf(fields(PATCH)), patchesJson6902: listOf(fields(PATCH)),
  images: listOf(mapOf(isText)), imageTags: listOf(mapOf(isText)),
  replicas: listOf(fields({ name: isText, count: isWhole })),
  replacements: listOf(isRecord), vars: listOf(isRecord),
  configMapGenerator: listOf(fields(GENERATED)), secretGenerator: listOf(fields({ ...GENERATED, type: isText })),
  generatorOptions: fields(MARKS),
  helmCharts: listOf(isRecord), helmChartInflationGenerator: listOf(isRecord), helmGlobals: isRecord, openapi: mapOf(isText), sortOptions: isRecord,
}; // prettier-ignore

/** @throws NotBuilt with what kustomize would refuse it for */
export function checkShape(kustomization: Record<string, unknown>, file: string): void {
  const { kind, apiVersion } = kustomization;
  if (kind !== undefined && kind !== null && kind !== 'Kustomization' && kind !== 'Component')
    throw new NotBuilt(`${file} is of kind ${String(kind)}, and no Kustomization of kustomize`);
  const wanted = `kustomize.config.k8s.io/${kind === 'Component' ? 'v1alpha1' : 'v1beta1'}`;
  if (apiVersion !== undefined && apiVersion !== null && apiVersion !== wanted)
    throw new NotBuilt(`${file} has apiVersion ${String(apiVersion)}, and kustomize takes ${wanted}`);
  for (const [key, value] of Object.entries(kustomization)) {
    const check = Object.hasOwn(FIELDS, key) ? FIELDS[key] : undefined;
    if (check === undefined) throw new NotBuilt(`${file} has ${key}, which is no field of a kustomization`);
    if (value !== null && !check(value)) throw new NotBuilt(`${key} of ${file} is not as kustomize takes it`);
  }
}

/** @throws NotBuilt where a folder is taken up as what it is not: components and resources are apart */
export function checkKind(kustomization: Record<string, unknown>, file: string, isComponent: boolean): void {
  if ((kustomization.kind === 'Component') === isComponent) return;
  throw new NotBuilt(
    `${file} is ${isComponent ? 'no component, and taken up as one' : 'a component, and taken up as resources'}`,
  );
}
