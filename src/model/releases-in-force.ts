/** Which release of each component the manifests are judged by: the one that was asked for, else the one that they show, else the newest. */
import { record, records, text, type Json } from './fields';
import { givenValues, levelsOf } from './given-values';
import type { Manifest } from './manifest';
import type { MeshOptions } from './mesh-options';
import { HELM_CHART, HELM_VALUES, REMOTE_RELEASE } from './recognize';
import { COMPONENTS, COMPONENT_NAMES, type Component, componentOf, EXPERIMENTAL, releaseNames } from './releases';
import { releaseNamedBy } from './remote-releases';
import { groupDefinedBy } from './unread';

export interface ReleaseInForce {
  /** A modelled release: `1.32`, `1.7` (the standard channel), `1.7/experimental`. */
  readonly release: string;
  /** What was asked for or found, as it was written; the same as `release` for the default. */
  readonly stated: string;
  /** The patch release of it, `1.7.4`, where one was stated. */
  readonly patch: string | null;
  readonly from: 'option' | 'manifests' | 'default';
  /** The manifest that showed it. */
  readonly shownBy: Manifest | null;
  /** Whether the release that was stated is modelled; if not, `release` is the nearest that is. */
  readonly isModelled: boolean;
  /** Other releases that manifests show of the same component, each with a manifest that does. */
  readonly others: readonly Shown[];
}

export type ReleasesInForce = Readonly<Record<Component, ReleaseInForce>>;

interface Shown {
  readonly stated: string;
  readonly manifest: Manifest;
}

const OPTIONS: Readonly<Record<Component, keyof MeshOptions>> = {
  istio: 'istioVersion',
  gatewayApi: 'gatewayApiVersion',
  envoyGateway: 'envoyGatewayVersion',
  kubernetes: 'kubernetesVersion',
};

/** A version at the beginning of a text: `v1.29.1`, `1.29-alpha.x`, `1.7/experimental`. */
const VERSION = /^v?(\d+\.\d+)(?=$|[.\-+/])/;

const PATCH = /^v?(\d+\.\d+\.\d+)(?=$|[-+/])/;

export function releasesInForce(manifests: readonly Manifest[], options: MeshOptions): ReleasesInForce {
  const shown = shownReleases(manifests);
  const entries = COMPONENT_NAMES.map((component) => {
    const asked = options[OPTIONS[component]];
    return [component, inForce(component, asked, shown[component])] as const;
  });
  return Object.fromEntries(entries) as Record<Component, ReleaseInForce>;
}

function inForce(component: Component, asked: string | undefined, shown: readonly Shown[]): ReleaseInForce {
  if (asked !== undefined)
    return { ...nearest(component, asked), stated: asked, from: 'option', shownBy: null, others: [] };
  // Where manifests show several (one control plane beside another), what they hold has to be right for the oldest too.
  const found = [...shown].sort((a, b) => compareVersions(a.stated, b.stated));
  const [first, ...rest] = found;
  if (first !== undefined) {
    const { release } = nearest(component, first.stated);
    const others = rest.filter(({ stated }, at) => nearest(component, stated).release !== release && rest.findIndex((other) => other.stated === stated) === at); // prettier-ignore
    return { ...nearest(component, first.stated), stated: first.stated, from: 'manifests', shownBy: first.manifest, others }; // prettier-ignore
  }
  const newest = releaseNames(component)[0] ?? '';
  return { release: newest, stated: newest, from: 'default', patch: null, shownBy: null, isModelled: true, others: [] };
}

function nearest(component: Component, stated: string): Pick<ReleaseInForce, 'release' | 'patch' | 'isModelled'> {
  const name = VERSION.exec(stated)?.[1] ?? '';
  const channel = component === 'gatewayApi' && stated.endsWith(EXPERIMENTAL) ? EXPERIMENTAL : '';
  const names = COMPONENTS[component].releases.map((release) => release.name);
  const isModelled = names.includes(name);
  const newest = names[0] ?? '';
  const oldest = names.at(-1) ?? '';
  const near = isModelled ? name : compareVersions(name, newest) > 0 ? newest : oldest;
  return { release: `${near}${channel}`, patch: isModelled ? (PATCH.exec(stated)?.[1] ?? null) : null, isModelled };
}

