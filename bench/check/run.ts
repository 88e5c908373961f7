/**
 * `npm run bench:check`: `mesh-edge check` and `istioctl analyze --use-kube=false` on the same files, in turn, in one run.
 * istioctl is the one that `npm run lab` builds; without it only this package is measured. Sizes may be given: 25 1000 10000.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { growth, measure, median } from '../measure';

const ROOT = resolve(__dirname, '..', '..');
const cache =
  process.env.MESH_EDGE_CACHE ??
  (process.getuid?.() === 0
    ? '/var/cache/cdk8s-mesh-edge'
    : join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'cdk8s-mesh-edge'));
const istioctl = join(cache, 'istio-1.29.1', 'istioctl');
const sizes = process.argv
  .slice(2)
  .map(Number)
  .filter((size) => size > 0);
const RUNS = 3;

/** Four objects a host: the documents' way from plain HTTP to TLS at the gateway. */
function manifests(hosts: number): string {
  const head = (kind: string, name: string, spec: string): string =>
    `---\napiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n  namespace: app\nspec:\n${spec}`;
  const gateway = 'istio-egressgateway.istio-system.svc.cluster.local';
  const objects = Array.from({ length: hosts }, (_, at) => {
    const host = `h${at}.example.com`;
    return [
      head(
        'ServiceEntry',
        `h${at}`,
        `  hosts: [${host}]\n  ports:\n    - {number: 80, name: http, protocol: HTTP}\n    - {number: 443, name: https, protocol: HTTPS}\n  resolution: DNS\n`,
      ),
      head(
        'Gateway',
        `h${at}`,
        `  selector: {istio: egressgateway}\n  servers:\n    - port: {number: 80, name: http, protocol: HTTP}\n      hosts: [${host}]\n`,
      ),
      head(
        'VirtualService',
        `h${at}`,
        `  hosts: [${host}]\n  gateways: [mesh, h${at}]\n  http:\n    - match: [{gateways: [mesh], port: 80}]\n      route:\n        - destination: {host: ${gateway}, subset: hop, port: {number: 80}}\n    - match: [{gateways: [h${at}], port: 80}]\n      route:\n        - destination: {host: ${host}, subset: tls, port: {number: 443}}\n`,
      ),
      head(
        'DestinationRule',
        `h${at}`,
        `  host: ${host}\n  subsets:\n    - name: tls\n      trafficPolicy: {tls: {mode: SIMPLE, sni: ${host}}}\n`,
      ),
    ].join('');
  });
  const hop = head('DestinationRule', 'hop', `  host: ${gateway}\n  subsets: [{name: hop}]\n`).replace(
    'namespace: app',
    'namespace: istio-system',
  );
  return `${objects.join('')}${hop}`;
}

async function main(): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'mesh-edge-bench-'));
  try {
    await measure(process.execPath, [join(ROOT, 'bin/mesh-edge'), '--version']); // makes the bundle
    const points: { n: number; seconds: number }[] = [];
    for (const hosts of sizes.length > 0 ? sizes : [25, 1000, 10_000]) {
      const file = join(work, `${hosts}.yaml`);
      writeFileSync(file, manifests(hosts));
      const sides: [string, string, string[]][] = [
        ['mesh-edge check', process.execPath, [join(ROOT, 'lib/cli/mesh-edge.cjs'), 'check', file]],
      ];
      if (existsSync(istioctl)) sides.push(['istioctl analyze', istioctl, ['analyze', '--use-kube=false', file]]);
      for (const [name, command, args] of sides) {
        const runs = [];
        for (let run = 0; run < RUNS; run += 1) runs.push(await measure(command, args));
        const { seconds, megabytes } = median(runs);
        process.stdout.write(
          `${name}: ${hosts} hosts, ${hosts * 4 + 1} objects: ${seconds.toFixed(2)} s, ${megabytes.toFixed(0)} MB\n`,
        );
        if (name === 'mesh-edge check') points.push({ n: hosts, seconds });
      }
    }
    const [small, large] = points.slice(-2);
    if (small && large)
      process.stdout.write(`growth exponent of mesh-edge check: ${growth(small, large).toFixed(2)}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

void main();
