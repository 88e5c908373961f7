/** The releases of Istio, Gateway API, Envoy Gateway and Kubernetes that are modelled: one list for schemas, options and reports. */

export type Component = 'istio' | 'gatewayApi' | 'envoyGateway' | 'kubernetes';

export interface Release {
  /** Major and minor, as in `1.32`. */
  readonly name: string;
  /** Version of the Go module that its schemas are imported from. */
  readonly schemas: string;
  readonly endOfLife?: EndOfLife;
  /** Of Envoy Gateway: the Gateway API whose definitions its chart `gateway-helm` brings, those of the experimental channel (charts/gateway-helm). */
  readonly bringsGatewayApi?: string;
}

/** When a release stops being mended. */
export interface EndOfLife {
  /** `2026-07-01`, or the month alone where no day is set. */
  readonly date: string;
  /** Whether the project only expects it. */
  readonly isExpected?: true;
}

export interface ComponentReleases {
  /** As people write it. */
  readonly title: string;
  readonly module: string;
  /** Where the ends of life are from. */
  readonly support?: string;
  /** Newest first. */
  readonly releases: readonly Release[];
}

export const COMPONENTS: Readonly<Record<Component, ComponentReleases>> = {
  istio: {
    title: 'Istio',
    module: 'istio.io/api',
    support: 'https://istio.io/latest/docs/releases/supported-releases/',
    releases: [
      { name: '1.32', schemas: 'v1.32.0' },
      { name: '1.31', schemas: 'v1.31.4' },
      { name: '1.30', schemas: 'v1.30.8', endOfLife: { date: '2026-11', isExpected: true } },
      { name: '1.29', schemas: 'v1.29.1', endOfLife: { date: '2026-10-01', isExpected: true } },
      { name: '1.28', schemas: 'v1.28.3', endOfLife: { date: '2026-07-01' } },
    ],
  },
  gatewayApi: {
    title: 'Gateway API',
    module: 'sigs.k8s.io/gateway-api',
    releases: [
      { name: '1.7', schemas: 'v1.7.0' },
      { name: '1.6', schemas: 'v1.6.3' },
      { name: '1.5', schemas: 'v1.5.1' },
      { name: '1.4', schemas: 'v1.4.1' },
      { name: '1.3', schemas: 'v1.3.0' },
    ],
  },
  envoyGateway: {
    title: 'Envoy Gateway',
    module: 'github.com/envoyproxy/gateway',
    support: 'https://gateway.envoyproxy.io/news/releases/matrix/',
    releases: [
      { name: '1.9', schemas: 'v1.9.1', bringsGatewayApi: '1.6', endOfLife: { date: '2027-02-14' } },
      { name: '1.8', schemas: 'v1.8.3', bringsGatewayApi: '1.5', endOfLife: { date: '2026-11-08' } },
      { name: '1.7', schemas: 'v1.7.0', bringsGatewayApi: '1.4', endOfLife: { date: '2026-08-05' } },
      { name: '1.6', schemas: 'v1.6.3', bringsGatewayApi: '1.4', endOfLife: { date: '2026-05-13' } },
    ],
  },
  kubernetes: {
    title: 'Kubernetes',
    module: 'k8s.io/kubernetes',
    releases: [
      { name: '1.37', schemas: 'v1.37.2' },
      { name: '1.36', schemas: 'v1.36.3' },
      { name: '1.35', schemas: 'v1.35.4' },
      { name: '1.34', schemas: 'v1.34.4' },
    ],
  },
};

export const COMPONENT_NAMES = Object.keys(COMPONENTS) as readonly Component[];

/** Gateway API is installed by channel: a name of a release alone is the standard channel. */
export const EXPERIMENTAL = '/experimental';

/** Which component serves the kinds of an API group. */
export function componentOf(group: string): Component | undefined {
  if (/^(networking|security|telemetry|extensions)\.istio\.io$/.test(group)) return 'istio';
  if (/^gateway\.networking\.(x-)?k8s\.io$/.test(group)) return 'gatewayApi';
  if (group === 'gateway.envoyproxy.io') return 'envoyGateway';
  return undefined;
}

/** Which component serves the kinds of a group: Kubernetes, unless it is known to be another. */
export function serverOf(group: string): Component {
  return componentOf(group) ?? 'kubernetes';
}

/**
 * Releases of a component by name, newest first. Those of Gateway API come by channel, the experimental one first: the newest of
 * it has everything that any channel has today.
 */
export function releaseNames(component: Component): readonly string[] {
  const names = COMPONENTS[component].releases.map(({ name }) => name);
  return component === 'gatewayApi' ? names.flatMap((name) => [`${name}${EXPERIMENTAL}`, name]) : names;
}

/** The release that one is kept as a difference from: the next newer one, and for a standard channel the experimental one. */
export function newerRelease(component: Component, release: string): string | undefined {
  if (component === 'gatewayApi' && !release.endsWith(EXPERIMENTAL)) return `${release}${EXPERIMENTAL}`;
  const { releases } = COMPONENTS[component];
  const at = releases.findIndex(({ name }) => name === release.replace(EXPERIMENTAL, ''));
  const newer = at > 0 ? releases[at - 1]?.name : undefined;
  return newer === undefined || component !== 'gatewayApi' ? newer : `${newer}${EXPERIMENTAL}`;
}

/** Whether a release is another one or newer. */
export function isSince(component: Component, release: string, since: string): boolean {
  const names = COMPONENTS[component].releases.map(({ name }) => name);
  return names.indexOf(release.replace(EXPERIMENTAL, '')) <= names.indexOf(since);
}

/** The Gateway API that an installation of Envoy Gateway by its chart has definitions of. */
export function gatewayApiBroughtBy(envoyGateway: string): string | undefined {
  const brought = COMPONENTS.envoyGateway.releases.find(({ name }) => name === envoyGateway)?.bringsGatewayApi;
  return brought === undefined ? undefined : `${brought}${EXPERIMENTAL}`;
}
