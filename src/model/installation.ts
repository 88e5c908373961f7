/**
 * What an object says of how Istio is installed: the mesh configuration, the chart's global values, the environment of istiod. It may be
 * an IstioOperator, Helm values, what a tool gives to the chart, the Sail operator's Istio, or what an installation leaves in a cluster.
 */
import { parse } from 'yaml';
import { list, record, records, text, texts, type Json } from './fields';
import { givenValues, INSTALLS_CHARTS, type Level, levelsIn, levelsOf } from './given-values';
import type { FieldPath, Manifest } from './manifest';
import { withFieldNames } from './proto-names';
import { HELM_VALUES } from './recognize';

export interface Installation {
  readonly manifest: Manifest;
  readonly meshConfig: Json;
  readonly global: Json;
  /** Environment of istiod. */
  readonly env: Json;
  /** The older release whose defaults are asked for, as `1.29`; empty for those of its own. */
  readonly compatibilityVersion: string;
  readonly meshNetworks: Json;
  /** Where the mesh configuration and the global values are written; the place before another overrides it. */
  readonly at: { readonly meshConfig: readonly FieldPath[]; readonly global: readonly FieldPath[] };
}

/** Kinds that say nothing else. */
const INSTALLERS: ReadonlySet<string> = new Set(['IstioOperator', HELM_VALUES, 'Istio', ...INSTALLS_CHARTS]);

/** Whether an object may say how Istio is installed: by its kind, or by the name that the control plane's own objects have. */
export function isOfInstallation({ kind, name }: Pick<Manifest, 'kind' | 'name'>): boolean {
  if (kind === 'ConfigMap') return /^istio($|-)/.test(name);
  return INSTALLERS.has(kind) || (kind === 'Deployment' && /^istiod(-|$)/.test(name));
}

const KNOWN = new WeakMap<Manifest, Installation | 'none'>();

export function installationOf(manifest: Manifest): Installation | undefined {
  if (!isOfInstallation(manifest)) return undefined;
  let known = KNOWN.get(manifest);
  if (known === undefined) KNOWN.set(manifest, (known = read(manifest) ?? 'none'));
  return known === 'none' ? undefined : known;
}

/** Of all manifests, as they stand. */
export function installationsOf(manifests: readonly Manifest[]): readonly Installation[] {
  return manifests.map(installationOf).filter((one): one is Installation => one !== undefined);
}

/** Whether the configuration of the mesh is shown: an installation of gateways, or of one component, is silent of it. */
export function showsMeshConfig({ meshConfig }: Installation): boolean {
  return Object.keys(meshConfig).length > 0;
}

/** The field of an object in which a part of its mesh configuration or global values is written. */
export function fieldOf({ manifest, at }: Installation, part: 'meshConfig' | 'global', steps: FieldPath): FieldPath {
  // What stands in a text of a ConfigMap has no field of its own.
  if (manifest.kind === 'ConfigMap') return at[part][0] ?? [];
  const whole = at[part].map((place) => [...place, ...steps]);
  return whole.find((path) => valueAt(manifest, path) !== undefined) ?? whole[0] ?? [];
}

function valueAt({ body }: Manifest, path: FieldPath): unknown {
  return path.reduce<unknown>((inner, step) => (typeof step === 'number' ? list(inner)[step] : record(inner)[step]), body); // prettier-ignore
}

function read(manifest: Manifest): Installation | undefined {
  const body = record(manifest.body);
  const spec = record(body.spec);
  switch (manifest.kind) {
    case 'IstioOperator':
      return ofOperator(manifest, spec);
    case 'Deployment': {
      const containers = records(record(record(spec.template).spec).containers);
      const domain = domainOf(texts(containers[0]?.args));
      return made(manifest, {
        env: listedEnv(containers[0]?.env),
        ...(domain === undefined ? {} : { global: { proxy: { clusterDomain: domain } } }),
      });
    }
    case 'ConfigMap':
      return ofConfigMap(manifest, record(body.data));
    case 'Istio':
      if (manifest.group !== 'sailoperator.io') return undefined;
      return fromValues(manifest, [[['spec', 'values'], record(spec.values)]]);
    default: {
      if (INSTALLS_CHARTS.has(manifest.kind)) {
        // Any chart may be installed so.
        const levels = givenValues(manifest).map(({ values, at }) => levelsOf(values, at)).filter(isOfIstio); // prettier-ignore
        return levels.length === 0 ? undefined : fromValues(manifest, levels.flat());
      }
      const levels = levelsIn(manifest);
      // Envoy Gateway's values say nothing of the mesh.
      const isMesh = levels.some(([, { meshConfig, global, compatibilityVersion }]) => [meshConfig, global, compatibilityVersion].some((one) => one !== undefined)); // prettier-ignore
      return isMesh ? fromValues(manifest, levels) : undefined;
    }
  }
}

