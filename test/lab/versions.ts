/**
 * Every version that the lab runs, in one place. A part is built once for each version and kept in the cache folder,
 * so changing a line here builds that part anew and leaves the others alone.
 */
const PINNED = {
  istio: '1.29.1',
  kubernetes: '1.34.2',
  etcd: '3.6.4',
  envoy: '1.37.0',
  gatewayApi: '1.4.0',
  envoyGateway: '1.7.0',
  helm: '3.20.0',
  kubeNetworkPolicies: '0.8.0',
  httpbin: '2.15.0',
  // Its definitions only, for what EgressLockdown renders.
  cilium: '1.20.2',
  // What Envoy Gateway 1.7.0 runs, which has no release of its own.
  rateLimit: '1.4.1-0.20260122083618-3fb702589d36',
} as const;

/** Whose own CEL tests are asked: later ones have them in a module of their own, which the module proxy has not. */
export const CEL_RELEASES = { envoyGatewayVersion: PINNED.envoyGateway, gatewayApiVersion: `${PINNED.gatewayApi}/experimental` } as const; // prettier-ignore

/** The Gateway API that other releases of the two control planes are built for. */
const GATEWAY_API: Readonly<Record<string, string>> = {
  '1.30-dev': '1.5.1',
  '1.31-dev': '1.6.3',
  '1.8.0': '1.5.1',
  '1.9.1': '1.6.3',
};

/** The Envoy that other releases of the two are made for (DefaultEnvoyProxyImage of Envoy Gateway; go.mod of Istio). */
const ENVOY: Readonly<Record<string, string>> = {
  '1.31-dev': '1.39.1',
  '1.8.0': '1.38.2',
  '1.9.1': '1.39.1',
};

/** Releases of Istio and Envoy Gateway that the lab runs beside the pinned ones, if it is told to. */
export const OTHER_RELEASES = { istio: ['1.30-dev', '1.31-dev'], envoyGateway: ['1.8.0', '1.9.1'] } as const;

/** The newest of each that the lab runs (`npm run test:mesh -- --newest`, which CI does). */
const NEWEST = { istio: '1.31-dev', envoyGateway: '1.9.1', kubernetes: '1.37.2' } as const;

/** Which is asked for: by name, or as the newest; undefined where it is the pinned one. */
function asked(part: keyof typeof NEWEST, name: string | undefined): string | undefined {
  return name ?? (process.env.MESH_EDGE_NEWEST === undefined ? undefined : NEWEST[part]);
}

const ASKED = {
  istio: asked('istio', process.env.MESH_EDGE_ISTIO),
  envoyGateway: asked('envoyGateway', process.env.MESH_EDGE_ENVOY_GATEWAY),
  kubernetes: asked('kubernetes', process.env.MESH_EDGE_KUBERNETES),
};

/** `MESH_EDGE_ISTIO`, `MESH_EDGE_ENVOY_GATEWAY` and `MESH_EDGE_KUBERNETES` name others than the pinned ones; the Gateway API and Envoy go with the first two. */
export const VERSIONS = {
  ...PINNED,
  kubernetes: ASKED.kubernetes ?? PINNED.kubernetes,
  envoyGateway: ASKED.envoyGateway ?? PINNED.envoyGateway,
  gatewayApi: goingWith(GATEWAY_API) ?? PINNED.gatewayApi,
  envoy: goingWith(ENVOY) ?? PINNED.envoy,
};

function goingWith(versions: Readonly<Record<string, string>>): string | undefined {
  return versions[ASKED.envoyGateway ?? ''] ?? versions[ASKED.istio ?? ''];
}

/** The releases of the lab, and of the oracle: what is compared with them is judged by them. */
export const LAB_RELEASES = {
  get istioVersion(): string {
    return istioVersion();
  },
  gatewayApiVersion: `${VERSIONS.gatewayApi}/experimental`,
  envoyGatewayVersion: VERSIONS.envoyGateway,
  kubernetesVersion: VERSIONS.kubernetes,
} as const;

/** Where Go finds a release of Istio. */
export interface IstioModule {
  /** Its pseudo-version: Istio's own tags carry no "v", so the Go module proxy does not know them by name. */
  readonly version: string;
  /**
   * Dependencies to take from a release, where the commit that it names is not published; empty where all are, and the checksum database
   * does not know some of them, whose sums are then those that Istio has itself.
   */
  readonly instead?: Readonly<Record<string, string>>;
}

/** Each Istio that the lab can run. */
const ISTIO_MODULES: Readonly<Record<string, IstioModule>> = {
  '1.29.1': { version: 'v0.0.0-20260306174214-6991a379e1fc' },
  // Master when 1.30 was cut.
  '1.30-dev': { version: 'v0.0.0-20260423205519-b01690e6db7d', instead: {} },
  // What became 1.31, four weeks before: the module proxy has no commit of a release beside 1.29.1.
  '1.31-dev': {
    version: 'v0.0.0-20260827124520-eed52ebb66ad',
    instead: {
      'istio.io/api': 'v1.31.1',
      'istio.io/client-go': 'v1.31.1',
      'github.com/envoyproxy/go-control-plane/envoy': 'v1.39.0',
      'github.com/envoyproxy/go-control-plane/contrib': 'v1.36.1-0.20260729145720-a2d8c7492908',
    },
  },
};

/** The Istio release to run: the one that is asked for, else the pinned one. */
export function istioVersion(): string {
  return asked('istio', process.env.MESH_EDGE_ISTIO) ?? VERSIONS.istio;
}

/**
 * @throws where the lab has no module version for that release
 */
export function istioModule(release: string): IstioModule {
  const module = ISTIO_MODULES[release];
  if (module === undefined) {
    const known = Object.keys(ISTIO_MODULES).join(', ');
    throw new Error(`the lab has no Istio "${release}"; it can run ${known} (test/lab/versions.ts)`);
  }
  return module;
}
