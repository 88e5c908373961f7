/** `mesh-edge worlds PATH...`: the build roots of a repository, each a mesh of its own. */
import { type Command, Option } from 'commander';

export function register(program: Command): void {
  program
    .command('worlds')
    .description('show the build roots of a repository, each of which is judged as a mesh of its own')
    .argument('<PATH...>', 'YAML or JSON files, folders (searched recursively), or - for standard input')
    .addOption(new Option('--format <format>', 'how they are written').choices(['text', 'json']).default('text'))
    .action(run);
}

async function run(paths: string[], { format }: { readonly format: 'text' | 'json' }): Promise<void> {
  const { findWorlds } = await import('../model/worlds.js');
  const rows = findWorlds(paths).map(({ name, by, loaded, remote, notBuilt }) => ({
    world: name,
    by,
    objects: loaded.manifests.length,
    remote: [...new Set(remote)],
    notBuilt: notBuilt ?? null,
  }));
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify({ worlds: rows }, null, 2)}\n`);
    return;
  }
  for (const { world, by, objects, remote, notBuilt } of rows) {
    const rest = remote.length > 0 ? `, without ${remote.join(', ')}` : '';
    process.stdout.write(
      `${world}  ${notBuilt === null ? `${by}, ${objects} objects${rest}` : `not built: ${notBuilt}`}\n`,
    );
  }
}
