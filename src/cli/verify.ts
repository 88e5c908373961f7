/** `mesh-edge verify PATH... --config-dump FILE...`: what running proxies have, beside what the manifests say. */
import { type Command, Option } from 'commander';
import { InputError, textAt } from '../model/files';
import { FOUND, OK, UsageError } from './exit';
import { type InputFlags, addInputOptions, readManifests, sayUnread } from './input';
import { addMeshOptions, type MeshFlags, meshOptionsOf } from './mesh-options';

const FORMATS = ['text', 'json'] as const;

interface VerifyFlags extends MeshFlags, InputFlags {
  readonly format: (typeof FORMATS)[number];
  readonly configDump: readonly string[];
}

export function register(program: Command): void {
  const command = program
    .command('verify')
    .description("compare running proxies' own configuration with what the manifests say")
    .argument('<PATH...>', 'YAML or JSON files, folders (searched recursively), or - for standard input')
    .requiredOption(
      '--config-dump <FILE...>',
      'what /config_dump of a proxy, or istioctl proxy-config all -o json, printed; - for standard input',
    )
    .addOption(new Option('--format <format>', 'how the comparison is written').choices(FORMATS).default('text'));
  addMeshOptions(addInputOptions(command)).action(run);
}

async function run(paths: readonly string[], flags: VerifyFlags): Promise<void> {
  const { buildMesh } = await import('../model/mesh.js');
  const { NoConfigDump, readConfigDump } = await import('../verify/config-dump.js');
  const { verify } = await import('../verify/verify.js');
  const { formatVerification } = await import('../report/verify.js');
  if (paths.includes('-') && flags.configDump.includes('-'))
    throw new UsageError('standard input is either the manifests or a config dump: name a file for one of them');
  const loaded = await readManifests(paths, flags);
  const mesh = buildMesh(loaded.manifests, await meshOptionsOf(flags));
  const wrong: string[] = [];
  const proxies = flags.configDump.flatMap((file) => {
    try {
      return [readConfigDump(textAt(file), file === '-' ? 'standard input' : file)];
    } catch (error) {
      if (!(error instanceof NoConfigDump || error instanceof InputError)) throw error;
      wrong.push(error.message);
      return [];
    }
  });
  if (wrong.length > 0) throw new InputError(wrong.join('\n'));
  const found = proxies.map((proxy) => verify(mesh, proxy));
  await sayUnread(loaded, 'what is compared holds without it');
  process.stdout.write(
    flags.format === 'json' ? `${JSON.stringify({ proxies: found }, null, 2)}\n` : formatVerification(found),
  );
  process.exitCode = found.every(({ verdict }) => verdict === 'agreed') && loaded.problems.length === 0 ? OK : FOUND;
}
