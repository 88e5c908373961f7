/** What `mesh-edge init` writes, and what it leaves. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as cdk8s from 'cdk8s';
import { transformSync } from 'esbuild';
import { parse } from 'yaml';
import * as edge from '../../src';
import { check } from '../../src/check/check';
import { MAIN } from '../../src/cli/init';
import { load } from '../../src/model/load';

const ROOT = join(__dirname, '..', '..');
const home = mkdtempSync(join(tmpdir(), 'init-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const init = (cwd: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(ROOT, 'bin/mesh-edge'), 'init', ...args], { cwd, encoding: 'utf8' });
const folder = (name: string): string => {
  const path = join(home, name);
  mkdirSync(path, { recursive: true });
  return path;
};

it('writes a configuration once', () => {
  const cwd = folder('configuration');
  expect(init(cwd)).toMatchObject({ status: 0, stdout: 'wrote mesh-edge.yaml\n' });
  expect(init(cwd)).toMatchObject({ status: 2, stdout: '' });
});

describe('an app to begin with', () => {
  it('is all of a project, and has its types looked at', () => {
    const cwd = folder('app');
    const { status, stdout } = init(cwd, '--app');
    expect(status).toBe(0);
    expect(stdout.match(/^wrote (.*)$/gm)).toEqual(['package.json', 'tsconfig.json', 'cdk8s.yaml', 'main.ts', '.gitignore', '.github/workflows/edge.yaml', 'mesh-edge.yaml'].map((path) => `wrote ${path}`)); // prettier-ignore
    const { app } = parse(readFileSync(join(cwd, 'cdk8s.yaml'), 'utf8')) as { app: string };
    expect(app).toBe('tsc >&2 && tsx main.ts');
    const { scripts } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')) as { scripts: object };
    expect(scripts).toEqual({ synth: 'cdk8s synth', check: 'mesh-edge check dist' });
  });

  it('synthesizes to manifests in which nothing is found', () => {
    const manifests = join(folder('dist-of-main'), 'dist');
    class Here extends edge.EdgeApp {
      public constructor() {
        super({ manifests });
      }
    }
    const { code } = transformSync(MAIN, { loader: 'ts', format: 'cjs', target: 'node20' });
    const packages: Readonly<Record<string, unknown>> = { cdk8s, 'cdk8s-mesh-edge': { ...edge, EdgeApp: Here } };
    new Function('require', code)((name: string) => packages[name]);
    const { findings, summary } = check(load([manifests]));
    expect(findings).toEqual([]);
    expect(summary.objects).toBeGreaterThan(10);
  });

  it('keeps what is there, and says so', () => {
    const cwd = folder('kept');
    writeFileSync(join(cwd, 'package.json'), '{}');
    expect(init(cwd, '--app').stdout).toContain('kept package.json, which was there');
    expect(readFileSync(join(cwd, 'package.json'), 'utf8')).toBe('{}');
    expect(existsSync(join(cwd, 'main.ts'))).toBe(true);
  });

  it('brings a workflow at the root of a repository alone, where it is read', () => {
    const cwd = folder('repository/edge');
    mkdirSync(join(home, 'repository/.git'));
    expect(init(cwd, '--app').status).toBe(0);
    expect(existsSync(join(cwd, '.github'))).toBe(false);
  });

  it('leaves nothing where one of its files cannot be written', () => {
    const cwd = folder('blocked');
    writeFileSync(join(cwd, '.github'), '');
    const { status, stderr } = init(cwd, '--app');
    expect(status).toBe(2);
    expect(stderr).toContain('nothing was written');
    expect(existsSync(join(cwd, 'main.ts'))).toBe(false);
  });

  it('is the one of the guide', () => {
    expect(readFileSync(join(ROOT, 'docs/guide/egress-gateway.md'), 'utf8')).toContain(`\`\`\`ts\n${MAIN}\`\`\``);
  });
});
