/**
 * Where the pinned CRDs come from: Go modules, because the module proxy checks their sums and never changes a version.
 * One version a kind is imported: the one named here, which a test holds against the bindings.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { moduleFiles } from './go-modules';

export interface CrdSource {
  readonly module: string;
  readonly version: string;
  /** Files or folders in the module, in order: where two define one CRD, the first wins. */
  readonly paths: readonly string[];
  /** `Kind.group` to the version imported. */
  readonly kinds: Readonly<Record<string, string>>;
}

export const CRD_SOURCES: readonly CrdSource[] = [
  {
    module: 'istio.io/api',
    version: 'v1.32.0',
    paths: ['kubernetes/customresourcedefinitions.gen.yaml'],
    kinds: {
      'DestinationRule.networking.istio.io': 'v1',
      'Gateway.networking.istio.io': 'v1',
      'ServiceEntry.networking.istio.io': 'v1',
      'Sidecar.networking.istio.io': 'v1',
      'VirtualService.networking.istio.io': 'v1',
      'WorkloadEntry.networking.istio.io': 'v1',
      'WorkloadGroup.networking.istio.io': 'v1',
      'ProxyConfig.networking.istio.io': 'v1beta1',
      'EnvoyFilter.networking.istio.io': 'v1alpha3',
      'AuthorizationPolicy.security.istio.io': 'v1',
      'PeerAuthentication.security.istio.io': 'v1',
      'RequestAuthentication.security.istio.io': 'v1',
      'Telemetry.telemetry.istio.io': 'v1',
      'TrafficExtension.extensions.istio.io': 'v1alpha1',
      'WasmPlugin.extensions.istio.io': 'v1alpha1',
    },
  },
  {
    module: 'sigs.k8s.io/gateway-api',
    version: 'v1.7.0',
    // The experimental channel has what the standard one has, and more: what a target lacks is refused at synth.
    paths: ['config/crd/experimental'],
    kinds: {
      'GatewayClass.gateway.networking.k8s.io': 'v1',
      'Gateway.gateway.networking.k8s.io': 'v1',
      'HTTPRoute.gateway.networking.k8s.io': 'v1',
      'GRPCRoute.gateway.networking.k8s.io': 'v1',
      'TLSRoute.gateway.networking.k8s.io': 'v1',
      'TCPRoute.gateway.networking.k8s.io': 'v1',
      'UDPRoute.gateway.networking.k8s.io': 'v1',
      'ListenerSet.gateway.networking.k8s.io': 'v1',
      'ReferenceGrant.gateway.networking.k8s.io': 'v1',
      'BackendTLSPolicy.gateway.networking.k8s.io': 'v1',
      'XBackend.gateway.networking.x-k8s.io': 'v1alpha1',
      'XBackendTrafficPolicy.gateway.networking.x-k8s.io': 'v1alpha1',
      'XMesh.gateway.networking.x-k8s.io': 'v1alpha1',
      'XTelemetryPolicy.gateway.networking.x-k8s.io': 'v1alpha1',
    },
  },
  {
    module: 'github.com/envoyproxy/gateway',
    version: 'v1.9.1',
    paths: ['charts/gateway-crds-helm/templates/generated'],
    kinds: {
      'Backend.gateway.envoyproxy.io': 'v1alpha1',
      'BackendTrafficPolicy.gateway.envoyproxy.io': 'v1alpha1',
      'ClientTrafficPolicy.gateway.envoyproxy.io': 'v1alpha1',
      'EnvoyExtensionPolicy.gateway.envoyproxy.io': 'v1alpha1',
      'EnvoyPatchPolicy.gateway.envoyproxy.io': 'v1alpha1',
      'EnvoyProxy.gateway.envoyproxy.io': 'v1alpha1',
      'HTTPRouteFilter.gateway.envoyproxy.io': 'v1alpha1',
      'SecurityPolicy.gateway.envoyproxy.io': 'v1alpha1',
    },
  },
];

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export interface Crd {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec: {
    group: string;
    names: { kind: string };
    scope: string;
    versions: { name: string; served: boolean; storage: boolean; schema: { openAPIV3Schema: Json } }[];
  };
}

/** Downloads a module if the cache lacks it, and answers where it lies. */
export function moduleDir(source: Pick<CrdSource, 'module' | 'version'>): string {
  const name = `${source.module}@${source.version}`;
  let out: string;
  try {
    out = execFileSync('go', ['mod', 'download', '-json', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (e) {
    const said = e as { stdout?: string; stderr?: string; message: string };
    throw new Error(`Cannot fetch ${name} with 'go mod download': ${said.stdout || said.stderr || said.message}`, {
      cause: e,
    });
  }
  return (JSON.parse(out) as { Dir: string }).Dir;
}

/** All CRDs of a source whose kind is asked for, in the order of `kinds`. */
export function readCrds(source: CrdSource): Crd[] {
  const found = new Map<string, Crd>();
  for (const path of source.paths) {
    const full = moduleFiles(source.module, source.version, path);
    const names = /\.ya?ml$/.test(path)
      ? ['']
      : readdirSync(full)
          .filter((f) => f.endsWith('.yaml'))
          .sort();
    for (const name of names) {
      // Envoy Gateway wraps its CRDs in chart template lines.
      const lines = readFileSync(join(full, name), 'utf8')
        .split('\n')
        .filter((line) => !/^\{\{.*\}\}\s*$/.test(line));
      for (const doc of parseAllDocuments(lines.join('\n'))) {
        const crd = doc.toJS() as Crd | null;
        if (crd?.kind !== 'CustomResourceDefinition') continue;
        const key = `${crd.spec.names.kind}.${crd.spec.group}`;
        if (!found.has(key)) found.set(key, crd);
      }
    }
  }
  return Object.entries(source.kinds).map(([key, version]) => {
    const crd = found.get(key);
    if (!crd) throw new Error(`${source.module}@${source.version} has no CRD for ${key}`);
    if (!crd.spec.versions.some((v) => v.name === version && v.served)) {
      const served = crd.spec.versions.map((v) => v.name).join(', ');
      throw new Error(`${source.module}@${source.version} does not serve ${key} ${version}; it has ${served}`);
    }
    return crd;
  });
}
