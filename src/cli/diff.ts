/** `mesh-edge diff OLD NEW`: what a change of manifests changes in traffic. */
import { type Command, Option } from 'commander';
import type { Overlay } from '../diff/overlay';
import type { Manifest } from '../model/manifest';
import type { MeshOptions } from '../model/mesh-options';
import { isColored } from './color';
import { FOUND, OK, UsageError } from './exit';
import { type InputFlags, addInputOptions, readSides } from './input';
import { addMeshOptions, type MeshFlags, meshOptionsOf } from './mesh-options';
import { progressBar } from './progress';

const FORMATS = ['text', 'json', 'markdown'] as const;

interface DiffFlags extends MeshFlags, InputFlags {
  readonly format: (typeof FORMATS)[number];
  readonly exitCode?: boolean;
  readonly over?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command('diff')
    .description('compare the reachability in two sets of manifests')
    .argument('<OLD>', 'a file, a folder, or a git revision: REV:PATH, or REV for the path of the other side')
    .argument('<NEW>', 'the same')
    .addOption(new Option('--format <format>', 'how changes are written').choices(FORMATS).default('text'))
    .option('--exit-code', 'exit with 1 if traffic changes')
    .option('--over', 'lay NEW over OLD first, as if it were applied: OLD a live dump, NEW what Git holds');
  addMeshOptions(addInputOptions(command)).action(run);
}

async function run(old: string, now: string, flags: DiffFlags): Promise<void> {
  if (old === '-' && now === '-') throw new UsageError('standard input cannot be both OLD and NEW');
  const { diff } = await import('../diff/diff.js');
  const { formatDiff } = await import('../report/diff.js');
  const bar = progressBar('comparing traffic');
  const [was, is] = await readSides(old, now, flags);
  const mesh = await meshOptionsOf(flags);
  const {
    before,
    after,
    doubts: later,
    notes: kept,
  } = await sides(was.manifests, is.manifests, flags.over === true, mesh);
  const found = diff(before, after, { mesh, onProgress: bar.update });
  bar.end();
  const { changedCharts } = await import('../diff/charts.js');
  const { notesOfBeside } = await import('../diff/beside.js');
  const { unreadOf } = await import('../diff/unread.js');
  const { doubts: own, notes } = unreadOf(was, is);
  const doubts = [...later, ...own, ...changedCharts(was.unrendered, is.unrendered)];
  const absent = [was, is].flatMap(({ without }, at) =>
    without.map((name) => `there is no world ${name} in ${at === 0 ? old : now}`),
  );
  const { leftOutLine } = await import('../report/text.js');
  const passedOver = [was, is].flatMap(({ leftOut = [] }) => leftOutLine(leftOut));
  const whole = {
    ...found,
    complete: found.complete && doubts.length === 0,
    undecided: [...found.undecided, ...doubts],
    notes: [
      ...found.notes,
      ...new Set([...kept, ...notes, ...absent, ...passedOver, ...notesOfBeside(was.aside, is.aside)]),
    ],
  };
  const color = isColored();
  process.stdout.write(
    formatDiff(whole, flags.format, { color, width: Math.min(process.stdout.columns ?? 100, 120), old, new: now }),
  );
  // What is not decided may be a change: whoever asks for a status is told.
  process.exitCode = flags.exitCode === true && whole.changes.length + whole.undecided.length > 0 ? FOUND : OK;
}

async function sides(
  old: readonly Manifest[],
  now: readonly Manifest[],
  isOver: boolean,
  mesh: MeshOptions,
): Promise<Overlay> {
  if (!isOver) return { before: old, after: now, doubts: [], notes: [] };
  const { layOver } = await import('../diff/overlay.js');
  return layOver(old, now, mesh);
}
