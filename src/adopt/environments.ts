/** Environments of one repository, each the code of its own manifests, in one app for each. */
import { literal, Names, variableName } from './code';
import { ENVIRONMENT_FILE, MAIN_FILE, type ProjectFile } from './project';
import { packageFiles } from './package-files';

export interface Environment {
  /** The folder of its code, and of its manifests within `dist`. */
  readonly name: string;
  readonly files: readonly ProjectFile[];
}

/** What tells paths apart: `overlays/dev/mesh` and `overlays/prod/mesh` are `dev` and `prod`; undefined if that is no name for each. */
export function environmentNames(paths: readonly string[]): readonly string[] | undefined {
  const all = paths.map((path) =>
    path
      .replace(/\.[a-z]+$/i, '')
      .split('/')
      .filter((step) => step !== '' && step !== '.'),
  );
  const [first = []] = all;
  const shared = (at: (steps: readonly string[], index: number) => string | undefined): number => {
    const differs = first.findIndex((_step, index) => all.some((steps) => at(steps, index) !== at(first, index)));
    return differs < 0 ? first.length : differs;
  };
  const front = shared((steps, index) => steps[index]);
  const back = shared((steps, index) => steps.at(-1 - index));
  const names = all.map((steps) =>
    steps
      .slice(front, Math.max(front + 1, steps.length - back))
      .join('-')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, ''),
  );
  return names.includes('') || new Set(names).size < names.length ? undefined : names;
}

/** The files of all, and one program that synthesizes each to a folder of its own. */
export function environmentFiles(environments: readonly Environment[]): readonly ProjectFile[] {
  const own = environments.flatMap(({ name, files }) =>
    files.map((file) => ({ ...file, path: `${name}/${file.path}` })),
  );
  const folders = environments.map(({ name }) => `dist/${name}`);
  return [{ path: MAIN_FILE, text: program(environments) }, ...own, ...packageFiles(folders)];
}

function program(environments: readonly Environment[]): string {
  const names = new Names();
  const own = environments.map(({ name }) => ({ name, call: names.free(variableName(`synth-${name}`)) }));
  const file = ENVIRONMENT_FILE.replace(/\.ts$/, '');
  return [
    ...own.map(({ name, call }) => `import { synth as ${call} } from ${literal(`./${name}/${file}`)};`),
    '',
    ...own.map(({ name, call }) => `${call}(${literal(`dist/${name}`)});`),
    '',
  ].join('\n');
}
