/**
 * `npm run bench:explore`: what answers for every request costs, as whole processes: `diff`, `prove` and `list` on meshes of N hosts with four
 * objects each, and of N workloads; and routes with policies on one host. Writes the report beside this file.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OBJECTS_A_HOST, TEAMS, edge, object } from '../edge';
import { conditions, growth, measure, type Measured } from '../measure';

const ROOT = join(__dirname, '..', '..');
const CLI = join(ROOT, 'lib', 'cli', 'mesh-edge.cjs');
const SIZES = [1000, 10_000] as const;
const CALLERS = [250, 1000] as const;
const LIMIT_SECONDS = Number(process.argv[2] ?? 600);
const work = mkdtempSync(join(tmpdir(), 'mesh-edge-bench-'));

const rules = (hosts: number): string =>
  `rules:\n${Array.from({ length: 20 }, (_one, index) => {
    const host = `h${Math.floor((index * hosts) / 20)}.example.com`;
    const body = [
      `forbid: { from: { except: [team${index}] }, to: { hosts: [${host}], paths: ["/admin", "/admin/*"] } }`,
      `require: { from: "*", to: { hosts: ["*.example.com"], ports: [80] }, through: istio-system/istio-egressgateway }`,
      `forbid: { from: outside, to: { hosts: [${host}] } }`,
      `require: { from: team${index}, to: { hosts: [${host}] }, tls: verified }`,
    ][index % 4] as string;
    return `  - name: rule ${index}\n    ${body}\n`;
  }).join('')}`;

/** Workloads of fifty teams, and a policy for each at one server. */
function callers(count: number): string[] {
  const pod = (namespace: string, name: string): string =>
    `---\napiVersion: apps/v1\nkind: Deployment\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec:\n  selector: { matchLabels: { app: ${name} } }\n  template:\n    metadata: { labels: { app: ${name} } }\n    spec: { serviceAccountName: ${name}, containers: [{ name: a, image: a, ports: [{ containerPort: 8080 }] }] }\n`;
  const names = Array.from({ length: count }, (_one, at) => [`team${at % TEAMS}`, `w${at}`] as const);
  return [
    ...names.map(([namespace, name]) => pod(namespace, name)),
    pod('shop', 'server'),
    '---\napiVersion: v1\nkind: Service\nmetadata: { name: server, namespace: shop }\nspec: { selector: { app: server }, ports: [{ name: http, port: 80, targetPort: 8080 }] }\n',
    ...names.map(
      ([namespace, name], at) =>
        `---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: p${at}, namespace: shop }\nspec:\n  selector: { matchLabels: { app: server } }\n  rules: [{ from: [{ source: { principals: ["cluster.local/ns/${namespace}/sa/${name}"] } }], to: [{ operation: { paths: ["/${at % 10}/*"] } }] }]\n`,
    ),
  ];
}

/** Sixty routes and twenty policies on one host. */
function oneHost(changed: boolean): string[] {
  const route = (at: number): string =>
    `  - match: [{ uri: { ${at % 3 === 0 ? 'prefix' : 'exact'}: /r${at}${changed && at === 55 ? 'x' : ''} }, method: { exact: ${at % 2 === 0 ? 'GET' : 'POST'} } }]\n    route: [{ destination: { host: ${at % 2 === 0 ? 'server' : 'other'}.shop.svc.cluster.local } }]\n`;
  return [
    ...callers(0),
    '---\napiVersion: v1\nkind: Service\nmetadata: { name: other, namespace: shop }\nspec: { selector: { app: server }, ports: [{ name: http, port: 80, targetPort: 8080 }] }\n',
    object(
      'VirtualService',
      'shop',
      'many',
      `  hosts: [server.shop.svc.cluster.local]\n  http:\n${Array.from({ length: 60 }, (_one, at) => route(at)).join('')}`,
    ),
    ...Array.from(
      { length: 20 },
      (_one, at) =>
        `---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: p${at}, namespace: shop }\nspec:\n  selector: { matchLabels: { app: server } }\n  action: DENY\n  rules: [{ to: [{ operation: { paths: ["/r${at * 3}/secret*"], methods: [DELETE] } }] }]\n`,
    ),
  ];
}

