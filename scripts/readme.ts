/**
 * `npm run docs:readme`: fills in the parts of README.md that are made: the manifests of its example, what a refusal looks like, and the table
 * of constructs. `--check` only says whether they are as they would be made.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Chart } from 'cdk8s';
import ts from 'typescript';
import * as library from '../src';

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

/** Each exported construct with the first sentence of its docstring. */
function constructs(): string {
  const program = ts.createProgram([join(ROOT, 'src', 'index.ts')], {
    module: ts.ModuleKind.Node20,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    skipLibCheck: true,
    types: [],
  });
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(join(ROOT, 'src', 'index.ts')) as ts.SourceFile;
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(file) as ts.Symbol);
  const rows = exported.flatMap((alias) => {
    const symbol = alias.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(alias) : alias;
    const value = (library as Record<string, unknown>)[symbol.name];
    const isConstruct = typeof value === 'function' && isConstructClass(value);
    if (!isConstruct) return [];
    const text = ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s+/g, ' ');
    const sentence = /^.*?[.](?=\s|$)/.exec(text)?.[0] ?? text;
    return [`| \`${symbol.name}\` | ${sentence.replace(/\|/g, '\\|')} |`];
  });
  return `${rows.sort().join('\n')}\n`;
}

function isConstructClass(value: object): boolean {
  for (let at: object | null = value; at; at = Object.getPrototypeOf(at)) {
    if ((at as { name?: string }).name === 'Construct') return true;
  }
  return false;
}

/** README.md as it should be. */
export function readme(text: string): string {
  const block = (marker: string) => new RegExp(`(<!-- test: ${marker} -->\\n\`\`\`[a-z]*\\n)([^]*?)(\`\`\`\\n)`);
  const code = block('example').exec(text)?.[2];
  if (code === undefined) throw new Error('README.md has no example');
  return text
    .replace(block('manifests'), (_, head, __, tail) => `${head}${runExample(code)}${tail}`)
    .replace(block('refusal'), (_, head, __, tail) => `${head}${refusal()}${tail}`)
    .replace(
      /(\| --- \| --- \|\n)(?:\| `[A-Z][^\n]*\n)*(<!-- test: constructs -->\n)/,
      (_, head, tail) => `${head}${constructs()}${tail}`,
    );
}

if (require.main === module) {
  writeFileSync(README, readme(readFileSync(README, 'utf8')));
}
