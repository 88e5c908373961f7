/** Runs the files that `adopt` writes, as a synth does. */
import { createRequire } from 'node:module';
import { App, type Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { transformSync } from 'esbuild';
import type { ProjectFile } from '../../src/adopt/project';
import * as edge from '../../src/index';
import type { Manifest } from '../../src/model/manifest';
import { loadSubject } from '../../src/model/subject';

const fromHere = createRequire(__filename);

/** Runs the files that were written: the modules are evaluated with the package's own sources behind its name. */
export function synthesize(files: readonly ProjectFile[]): readonly Manifest[] {
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
        ? evaluate(`${name.slice(2)}.ts`)
        : name === 'cdk8s-mesh-edge'
          ? edge
          : (fromHere(name) as Record<string, unknown>);
    new Function('require', 'module', 'exports', code)(own, module, module.exports);
    modules.set(path, module.exports);
    return module.exports;
  };
  const { Edge } = evaluate('edge.ts') as { Edge: new (scope: Construct, id: string) => Chart };
  const app = new App();
  const chart = new Edge(app, 'edge');
  const problems = app.node.findAll().flatMap((node) => node.node.validate());
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return chart.toJson().length === 0 ? [] : loadSubject(chart, 'adopt').manifests;
}
