/**
 * What a lab with Envoy Gateway runs beside its own: the real controller, its rate-limit service, httpbin, and Helm, which renders
 * the chart that the controller's module carries. Built when a test first asks for it.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { build, go, installPackages, moduleFolder, type Part } from './build';
import { partFolder } from './cache';
import { VERSIONS } from './versions';

const CONTROLLER_MODULE = 'github.com/envoyproxy/gateway';
const OUTSIDE_SUMS = { GONOSUMDB: `${CONTROLLER_MODULE},github.com/openshift/*` };

const install = (folder: string, target: string) =>
  go(['install', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', target], folder, {
    GOBIN: folder,
    ...OUTSIDE_SUMS,
  });

const PARTS = {
  controller: {
    name: `Envoy Gateway ${VERSIONS.envoyGateway}`,
    id: `envoy-gateway-controller-${VERSIONS.envoyGateway}`,
    fill: async (folder) => {
      const version = `v${VERSIONS.envoyGateway}`;
      await install(folder, `${CONTROLLER_MODULE}/cmd/envoy-gateway@${version}`);
      const chart = path.join(folder, 'chart');
      fs.cpSync(path.join(moduleFolder(CONTROLLER_MODULE, version, OUTSIDE_SUMS), 'charts/gateway-helm'), chart, {
        recursive: true,
      });
      fs.chmodSync(chart, 0o755);
      const template = fs.readFileSync(path.join(chart, 'values.tmpl.yaml'), 'utf8');
      const values = template
        .replaceAll('${GatewayImage}', `envoyproxy/gateway:${version}`)
        .replaceAll('${GatewayImagePullPolicy}', 'IfNotPresent');
      fs.writeFileSync(path.join(chart, 'values.yaml'), values);
    },
  },
  helm: {
    name: `Helm ${VERSIONS.helm}`,
    id: `helm-${VERSIONS.helm}`,
    fill: (folder) => install(folder, `helm.sh/helm/v3/cmd/helm@v${VERSIONS.helm}`),
  },
  httpbin: {
    name: `go-httpbin ${VERSIONS.httpbin}`,
    id: `httpbin-${VERSIONS.httpbin}`,
    fill: (folder) => install(folder, `github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@v${VERSIONS.httpbin}`),
  },
  rateLimit: {
    name: `Envoy's rate-limit service ${VERSIONS.rateLimit}`,
    id: `ratelimit-${VERSIONS.rateLimit}`,
    fill: async (folder) => {
      await install(folder, `github.com/envoyproxy/ratelimit/src/service_cmd@v${VERSIONS.rateLimit}`);
      fs.renameSync(path.join(folder, 'service_cmd'), path.join(folder, 'ratelimit'));
    },
  },
} as const satisfies Readonly<Record<string, Part>>;

/** The path of a file of one of the parts. */
export function builtForIngress(part: keyof typeof PARTS, file: string): string {
  return path.join(partFolder(PARTS[part].id), file);
}

/** Builds what is not in the cache yet, which takes some 10 minutes the first time. */
export async function buildEnvoyGateway(say: (line: string) => void): Promise<void> {
  await installPackages(say, { 'redis-server': 'redis-server' });
  await build(Object.values(PARTS), say);
}
