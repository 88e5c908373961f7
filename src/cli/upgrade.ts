/** `mesh-edge upgrade PATH...`: what another release of Istio, Gateway API or Envoy Gateway does to the same manifests. */
import { type Command, Option } from 'commander';
import { isColored } from './color';
import { FOUND, OK, UsageError } from './exit';
import { type InputFlags, addInputOptions, readManifests, sayUnread } from './input';
import { addInstallOptions, addReleaseRanges, type MeshFlags, releaseSides } from './mesh-options';
import { progressBar } from './progress';

const FORMATS = ['text', 'json', 'markdown'] as const;

interface UpgradeFlags extends MeshFlags, InputFlags {
  readonly format: (typeof FORMATS)[number];
}

export function register(program: Command): void {
  const command = program
    .command('upgrade')
    .description(
      'say what another release does to manifests: to traffic, to fields and kinds, to defaults, and in which order to go',
    )
    .argument('<PATH...>', 'YAML or JSON files, folders (searched recursively), or - for standard input')
    .addOption(new Option('--format <format>', 'how the report is written').choices(FORMATS).default('text'));
  addReleaseRanges(addInstallOptions(addInputOptions(command))).action(run);
}

async function run(paths: string[], flags: UpgradeFlags): Promise<void> {
  const [was, is] = await releaseSides(flags);
  const { istioVersion, gatewayApiVersion, envoyGatewayVersion, kubernetesVersion } = is;
  if ([istioVersion, gatewayApiVersion, envoyGatewayVersion, kubernetesVersion].every((one) => one === undefined))
    throw new UsageError('say which release changes, for example --istio-version 1.29..1.32');
  const { upgrade } = await import('../upgrade/upgrade.js');
  const { formatUpgrade } = await import('../report/upgrade.js');
  const loaded = await readManifests(paths, flags);
  const bar = progressBar('comparing traffic');
  const found = upgrade(loaded, { was, is, onProgress: bar.update });
  bar.end();
  const color = isColored();
  const width = Math.min(process.stdout.columns ?? 100, 120);
  process.stdout.write(formatUpgrade(found, flags.format, { color, width }));
  await sayUnread(loaded, 'what is said holds without it');
  process.exitCode = found.traffic.changes.length > 0 ? FOUND : OK;
}
