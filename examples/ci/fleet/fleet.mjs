/**
 * Divides the build roots of a repository among jobs, and joins what the jobs found. Nothing is needed but Node.js.
 *
 *     mesh-edge worlds . --format json | node fleet.mjs divide 20     a JSON list of jobs, each a list of worlds
 *     mesh-edge worlds . --format json | node fleet.mjs gitlab 20     the same as a child pipeline of GitLab
 *     node fleet.mjs join FOLDER                                      FOLDER/fleet.sarif and FOLDER/fleet.md
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [command, argument = '20'] = process.argv.slice(2);
const commands = { divide, gitlab, join: together };
if (commands[command] === undefined) {
  process.stderr.write('fleet.mjs: divide [SIZE], gitlab [SIZE] or join FOLDER\n');
  process.exitCode = 2;
} else commands[command]();

function jobs() {
  const { worlds } = JSON.parse(readFileSync(0, 'utf8'));
  const names = worlds.map(({ world }) => world);
  const size = Number(argument);
  return Array.from({ length: Math.ceil(names.length / size) }, (_, at) => names.slice(at * size, (at + 1) * size));
}

function divide() {
  process.stdout.write(`${JSON.stringify(jobs())}\n`);
}

/** YAML that is JSON: a job each, which extends `.check` of the pipeline's own file. */
function gitlab() {
  const own = jobs().map((worlds, at) => [
    `check ${at + 1}`,
    { extends: '.check', variables: { REPORT: `check-${at + 1}`, WORLDS: worlds.join('\n') } },
  ]);
  process.stdout.write(
    `${JSON.stringify({ include: [{ local: '.gitlab/fleet-jobs.yml' }], ...Object.fromEntries(own) }, null, 2)}\n`,
  );
}

/** A finding that several jobs have is there once. */
function together() {
  const folder = argument;
  const files = (ending) => readdirSync(folder).filter((file) => file.endsWith(ending) && !file.startsWith('fleet.')).sort(); // prettier-ignore
  const logs = files('.sarif').map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')));
  if (logs.length === 0) throw new Error(`there is no report in ${folder}`);
  const [{ runs: _runs, ...head }] = logs;
  const runs = logs.flatMap((log) => log.runs);
  const rules = new Map(runs.flatMap(({ tool }) => tool.driver.rules ?? []).map((rule) => [rule.id, rule]));
  const ids = [...rules.keys()];
  const results = new Map(
    runs
      .flatMap((run) => run.results)
      .map((result) => ({ ...result, ruleIndex: ids.indexOf(result.ruleId) }))
      .map((result) => [JSON.stringify(result), result]),
  );
  const [{ tool }] = runs;
  const run = {
    tool: { ...tool, driver: { ...tool.driver, rules: [...rules.values()] } },
    results: [...results.values()],
  };
  writeFileSync(join(folder, 'fleet.sarif'), JSON.stringify({ ...head, runs: [run] }));
  const texts = files('.md').map((file) => readFileSync(join(folder, file), 'utf8'));
  writeFileSync(join(folder, 'fleet.md'), [...new Set(texts)].join('\n'));
  process.stdout.write(`${logs.length} reports, ${results.size} findings\n`);
}
