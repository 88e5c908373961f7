import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EXAMPLES = join(__dirname, '..', 'examples');

jest.mock('cdk8s-mesh-edge', (): unknown => jest.requireActual('../src/index'), { virtual: true });

/** The manifests below a folder, by path. */
function manifestsOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

describe('the example that is there in every language', () => {
  const out = mkdtempSync(join(tmpdir(), 'mesh-edge-typescript-'));
  const before = process.env.CDK8S_OUTDIR;
  beforeAll(() => (process.env.CDK8S_OUTDIR = out));
  afterAll(() => {
    if (before === undefined) delete process.env.CDK8S_OUTDIR;
    else process.env.CDK8S_OUTDIR = before;
    rmSync(out, { recursive: true, force: true });
  });

  it('has written in TypeScript what is committed, with which the others are compared', () => {
    jest.requireActual(join(EXAMPLES, 'typescript', 'main.ts'));
    expect(manifestsOf(out)).toEqual(manifestsOf(join(EXAMPLES, 'typescript', 'dist')));
  });

  it.each([
    ['python', 'main.py'],
    ['java', 'src/main/java/com/example/Main.java'],
    ['go', 'main.go'],
  ])('says the same in %s: each name of the mesh that TypeScript has', (language, file) => {
    const words = (text: string): readonly string[] =>
      [...new Set([...text.matchAll(/['"]([^'"\s]+)['"]/g)].map(([, word]) => word!))].filter((word) =>
        /[a-z]\.[a-z]|^[a-z]+$/.test(word),
      );
    const inTypeScript = words(readFileSync(join(EXAMPLES, 'typescript', 'main.ts'), 'utf8')).filter(
      (word) => !/cdk8s|constructs/.test(word),
    );
    const there = words(readFileSync(join(EXAMPLES, language, file), 'utf8'));
    expect(inTypeScript.length).toBeGreaterThan(5);
    expect(inTypeScript.filter((word) => !there.includes(word))).toEqual([]);
  });

  it('is shown in the docs as it is', () => {
    const flat = (text: string): string => text.replace(/^[ \t]+/gm, '');
    const page = readFileSync(join(EXAMPLES, '..', 'docs', 'languages.md'), 'utf8');
    const blocks = [...page.matchAll(/^```(ts|python|java|go)\n([^]*?)\n```$/gm)];
    const files: Record<string, string> = {
      ts: 'typescript/main.ts',
      python: 'python/main.py',
      java: 'java/src/main/java/com/example/Main.java',
      go: 'go/main.go',
    };
    expect(blocks.map(([, language]) => language)).toEqual(Object.keys(files));
    for (const [, language = '', code = ''] of blocks)
      expect(flat(readFileSync(join(EXAMPLES, files[language] ?? ''), 'utf8'))).toContain(flat(code));
  });
});
