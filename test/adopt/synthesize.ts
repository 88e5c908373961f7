/** Runs the files that `adopt` writes, as a synth does. */
import { createRequire } from 'node:module';
import { posix } from 'node:path';
import { transformSync } from 'esbuild';
import type { ProjectFile } from '../../src/adopt/project';
import * as edge from '../../src/index';
import type { Manifest } from '../../src/model/manifest';
import { loadSubject } from '../../src/model/subject';

const fromHere = createRequire(__filename);

/** The objects of all charts. */
export function synthesize(files: readonly ProjectFile[]): readonly Manifest[] {
  return [...charts(files).values()].flat();
}

/** The objects of each chart, by the folder that the app writes to and the id of the chart: the program is run with the package's own sources behind its name. */
export function charts(files: readonly ProjectFile[]): ReadonlyMap<string, readonly Manifest[]> {
  const found = new Map<string, readonly Manifest[]>();
  class App extends edge.EdgeApp {
    public constructor(private readonly own: edge.EdgeAppProps = {}) {
      super(own);
    }

    public override synth(): void {
      const problems = this.node.findAll().flatMap((node) => node.node.validate());
      if (problems.length > 0) throw new Error(problems.join('\n'));
      for (const chart of this.charts)
        found.set(
          `${this.own.manifests ?? 'dist'}/${chart.node.id}`,
          chart.node.children.length === 0 ? [] : loadSubject(chart, 'adopt').manifests,
        );
    }
  }
  const modules = new Map<string, Record<string, unknown>>();
  const evaluate = (path: string): Record<string, unknown> => {
    const known = modules.get(path);
    if (known !== undefined) return known;
    const file = files.find((one) => one.path === path);
    if (file === undefined) throw new Error(`no file ${path} was written`);
    const { code } = transformSync(file.text, { loader: 'ts', format: 'cjs', target: 'node20' });
    const module = { exports: {} as Record<string, unknown> };
    const own = (name: string): unknown =>
      name.startsWith('./')
        ? evaluate(`${posix.join(posix.dirname(path), name)}.ts`)
        : name === 'cdk8s-mesh-edge'
          ? { ...edge, EdgeApp: App }
          : (fromHere(name) as Record<string, unknown>);
    new Function('require', 'module', 'exports', code)(own, module, module.exports);
    modules.set(path, module.exports);
    return module.exports;
  };
  evaluate('main.ts');
  return found;
}