/** What istiod is told that names of Services end in. */
function domainOf(args: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => /^--domain(=|$)/.test(arg));
  return args[at]?.startsWith('--domain=') === true
    ? args[at].slice('--domain='.length)
    : at < 0
      ? undefined
      : args[at + 1];
}

type Given = Partial<Omit<Installation, 'manifest'>>;

function made(manifest: Manifest, given: Given): Installation {
  const meshConfig = withFieldNames(given.meshConfig ?? {});
  return { manifest, global: {}, env: {}, compatibilityVersion: '', meshNetworks: {}, at: { meshConfig: [], global: [] }, ...given, meshConfig }; // prettier-ignore
}

function ofOperator(manifest: Manifest, spec: Json): Installation {
  const values = record(spec.values);
  const pilot = record(record(record(spec.components).pilot).k8s);
  const global = record(values.global);
  return made(manifest, {
    meshConfig: { ...record(values.meshConfig), ...record(spec.meshConfig) },
    global: { ...(text(spec.namespace) === '' ? {} : { istioNamespace: spec.namespace }), ...global },
    env: { ...record(record(values.pilot).env), ...listedEnv(pilot.env) },
    compatibilityVersion: text(spec.compatibilityVersion) || text(values.compatibilityVersion),
    meshNetworks: record(global.meshNetworks),
    at: { meshConfig: [['spec', 'meshConfig'], ['spec', 'values', 'meshConfig']], global: [['spec', 'values', 'global']] }, // prettier-ignore
  });
}

function ofConfigMap(manifest: Manifest, { mesh, values, meshNetworks }: Json): Installation | undefined {
  if (manifest.name.startsWith('istio-sidecar-injector')) {
    const injected = parsed(values);
    const at = { meshConfig: [], global: [['data', 'values']] };
    return injected && made(manifest, { global: record(injected.global), at });
  }
  const config = parsed(mesh);
  return (
    config &&
    made(manifest, {
      meshConfig: config,
      meshNetworks: parsed(meshNetworks) ?? {},
      at: { meshConfig: [['data', 'mesh']], global: [] },
    })
  );
}

/** Undefined of what is empty, or no YAML. */
function parsed(given: unknown): Json | undefined {
  if (text(given) === '') return undefined;
  try {
    return record(parse(text(given)));
  } catch {
    return undefined;
  }
}

/** The values of charts that an object carries: its own, and those that it hands to the charts in it. */
export function chartValues(manifest: Manifest): readonly Json[] {
  return levelsIn(manifest).map(([, values]) => values);
}

function isOfIstio([own, ...inner]: readonly Level[]): boolean {
  return (
    ['meshConfig', 'global', 'pilot', 'compatibilityVersion'].some((name) => name in (own?.[1] ?? {})) ||
    inner.some(([, { meshConfig, global }]) => meshConfig !== undefined || record(global).proxy !== undefined)
  );
}

function fromValues(manifest: Manifest, levels: readonly Level[]): Installation {
  const find = (name: string): { readonly at: readonly FieldPath[]; readonly value: Json } => {
    const found = levels.find(([, level]) => level[name] !== undefined);
    return { at: found === undefined ? [] : [[...found[0], name]], value: record(found?.[1][name]) };
  };
  const [meshConfig, global] = [find('meshConfig'), find('global')];
  return made(manifest, {
    meshConfig: meshConfig.value,
    global: global.value,
    env: { ...find('env').value, ...record(find('pilot').value.env) },
    compatibilityVersion: levels.map(([, level]) => text(level.compatibilityVersion)).find((one) => one !== '') ?? '',
    meshNetworks: record(global.value.meshNetworks),
    at: { meshConfig: meshConfig.at, global: global.at },
  });
}

function listedEnv(env: unknown): Json {
  return Object.fromEntries(records(env).map((entry) => [text(entry.name), entry.value]));
}
