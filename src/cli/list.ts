/** `mesh-edge list PATH...`: the register of what may cross the edge. */
import { type Command, Option } from 'commander';
import type { CallerFilter } from '../list/callers';
import type { Mesh } from '../model/mesh';
import type { ListFormat } from '../report/list';
import type { ObjectRef } from '../trace/types';
import { FOUND, OK, UsageError } from './exit';
import { type InputFlags, addInputOptions, readManifests, sayUnread } from './input';
import { addMeshOptions, type MeshFlags, meshOptionsOf } from './mesh-options';
import { progressBar } from './progress';

const FORMATS: readonly ListFormat[] = ['text', 'json', 'csv', 'html'];

interface ListFlags extends MeshFlags, InputFlags {
  readonly from?: string;
  readonly to?: string;
  readonly by?: string;
  readonly format: ListFormat;
}

export function register(program: Command): void {
  const command = program
    .command('list')
    .description('list everything that may cross the edge: who, to what, by which proxies, and what decides it')
    .argument('<PATH...>', 'files and folders of manifests, or - for standard input')
    .option('--from <client>', 'only what these send: NAMESPACE, NAMESPACE/WORKLOAD or outside')
    .option('--to <host>', 'only what is sent to this host, inside the mesh too')
    .option('--by <object>', 'only what this object has a say in: KIND/NAMESPACE/NAME')
    .addOption(new Option('--format <format>', 'how the register is written').choices(FORMATS).default('text'));
  addMeshOptions(addInputOptions(command)).action(run);
}

async function run(paths: readonly string[], flags: ListFlags): Promise<void> {
  const { acceptedMesh } = await import('../check/accepted.js');
  const { nearestName } = await import('../model/near-names.js');
  const { register: registerOf } = await import('../list/register.js');
  const { readNames } = await import('../list/names.js');
  const { formatRegister } = await import('../report/list.js');
  const loaded = await readManifests(paths, flags);
  const mesh: Mesh = acceptedMesh(loaded.manifests, await meshOptionsOf(flags));
  const { from, to, by, problems } = readNames(mesh, flags);
  if (problems.length > 0)
    throw new UsageError(
      problems
        .map(({ what, word, known }) => {
          const near = nearestName(word, known);
          return near === undefined ? `${what}${someOf(known)}` : `${what}; did you mean "${near}"?`;
        })
        .join('\nmesh-edge: '),
    );
  const bar = progressBar('listing');
  const found = registerOf(mesh, optionsOf(from, to, by, bar.update));
  bar.end();
  await sayUnread(loaded, 'what is listed holds without it');
  process.stdout.write(formatRegister(found, flags.format));
  process.exitCode = loaded.problems.length === 0 ? OK : FOUND;
}

function optionsOf(
  from: CallerFilter | undefined,
  to: string | undefined,
  by: ObjectRef | undefined,
  onProgress: (done: number, total: number) => void,
): Parameters<typeof import('../list/register.js').register>[1] {
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(by === undefined ? {} : { by }),
    onProgress,
  };
}

const MOST_NAMES = 8;

function someOf(known: readonly string[]): string {
  if (known.length === 0) return '';
  const rest = known.length - MOST_NAMES;
  return `; there are ${known.slice(0, MOST_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
