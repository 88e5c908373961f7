/** `mesh-edge worlds PATH...`: the build roots of a repository, each a mesh of its own. */
import { type Command, Option } from 'commander';
import { printable } from '../model/printable';
import { countObjects } from '../model/recognize';
import { textOfBeside } from '../model/worlds-beside';
import { addHelmOption, readWorlds } from './input';

export function register(program: Command): void {
  const command = program
    .command('worlds')
    .description('show the build roots of a repository, each of which is judged as a mesh of its own')
    .argument('<PATH...>', 'YAML or JSON files, folders (searched recursively), or - for standard input')
    .addOption(new Option('--format <format>', 'how they are written').choices(['text', 'json']).default('text'))
    .option(
      '--config <file>',
      'what says what a build root is (default: mesh-edge.yaml in this folder, if there is one)',
    );
  addHelmOption(command).action(run);
}

interface WorldsFlags {
  readonly format: 'text' | 'json';
  readonly helm?: boolean;
  readonly config?: string;
}

async function run(paths: string[], flags: WorldsFlags): Promise<void> {
  const worlds = await readWorlds(paths, flags);
  const rows = worlds.map(({ name, by, loaded, remote, charts = [], notBuilt }) => ({
    world: name,
    by,
    objects: countObjects(loaded.manifests.slice(0, loaded.own)),
    remote: [...new Set(remote)],
    charts: charts.map(({ folder, release, namespace, by: installer, reason }) => ({
      folder,
      release,
      namespace,
      by: installer ?? null,
      reason: reason ?? null,
    })),
    notBuilt: notBuilt ?? null,
  }));
  const beside = worlds.flatMap(({ loaded }) => loaded.beside ?? []);
  if (flags.format === 'json') {
    process.stdout.write(
      `${JSON.stringify({ worlds: rows, beside: beside.map(({ folder, files }) => ({ folder, files: files.map(({ file }) => file) })) }, null, 2)}\n`,
    );
    return;
  }
  for (const { world, by, objects, remote, charts, notBuilt } of rows) {
    const unread = [
      ...remote,
      ...charts.map(
        ({ folder, by: installer }) =>
          `chart ${folder}${installer === null || installer === '' ? '' : ` of ${installer}`}`,
      ),
    ];
    const rest = unread.length > 0 ? `, without ${unread.join(', ')}` : '';
    const line =
      notBuilt !== null
        ? `not built: ${notBuilt}`
        : by === 'helm' && objects === 0
          ? 'helm, not rendered (mesh-edge worlds --helm renders it)'
          : `${by}, ${objects} objects${rest}`;
    process.stdout.write(`${printable(`${world}  ${line}`)}\n`);
  }
  for (const one of beside) process.stdout.write(`${printable(textOfBeside(one))}\n`);
}
