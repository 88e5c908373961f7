/** `mesh-edge init`: a mesh-edge.yaml to begin with, which says what can be said in it; with --app an app of constructs, and a workflow that reads pull requests. */
import { existsSync, lstatSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { replaceFiles } from '../output/files';
import { OK, UsageError } from './exit';

const FILE = 'mesh-edge.yaml';

export function register(program: Command): void {
  program
    .command('init')
    .description('write a mesh-edge.yaml with all settings, each explained and commented out')
    .option(
      '--app',
      'and an app to begin with: package.json, tsconfig.json, cdk8s.yaml, main.ts, .gitignore and a workflow of GitHub; what is there is kept',
    )
    .action(run);
}

async function run({ app = false }: { readonly app?: boolean }): Promise<void> {
  if (app) await writeApp();
  else writeConfiguration();
  process.exitCode = OK;
}

function writeConfiguration(): void {
  try {
    // Made anew or not at all, whoever else is at it.
    writeFileSync(FILE, TEMPLATE, { flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new UsageError(`${FILE} is there already, and nothing was written`);
    rmSync(FILE, { force: true });
    throw new UsageError(`${FILE} cannot be written: ${message}`);
  }
  process.stdout.write(`wrote ${FILE}\n`);
}

/** All that is not there yet, or nothing. */
async function writeApp(): Promise<void> {
  const { packageFiles } = await import('../adopt/package-files.js');
  const texts = new Map([
    ...packageFiles().map(({ path, text }) => [path, text] as const),
    ['main.ts', MAIN],
    ['.gitignore', 'node_modules/\n.cdk8s-staging/\n'],
    ...(isOfRepository(process.cwd()) ? [['.github/workflows/edge.yaml', WORKFLOW] as const] : []),
    [FILE, TEMPLATE],
  ]);
  const kept: string[] = [];
  try {
    for (const path of texts.keys()) if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) kept.push(path);
    for (const path of kept) texts.delete(path);
    if (texts.size > 0) replaceFiles('.', texts);
  } catch (error) {
    throw new UsageError(`nothing was written: ${error instanceof Error ? error.message : String(error)}`);
  }
  for (const path of texts.keys()) process.stdout.write(`wrote ${path}\n`);
  for (const path of kept) process.stdout.write(`kept ${path}, which was there\n`);
  process.stdout.write('Next: npm install && npm run synth && npm run check\n');
}

/** Whether it is the root of a repository, or in none yet: GitHub reads workflows there alone. */
function isOfRepository(folder: string): boolean {
  const above = (from: string): boolean => resolve(from, '..') !== from && (existsSync(join(from, '..', '.git')) || above(resolve(from, '..'))); // prettier-ignore
  return existsSync(join(folder, '.git')) || !above(folder);
}

export const MAIN = `import { Chart } from 'cdk8s';
import { EdgeApp, EgressGateway, ExternalPort, ExternalService, MeshMembership, MeshNamespace, Workloads } from 'cdk8s-mesh-edge';

const app = new EdgeApp();
const chart = new Chart(app, 'egress');

new MeshNamespace(chart, 'Namespace', { name: 'istio-egress', membership: MeshMembership.none() });
const gateway = new EgressGateway(chart, 'Egress');

const stripe = new ExternalService(chart, 'Stripe', {
  hosts: ['api.stripe.com'],
  ports: [ExternalPort.httpThenTls()],
  namespace: 'istio-egress',
});
gateway.allow(Workloads.in('shop', { app: 'payments' }), stripe, { methods: ['GET', 'POST'] });

app.synth();
`;

const WORKFLOW = `# Refuses manifests that are wrong or stale, and shows what a pull request changes in traffic in the job's summary.
on: pull_request
permissions:
  contents: read
jobs:
  edge:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: { fetch-depth: 0 }
      - uses: actions/setup-node@v4
        with: { node-version: 22 }
      - run: npm ci
      - run: npm run synth && git add --intent-to-add dist && git diff --exit-code dist
      - run: npx mesh-edge check dist --format github
      - env:
          BASE: \${{ github.event.pull_request.base.sha }}
        run: |
          base="$(git merge-base "$BASE" HEAD)"
          if git cat-file -e "$base:dist"; then npx mesh-edge diff "$base:dist" dist --format markdown >> "$GITHUB_STEP_SUMMARY"; fi
`;

export const TEMPLATE = `# yaml-language-server: $schema=node_modules/cdk8s-mesh-edge/mesh-edge.schema.json
# What mesh-edge is told of this repository. All settings are optional.

# Releases that no manifest names, in quotes; and what the mesh does with hosts that nothing declares.
# istioVersion: "1.30"
# gatewayApiVersion: "1.4"
# envoyGatewayVersion: "1.7"
# outbound: REGISTRY_ONLY

# Build roots, where mesh-edge worlds guesses wrong: each folder is a mesh of its own; a name makes one of several.
# roots:
#   - clusters/*
#   - { name: prod, paths: [clusters/prod, apps/prod] }

# What is no part of any mesh.
# ignore: [docs/**, test/**]

# What other repositories own: it is there, and is not judged.
# externals:
#   - Gateway istio-ingress/public
#   - Namespace istio-ingress
#   - path: ../platform/gateways/*.yaml

# Severity of a rule: error, warning, info or off.
# severity:
#   EDGE005: info

# Findings that somebody has looked at. A reason is part of it.
# suppress:
#   - { rule: EDGE201, reason: the firewall holds it, object: ServiceEntry shop/*, file: envs/** }

# How charts are rendered with --helm, where no HelmRelease or Application says it.
# charts:
#   - { chart: charts/web, release: web, namespace: shop, values: [charts/web/values-prod.yaml] }

# Findings that were there when check was switched on (mesh-edge check . --baseline FILE --write-baseline).
# baseline: mesh-edge.baseline.json
`;
