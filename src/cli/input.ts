/**
 * What every command reads: the worlds of its paths, with all that mesh-edge.yaml says of the repository. One place, so that no command
 * sees another repository than the next.
 */
import type { Command } from 'commander';
import type { Configuration } from '../check/configuration';
import type { Side } from '../diff/revision';
import type { Manifest } from '../model/manifest';
import { printable } from '../model/printable';
import type { Joined, World, WorldOptions } from '../model/worlds';
import { configuration } from './configuration';
import { UsageError } from './exit';

export interface InputFlags {
  readonly config?: string;
  readonly helm?: boolean;
  readonly world?: readonly string[];
}

export function addInputOptions(command: Command): Command {
  return addHelmOption(command).option(
    '--world <folder>',
    'read this build root of those that mesh-edge worlds shows; may be given several times',
    (one: string, all: readonly string[] = []) => [...all, one],
  );
}

export function addHelmOption(command: Command): Command {
  return command.option('--helm', 'render the charts of the repository with your own helm template');
}

/** Each world by itself, with what others own beside it. */
export async function readWorlds(paths: readonly string[], flags: InputFlags): Promise<readonly World[]> {
  const { beside } = await import('../check/externals.js');
  const { worlds, others } = await read(paths, flags);
  return worlds.map((world) => ({ ...world, loaded: beside(world.loaded, others) }));
}

/** All worlds as one mesh, with what others own beside it. */
export async function readManifests(paths: readonly string[], flags: InputFlags): Promise<Joined> {
  const { beside } = await import('../check/externals.js');
  const { joined } = await import('../model/worlds.js');
  const { ignoring } = await import('../model/worlds-layout.js');
  const { DISK } = await import('../model/file-tree.js');
  const { worlds, others, layout } = await read(paths, flags);
  return beside(joined(worlds, paths, undefined, ignoring(DISK, layout.ignore)), others);
}

/** Both sides of a diff. What others own is the same for both: it is read as it is today. */
export async function readSides(old: string, now: string, flags: InputFlags): Promise<readonly [Side, Side]> {
  const { loadSide, refuseNothing } = await import('../diff/revision.js');
  const { beside, loadExternals } = await import('../check/externals.js');
  const settings = await configuration(flags.config);
  const options = {
    ...(await layoutOf(settings, flags)),
    ...(flags.world === undefined ? {} : { worlds: flags.world }),
  };
  const { noKnownDocuments } = await import('../model/documents.js');
  const known = noKnownDocuments();
  const sides = [loadSide(old, known, now, options), loadSide(now, known, old, options)] as const;
  const [was, is] = sides;
  refuseNothing(was, is);
  // A cluster that comes or goes is in one of the two alone.
  for (const name of was.without.filter((one) => is.without.includes(one)))
    throw noSuchWorld(name, [...new Set([...was.worlds, ...is.worlds])]);
  const others = loadExternals(settings.externals);
  return [beside(was, others), beside(is, others)];
}

async function read(
  paths: readonly string[],
  flags: InputFlags,
): Promise<{ readonly worlds: readonly World[]; readonly others: readonly Manifest[]; readonly layout: WorldOptions }> {
  const { findWorlds, worldsNamed } = await import('../model/worlds.js');
  const { loadExternals } = await import('../check/externals.js');
  const settings = await configuration(flags.config);
  const layout = await layoutOf(settings, flags);
  const all = findWorlds(paths, undefined, undefined, layout);
  const names = all.map(({ name }) => name);
  const worlds = flags.world?.flatMap((name) => {
    const found = worldsNamed(name, all);
    if (found.length === 0) throw noSuchWorld(name, names);
    return found;
  });
  return {
    worlds: worlds === undefined ? all : [...new Set(worlds)],
    others: loadExternals(settings.externals),
    layout,
  };
}

/** How the repository is laid out, with charts rendered if that was asked for. */
async function layoutOf({ layout = {} }: Configuration, { helm }: InputFlags): Promise<WorldOptions> {
  if (helm !== true) return layout;
  const { renderChart } = await import('./helm.js');
  return { ...layout, renderChart };
}

function noSuchWorld(name: string, worlds: readonly string[]): UsageError {
  return new UsageError(`there is no world ${name}; there are ${worlds.join(', ')}`);
}

const MOST_NAMED = 5;

/** Says on standard error what was not read. `rest`: what the command did all the same. */
export async function sayUnread(
  { problems, charts, unbuilt, leftOut = [], beside = [] }: Joined,
  rest: string,
): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`mesh-edge: ${printable(line)}\n`);
  for (const { source, what } of problems) say(`${source.file ?? 'input'}:${source.line ?? 1}: ${what}; ${rest}`);
  for (const { folder, reason } of unbuilt) say(`${folder} is not built: ${reason}; its files are read as they are`);
  // What a tool would fill in and apply.
  const templates = leftOut.filter(({ digest }) => digest !== undefined);
  if (templates.length > 0) {
    const { leftOutLine } = await import('../report/text.js');
    for (const line of leftOutLine(templates)) say(`${line}; ${rest}`);
  }
  if (beside.length > 0) {
    const { textOfBeside } = await import('../model/worlds-beside.js');
    for (const one of beside) say(`${textOfBeside(one)}; ${rest}`);
  }
  if (charts.length === 0) return;
  const names = [
    ...new Set(charts.map(({ folder, reason = '' }) => (reason === '' ? folder : `${folder} (${reason})`))),
  ];
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  const hint = charts.some(({ reason }) => reason === undefined) ? '; --helm renders them' : '';
  const are = names.length === 1 ? '1 chart is' : `${names.length} charts are`;
  say(`${are} not rendered: ${names.slice(0, MOST_NAMED).join(', ')}${more}${hint}`);
}
