/**
 * Every version that the lab runs, in one place. A part is built once for each version and kept in the cache folder,
 * so changing a line here builds that part anew and leaves the others alone.
 */
export const VERSIONS = {
  istio: '1.29.1',
  kubernetes: '1.34.2',
  etcd: '3.6.4',
  envoy: '1.37.0',
  gatewayApi: '1.4.0',
  envoyGateway: '1.7.0',
  helm: '3.20.0',
  httpbin: '2.15.0',
  // Its definitions only, for what EgressLockdown renders.
  cilium: '1.20.2',
  // What Envoy Gateway 1.7.0 runs, which has no release of its own.
  rateLimit: '1.4.1-0.20260122083618-3fb702589d36',
} as const;

/**
 * The Go pseudo-version of each Istio release that the lab can run (Istio's own tags carry no "v", so the Go module
 * proxy does not know them by name).
 */
const ISTIO_MODULE_VERSIONS: Readonly<Record<string, string>> = {
  '1.29.1': 'v0.0.0-20260306174214-6991a379e1fc',
};

/** The Istio release to run: `MESH_EDGE_ISTIO`, else the pinned one. */
export function istioVersion(): string {
  return process.env.MESH_EDGE_ISTIO ?? VERSIONS.istio;
}

/**
 * @throws where the lab has no module version for that release
 */
export function istioModuleVersion(release: string): string {
  const version = ISTIO_MODULE_VERSIONS[release];
  if (version === undefined) {
    const known = Object.keys(ISTIO_MODULE_VERSIONS).join(', ');
    throw new Error(`the lab has no Istio "${release}"; it can run ${known} (test/lab/versions.ts)`);
  }
  return version;
}