export function compareVersions(a: string, b: string): number {
  const parts = (version: string): readonly number[] =>
    version.replace(/^v/, '').split(/[.\-+/]/).slice(0, 3).map((part) => Number(part) || 0); // prettier-ignore
  const [left, right] = [parts(a), parts(b)];
  return [0, 1, 2].map((at) => (left[at] ?? 0) - (right[at] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

type Found = Record<Component, Shown[]>;

/** What a control plane is installed by outweighs what only its proxies and namespaces show: those may lag behind it. */
function shownReleases(manifests: readonly Manifest[]): Found {
  const strong: Found = { istio: [], gatewayApi: [], envoyGateway: [], kubernetes: [] };
  const weak: Found = { istio: [], gatewayApi: [], envoyGateway: [], kubernetes: [] };
  for (const manifest of manifests) {
    const put = (into: Found, component: Component, stated: unknown): void => {
      if (typeof stated === 'string' && VERSION.test(stated)) into[component].push({ stated, manifest });
    };
    read(manifest, (component, stated) => put(strong, component, stated), (component, stated) => put(weak, component, stated)); // prettier-ignore
  }
  const chosen = COMPONENT_NAMES.map((component) => [component, strong[component].length > 0 ? strong[component] : weak[component]] as const); // prettier-ignore
  return Object.fromEntries(chosen) as Found;
}

type Put = (component: Component, stated: unknown) => void;

function read(manifest: Manifest, strong: Put, weak: Put): void {
  if (manifest.kind === 'CustomResourceDefinition') {
    if (componentOf(groupDefinedBy(manifest)) === 'gatewayApi') strong('gatewayApi', bundleOf(manifest));
    return;
  }
  const body = record(manifest.body);
  const spec = record(body.spec);
  const [, rendered = '', by = ''] = /^([a-z-]+?)-(v?\d.*)$/.exec(manifest.labels['helm.sh/chart'] ?? '') ?? [];
  chart(strong, rendered, by);
  switch (manifest.kind) {
    case 'IstioOperator':
      strong('istio', spec.tag);
      strong('istio', record(record(spec.components).pilot).tag);
      values(strong, record(spec.values));
      weak('istio', dashed(spec.revision));
      return;
    case 'Istio':
    case 'IstioRevision':
    case 'ZTunnel':
    case 'IstioCNI':
      if (manifest.group === 'sailoperator.io') strong('istio', spec.version);
      return;
    case HELM_VALUES:
      for (const level of [body, ...Object.values(body).map(record)]) values(strong, level);
      return;
    case HELM_CHART:
      chart(strong, text(body.name), text(body.appVersion) || text(body.version));
      for (const dependency of records(body.dependencies))
        chart(strong, text(dependency.name), text(dependency.version));
      return;
    case 'HelmRelease': {
      const { chart: name, version } = record(record(spec.chart).spec);
      chart(strong, text(name), text(version));
      given(strong, manifest);
      return;
    }
    case 'HelmChart':
      chart(strong, text(spec.chart), text(spec.version));
      given(strong, manifest);
      return;
    case 'OCIRepository':
      chart(
        strong,
        text(spec.url).split('/').at(-1) ?? '',
        text(record(spec.ref).tag) || text(record(spec.ref).semver),
      );
      return;
    case 'GitRepository':
      // What of the repository is applied is said elsewhere: the experimental channel has all that the other has.
      fetched(strong, text(spec.url), 'experimental', text(record(spec.ref).tag) || text(record(spec.ref).semver));
      return;
    case REMOTE_RELEASE:
      fetched(strong, text(body.address), '', '');
      return;
    case 'Application':
      application(strong, spec);
      given(strong, manifest);
      return;
    case 'ApplicationSet':
      application(strong, record(record(spec.template).spec));
      return;
    case 'Node':
      strong('kubernetes', record(record(body.status).nodeInfo).kubeletVersion);
      return;
    case 'Namespace':
    case 'MutatingWebhookConfiguration':
      weak('istio', dashed(manifest.labels['istio.io/rev']));
      return;
    case 'Deployment':
    case 'DaemonSet':
    case 'StatefulSet':
      images(record(record(spec.template).spec), strong, weak);
      return;
    case 'Pod':
      images(spec, strong, weak);
  }
}

function application(strong: Put, spec: Json): void {
  for (const source of [record(spec.source), ...records(spec.sources)]) {
    chart(strong, text(source.chart), text(source.targetRevision));
    fetched(strong, text(source.repoURL), text(source.path), text(source.targetRevision));
    if (isIstioChart(text(source.chart))) values(strong, record(record(source.helm).valuesObject));
  }
}

function fetched(strong: Put, address: string, path: string, revision: string): void {
  const named = releaseNamedBy(address, path, constrained(revision));
  if (named !== undefined) strong(named.component, named.stated);
}

/** Any chart may have a tag among its values: one of Istio's is told by its name, or by what else it is given. */
function given(strong: Put, manifest: Manifest): void {
  for (const one of givenValues(manifest))
    for (const [, level] of levelsOf(one.values, one.at)) {
      const isIstios =
        (level === one.values && isIstioChart(one.chart)) ||
        ['meshConfig', 'pilot', 'istiod'].some((name) => level[name] !== undefined) ||
        record(level.global).proxy !== undefined;
      if (isIstios) values(strong, level);
    }
}

const isIstioChart = (name: string): boolean => /(^|\/)(istiod|ztunnel)$/.test(name);

/** Tags among the values of Istio's charts. */
function values(strong: Put, given: Json): void {
  strong('istio', record(given.pilot).tag);
  strong('istio', record(given.global).tag);
}

/**
 * The release that a constraint of Helm comes to: `~1.31.0`, `=1.31.2`, `>=1.31.0 <1.32.0`, `1.31.0 - 1.31.9`. Of one that several releases
 * meet (`^1.30.0`) nobody says which is installed.
 */
function constrained(version: string): string {
  const plain = version.trim().replace(/^[~=]\s*/, '');
  const [, from = '', below] = /^>=?\s*v?(\d+\.\d+\S*?),?\s+<\s*v?(\d+\.\d+)/.exec(plain) ?? [];
  const [, first = '', last] = /^v?(\d+\.\d+\S*)\s+-\s+v?(\d+\.\d+)/.exec(plain) ?? [];
  if (last !== undefined) return minor(first) === minor(last) ? first : '';
  if (below === undefined) return plain;
  const [major = 0, least = 0] = from.split('.').map(Number);
  return below === `${major}.${least + 1}` || below === minor(from) ? from : '';
}

const minor = (version: string): string => version.split('.').slice(0, 2).join('.');

/** Charts by their own names, wherever they are kept. */
function chart(strong: Put, name: string, stated: string): void {
  const version = constrained(stated);
  // Istio's charts `base`, `gateway` and `cni` have names that those of others have as well.
  if (name === 'istiod' || name === 'ztunnel') strong('istio', version);
  if (name === 'gateway-helm' || name === 'gateway-crds-helm') strong('envoyGateway', version);
}

/** Revisions are named after releases, with dashes for dots: `1-29-1`, `1-29-1-canary`. */
function dashed(revision: unknown): string | undefined {
  const match = /^v?(\d)-(\d{2})(?:-(\d+))?(?:-[a-z][a-z0-9-]*)?$/.exec(text(revision));
  return match === null ? undefined : match.slice(1).filter(Boolean).join('.');
}

function bundleOf({ annotations }: Manifest): string | undefined {
  const version = annotations['gateway.networking.k8s.io/bundle-version'];
  if (version === undefined) return undefined;
  return annotations['gateway.networking.k8s.io/channel'] === 'experimental' ? `${version}${EXPERIMENTAL}` : version;
}

function images(pod: Json, strong: Put, weak: Put): void {
  for (const container of [...records(pod.containers), ...records(pod.initContainers)]) {
    const match = /(?:^|\/)([a-z0-9-]+):(v?\d+\.\d+[^@]*)/.exec(text(container.image));
    if (match === null) continue;
    const [, name, tag] = match;
    if (name === 'pilot') strong('istio', tag);
    else if (name === 'proxyv2' || name === 'ztunnel') weak('istio', tag);
    else if (name === 'gateway' && /envoyproxy\/gateway:/.test(text(container.image))) strong('envoyGateway', tag);
  }
}