interface Row {
  readonly what: string;
  readonly target: string;
  readonly sizes: readonly number[];
  readonly run: (size: number) => Promise<Measured>;
}

let files = 0;
function file(text: string): string {
  const name = join(work, `${(files += 1)}.yaml`);
  writeFileSync(name, text);
  return name;
}

const cli = (...args: string[]): Promise<Measured> =>
  measure(process.execPath, ['--max-old-space-size=1500', CLI, ...args], { limitSeconds: LIMIT_SECONDS, expected: [0, 1] }); // prettier-ignore

const prefix = (objects: readonly string[]): string => objects.join('').replace('port: 80\n', 'port: 80\n          uri: { prefix: /v1 }\n'); // prettier-ignore

const ROWS: readonly Row[] = [
  {
    what: '`diff`, nothing changed',
    target: '1.5 s',
    sizes: SIZES,
    run: async (size) => {
      const same = edge(size).join('');
      return cli('diff', file(same), file(same));
    },
  },
  {
    what: '`diff`, a condition on one route',
    target: '10 s',
    sizes: SIZES,
    run: async (size) => cli('diff', file(edge(size).join('')), file(prefix(edge(size)))),
  },
  {
    what: '`prove`, 20 rules',
    target: '15 s',
    sizes: SIZES,
    run: async (size) => cli('prove', file(rules(size)), file(edge(size).join(''))),
  },
  { what: '`list`', target: '20 s', sizes: SIZES, run: async (size) => cli('list', file(edge(size).join(''))) },
  {
    what: '`list`, by callers, each with a policy',
    target: 'exponent 1.1',
    sizes: CALLERS,
    run: async (size) => cli('list', file(callers(size).join(''))),
  },
  {
    what: '`diff`, by callers: a policy less',
    target: 'exponent 1.1',
    sizes: CALLERS,
    run: async (size) => cli('diff', file(callers(size).join('')), file(callers(size).slice(0, -1).join(''))),
  },
  {
    what: '`diff`, 60 routes with 20 policies on one host',
    target: '1 s',
    sizes: [1],
    run: async () => cli('diff', file(oneHost(false).join('')), file(oneHost(true).join(''))),
  },
];

async function main(): Promise<void> {
  await measure(process.execPath, [join(ROOT, 'bin', 'mesh-edge'), '--version']); // makes the bundle
  const lines = [
    '# Every request, in large meshes',
    '',
    `Whole processes of the command line, one run each, with 1,500 MB for JavaScript. A host is ${OBJECTS_A_HOST} objects: 10,000 hosts are 40,000. What counts is CPU: the seconds of all threads, whoever else uses the machine.`,
    '',
    '`npm run bench:explore`',
    '',
  ];
  const rows = ['| what | target | n | CPU s | s | MB | CPU grows with n to the |', '| --- | --- | ---: | ---: | ---: | ---: | ---: |']; // prettier-ignore
  for (const { what, target, sizes, run } of ROWS) {
    const found: { n: number; seconds: number }[] = [];
    for (const n of sizes) {
      const { cpu, seconds, megabytes, cutShort, ok } = await run(n);
      found.push({ n, seconds: cpu });
      const [small, large] = found;
      const note = cutShort ? ` (ended after ${LIMIT_SECONDS} s)` : ok ? '' : ' (failed)';
      rows.push(`| ${what} | ${target} | ${n} | ${cpu.toFixed(1)}${note} | ${seconds.toFixed(1)} | ${Math.round(megabytes)} | ${small && large ? growth(small, large).toFixed(2) : ''} |`); // prettier-ignore
      process.stdout.write(`${rows[rows.length - 1] ?? ''}\n`);
    }
  }
  writeFileSync(join(__dirname, 'REPORT.md'), `${[...lines, conditions(), '', ...rows].join('\n')}\n`);
  rmSync(work, { recursive: true, force: true });
}

void main();
