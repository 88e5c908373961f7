// npm run test:install -- [npm|pnpm|yarn|yarn1 ...]
//
// Packs the package and installs it as its users would: into the project that `cdk8s init typescript-app` makes (CommonJS, ts-jest), by each
// package manager, on several releases of Node and with several of cdk8s-plus or none. There it is compiled, tested and synthesized, and a warning
// that names this package, or a peer that is missing, is a failure.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const TEMPLATE = join(dirname(require.resolve('cdk8s-cli/package.json')), 'templates', 'typescript-app');
const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** How a project is installed, and by which package that brings the manager. */
const MANAGERS = {
  npm: { install: ['npm', 'install', '--no-fund', '--no-audit'] },
  pnpm: { from: 'pnpm@10', install: ['pnpm', 'install', '--no-frozen-lockfile'] },
  yarn1: { from: 'yarn@1', install: ['yarn', 'install', '--non-interactive'] },
  yarn: { from: '@yarnpkg/cli-dist@4', install: ['yarn', 'install', '--no-immutable'] },
};
/** The manager, the release of Node, and that of cdk8s-plus. */
const CASES = [
  ['npm', 20, 'cdk8s-plus-33'],
  ['npm', 24, undefined],
  ['pnpm', 22, 'cdk8s-plus-28'],
  ['yarn1', 22, 'cdk8s-plus-31'],
  ['yarn', 24, 'cdk8s-plus-33'],
];

const MAIN = `import { Chart } from 'cdk8s';
import { EdgeApp, EgressGateway, ExternalPort, ExternalService, Workloads } from 'cdk8s-mesh-edge';
import { Construct } from 'constructs';
PLUS
export class MyChart extends Chart {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    CALLER
    const stripe = new ExternalService(this, 'Stripe', { hosts: ['api.stripe.com'], ports: [ExternalPort.https()] });
    new EgressGateway(this, 'Egress').allow(Workloads.of(caller), stripe);
  }
}

if (require.main === module) {
  const app = new EdgeApp();
  new MyChart(app, 'edge');
  app.synth();
}
`;
const WITHOUT_PLUS = `const caller = new ApiObject(this, 'Caller', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'payments', namespace: 'shop' } });`;
const WITH_PLUS = `const caller = new ServiceAccount(this, 'Caller', { metadata: { name: 'payments', namespace: 'shop' } });`;
const TEST = `import { Testing } from 'cdk8s';
import 'cdk8s-mesh-edge/jest';
import { checkAtSynth } from 'cdk8s-mesh-edge/plugin';
import { MyChart } from './main';

test('payments reaches Stripe, and nothing is wrong', () => {
  const app = Testing.app();
  const chart = new MyChart(app, 'edge');
  expect(chart).toDeliver({ from: 'shop/payments', serviceAccount: 'payments', to: 'https://api.stripe.com/', via: 'istio-egress/egress' });
  expect(chart).toHaveNoFindings();
  expect(() => checkAtSynth(app)).not.toThrow();
});
`;

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in MANAGERS));
if (unknown.length > 0) {
  console.error(`no such package manager: ${unknown.join(', ')}; say some of ${Object.keys(MANAGERS).join(', ')}`);
  process.exit(2);
}
const home = mkdtempSync(join(tmpdir(), 'mesh-edge-install-'));
let failed = 0;
try {
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', home], { cwd: root, stdio: 'ignore' });
  const tarball = join(
    home,
    readdirSync(home).find((name) => name.endsWith('.tgz')),
  );
  for (const one of CASES.filter(([manager]) => asked.length === 0 || asked.includes(manager))) {
    const start = Date.now();
    const complaints = tryOut(tarball, ...one);
    const [manager, node, plus = 'no cdk8s-plus'] = one;
    console.log(
      `${complaints.length === 0 ? 'ok  ' : 'FAIL'} ${manager}, Node ${node}, ${plus} (${Math.round((Date.now() - start) / 1000)} s)`,
    );
    for (const complaint of complaints) console.log(`     ${complaint}`);
    if (complaints.length > 0) failed++;
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);

/** What goes wrong, in words; nothing if all is well. */
function tryOut(tarball, manager, node, plus) {
  const folder = mkdtempSync(join(home, `${manager}-${node}-`));
  const tools = join(folder, 'tools');
  const project = join(folder, 'project');
  const { from, install } = MANAGERS[manager];
  mkdirSync(tools);
  writeFileSync(join(tools, 'package.json'), '{}');
  const brought = [`node@${node}`, ...(from === undefined ? [] : [from])];
  execFileSync('npm', ['install', '--silent', '--no-fund', '--no-audit', ...brought], { cwd: tools, stdio: 'ignore' });
  makeProject(project, tarball, plus);

  const path = [join(tools, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH: path, CDK8S_CHECK_UPGRADE: 'false', YARN_NODE_LINKER: 'node-modules', CI: '' };
  const run = ([file, ...args]) => {
    const { status, stdout, stderr } = spawnSync(file, args, { cwd: project, env, encoding: 'utf8', timeout: 600_000 });
    return { ok: status === 0, text: `${stdout}\n${stderr}` };
  };
  const installed = run(install);
  if (!installed.ok) return [`${install.join(' ')}: ${lastOf(installed.text)}`];
  const warned = installed.text
    .split('\n')
    .filter((line) => /mesh-edge/.test(line) && /warn|peer|deprecat|missing|doesn't provide|unmet/i.test(line));
  const bin = (name) => join('node_modules', '.bin', name);
  const steps = [[bin('tsc'), '--noEmit'], [bin('jest')], [bin('cdk8s'), 'synth'], [bin('mesh-edge'), 'check', 'dist']];
  const wrong = steps.flatMap((step) => {
    const { ok, text } = run(step);
    return ok ? [] : [`${step.join(' ')}: ${lastOf(text)}`];
  });
  return [...warned.map((line) => line.trim()), ...wrong];
}

/** The project of `cdk8s init typescript-app`, with this package in it. */
function makeProject(project, tarball, plus) {
  cpSync(TEMPLATE, project, { recursive: true, filter: (path) => !/__snapshots__|hooks\.sscaff|\{\{/.test(path) });
  const template = readFileSync(join(TEMPLATE, 'package.json'), 'utf8').replace(
    /\{\{ (\w+) \}\}|\{\{ \$base \}\}/g,
    'x',
  );
  const manifest = JSON.parse(template);
  const { cdk8s, constructs } = devDependencies;
  manifest.dependencies = {
    cdk8s,
    constructs,
    ...(plus === undefined ? {} : { [plus]: '*' }),
    'cdk8s-mesh-edge': `file:${tarball}`,
  };
  manifest.devDependencies['cdk8s-cli'] = devDependencies['cdk8s-cli'];
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest, null, 2));
  writeFileSync(
    join(project, 'cdk8s.yaml'),
    'language: typescript\napp: npx ts-node main.ts\noutput: .cdk8s-staging\n',
  );
  const main = MAIN.replace('PLUS\n', plus === undefined ? '' : `import { ServiceAccount } from '${plus}';\n`)
    .replace('CALLER', plus === undefined ? WITHOUT_PLUS : WITH_PLUS)
    .replace('{ Chart }', plus === undefined ? '{ ApiObject, Chart }' : '{ Chart }');
  writeFileSync(join(project, 'main.ts'), main);
  writeFileSync(join(project, 'main.test.ts'), TEST);
}

function lastOf(text) {
  return text.trim().split('\n').slice(-40).join('\n       ');
}
