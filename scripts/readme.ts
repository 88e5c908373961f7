/**
 * `npm run docs:readme`: fills in the parts of README.md that are made: the manifests of its example, the picture of a request, what diff says
 * of a change, and what a refusal looks like. `--check` only says whether they are as they would be made.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Chart } from 'cdk8s';
import ts from 'typescript';
import * as library from '../src';
import { diff } from '../src/diff/diff';
import { loadText } from '../src/model/load';
import { buildMesh } from '../src/model/mesh';
import { formatDiff } from '../src/report/diff';
import { traceMermaid } from '../src/report/trace-mermaid';
import { trace } from '../src/trace';

const ROOT = resolve(__dirname, '..');
const README = join(ROOT, 'README.md');

/** The code of the example, run with this checkout's library. */
function runExample(code: string): string {
  const home = mkdtempSync(join(tmpdir(), 'mesh-edge-readme-'));
  const was = process.env.CDK8S_OUTDIR;
  try {
    process.env.CDK8S_OUTDIR = home;
    const js = ts.transpileModule(code, {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    }).outputText;
    const modules: Record<string, unknown> = { cdk8s: { Chart }, 'cdk8s-mesh-edge': library };
    new Function('require', 'exports', js)((name: string) => modules[name], {});
    return readFileSync(join(home, 'edge', 'edge.yaml'), 'utf8');
  } finally {
    if (was === undefined) delete process.env.CDK8S_OUTDIR;
    else process.env.CDK8S_OUTDIR = was;
    rmSync(home, { recursive: true, force: true });
  }
}

function refusal(): string {
  const app = new library.EdgeApp({ manifests: join(tmpdir(), 'never-written') });
  const chart = new Chart(app, 'edge');
  const gateway = library.EgressGateway.fromInstalled(chart, 'Egress');
  const wiki = new library.ExternalService(chart, 'Wiki', {
    hosts: ['*.wikipedia.org'],
    ports: [library.ExternalPort.https()],
  });
  gateway.forward(wiki, { http: library.HttpEgress.originateTls() });
  try {
    app.synth();
  } catch (error) {
    // The app above is the user's main.ts, which begins where the function does.
    const begin = readFileSync(__filename, 'utf8')
      .split('\n')
      .findIndex((line) => line.startsWith('function refusal'));
    const inMain = (_: string, line: string) => `at: main.ts:${Number(line) - begin}`;
    return `${(error as Error).message.replace(/at: scripts\/readme\.ts:(\d+)/g, inMain)}\n`;
  }
  throw new Error('the refused example was not refused');
}

/** What `mesh-edge trace` draws of a request by the example's manifests. */
function picture(manifests: string): string {
  const request = { request: 'http://edition.cnn.com/', from: 'news/app' };
  return traceMermaid(trace(buildMesh(loadText(manifests, 'edge.yaml').manifests), request), request);
}

/** What `mesh-edge diff` says of the example when one more namespace is in the audience. */
function change(code: string): string {
  const wider = code.replace("namespaces('news')", "namespaces('news', 'shop')");
  if (wider === code) throw new Error('the example names no audience to widen');
  const [was, is] = [code, wider].map((text) => loadText(runExample(text), 'edge.yaml').manifests);
  return formatDiff(diff(was!, is!), 'text', { color: false, width: 100, old: 'main:dist', new: 'dist' });
}

/** README.md as it should be. */
export function readme(text: string): string {
  const block = (marker: string) => new RegExp(`(<!-- test: ${marker} -->\\n\`\`\`[a-z]*\\n)([^]*?)(\`\`\`\\n)`);
  const code = block('example').exec(text)?.[2];
  if (code === undefined) throw new Error('README.md has no example');
  return text
    .replace(block('manifests'), (_, head, __, tail) => `${head}${runExample(code)}${tail}`)
    .replace(block('refusal'), (_, head, __, tail) => `${head}${refusal()}${tail}`)
    .replace(block('picture'), (_, head, __, tail) => `${head}${picture(runExample(code))}${tail}`)
    .replace(block('diff'), (_, head, __, tail) => `${head}${change(code)}${tail}`);
}

if (require.main === module) {
  writeFileSync(README, readme(readFileSync(README, 'utf8')));
}
