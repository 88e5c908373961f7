/**
 * `npm run bench:diff`: the command line on two meshes of N hosts with four objects each, as whole processes, for the changes that pull
 * requests make. Writes the report beside this file.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { growth, measure, median } from '../measure';

const ROOT = join(__dirname, '..', '..');
const SIZES = [1000, 10_000];
const RUNS = 3;
const work = mkdtempSync(join(tmpdir(), 'mesh-edge-bench-'));

interface Json {
  [field: string]: unknown;
}

function object(kind: string, namespace: string, name: string, spec: Json): Json {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace }, spec };
}

const GATEWAY = 'istio-egressgateway.istio-system.svc.cluster.local';

/** The documents' pattern, host by host, in the namespaces of fifty teams. */
function mesh(hosts: number): Json[] {
  return Array.from({ length: hosts }, (_, index) => {
    const host = `h${index}.example.com`;
    const team = `team${index % 50}`;
    const to = (destination: Json): Json[] => [{ destination }];
    return [
      object('ServiceEntry', team, `e${index}`, {
        hosts: [host],
        location: 'MESH_EXTERNAL',
        resolution: 'DNS',
        ports: [
          { number: 80, name: 'http', protocol: 'HTTP' },
          { number: 443, name: 'tls', protocol: 'TLS' },
        ],
      }),
      object('Gateway', team, `g${index}`, {
        selector: { istio: 'egressgateway' },
        servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: [host] }],
      }),
      object('DestinationRule', 'istio-system', `d${index}`, { host: GATEWAY, subsets: [{ name: `s${index}` }] }),
      object('VirtualService', team, `v${index}`, {
        hosts: [host],
        gateways: ['mesh', `g${index}`],
        http: [
          {
            match: [{ gateways: ['mesh'], port: 80 }],
            route: to({ host: GATEWAY, subset: `s${index}`, port: { number: 80 } }),
          },
          { match: [{ gateways: [`g${index}`], port: 80 }], route: to({ host, port: { number: 80 } }) },
        ],
      }),
    ];
  }).flat();
}

const EDITS: Readonly<Record<string, (objects: Json[]) => Json[]>> = {
  'nothing changed': (objects) => objects,
  'one host added': (objects) => [
    ...objects,
    object('ServiceEntry', 'team1', 'new', {
      hosts: ['new.example.com'],
      resolution: 'DNS',
      ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
    }),
  ],
  'a hundred hosts without their gateway': (objects) => objects.filter((_, index) => index >= 400 || index % 4 !== 3),
  'REGISTRY_ONLY for one team': (objects) => [
    ...objects,
    object('Sidecar', 'team1', 'default', { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } }),
  ],
};

async function main(): Promise<void> {
  const lines = [
    '# Diffs of large meshes',
    '',
    `Whole processes of \`mesh-edge diff\`, from reading both files to the report; the median of ${RUNS} runs on ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.versions.node}. A host is four objects. Written by \`npm run bench:diff\`.`,
    '',
    `| change | ${SIZES.map((size) => `${size * 4} objects, s / MB`).join(' | ')} | grows with n to the |`,
    `| --- | ${SIZES.map(() => '---').join(' | ')} | --- |`,
  ];
  for (const [what, edit] of Object.entries(EDITS)) {
    const results = [];
    for (const size of SIZES) {
      const [old, now] = [join(work, 'old.json'), join(work, 'new.json')];
      writeFileSync(old, JSON.stringify(mesh(size)));
      writeFileSync(now, JSON.stringify(edit(mesh(size))));
      const runs = [];
      for (let run = 0; run < RUNS; run++) runs.push(await measure(join(ROOT, 'bin', 'mesh-edge'), ['diff', old, now]));
      results.push({ n: size, ...median(runs) });
    }
    const [small, large] = results;
    const cells = results.map(({ seconds, megabytes }) => `${seconds.toFixed(1)} / ${Math.round(megabytes)}`);
    lines.push(`| ${what} | ${cells.join(' | ')} | ${small && large ? growth(small, large).toFixed(2) : ''} |`);
    process.stderr.write(`${lines[lines.length - 1] ?? ''}\n`);
  }
  writeFileSync(join(__dirname, 'REPORT.md'), `${lines.join('\n')}\n`);
  rmSync(work, { recursive: true, force: true });
}

void main();
