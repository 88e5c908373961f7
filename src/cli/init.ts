/** `mesh-edge init`: a mesh-edge.yaml to begin with, which says what can be said in it. */
import { rmSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { OK, UsageError } from './exit';

const FILE = 'mesh-edge.yaml';

export function register(program: Command): void {
  program
    .command('init')
    .description('write a mesh-edge.yaml with all settings, each explained and commented out')
    .action(run);
}

function run(): void {
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
  process.exitCode = OK;
}

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
