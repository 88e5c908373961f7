import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const launcher = join(__dirname, '../../bin/mesh-edge');
const good = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: app\n';

function run(args: string[], input?: string): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...args], { encoding: 'utf8', input });
  return { status, stdout, stderr };
}

function file(content: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'mesh-edge-cli-')), 'a.yaml');
  writeFileSync(path, content);
  return path;
}

const judgedBy = [{ component: 'Istio', release: '1.32', stated: '1.32', from: 'default' }];

describe('mesh-edge check', () => {
  it('ends with 0 and says so when nothing is found', () => {
    expect(run(['check', file(good)])).toEqual({
      status: 0,
      stdout: '✔ 1 object checked, nothing found\n  judged by Istio 1.32 (default)\n',
      stderr: '',
    });
  });

  it('reads standard input', () => {
    const { status, stdout } = run(['check', '-', '--format', 'json'], good);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      findings: [],
      summary: { objects: 1, errors: 0, warnings: 0, infos: 0, judgedBy },
    });
  });

  it('reports a broken document with file, line and reason, judges the others, and ends with 1', () => {
    const path = file(`${good}---\nkind: Gateway\nspec: [1\n`);
    const { status, stdout } = run(['check', path, '--format', 'json']);
    expect(status).toBe(1);
    const { findings, summary } = JSON.parse(stdout);
    expect(summary).toEqual({ objects: 1, errors: 1, warnings: 0, infos: 0, judgedBy });
    expect(findings[0]).toMatchObject({ id: 'EDGE001', severity: 'error', object: null, where: { file: path } });
    expect(findings[0].where.line).toBeGreaterThan(5);
  });

  it('says on which line a file stops being UTF-8', () => {
    const path = file(good);
    const other = file('');
    writeFileSync(other, Buffer.concat([Buffer.from('a: 1\nb: '), Buffer.from([0xff, 0xfe]), Buffer.from('\n')]));
    const { status, stdout } = run(['check', path, other, '--format', 'json']);
    expect(status).toBe(1);
    expect(JSON.parse(stdout).findings[0]).toMatchObject({ id: 'EDGE001', where: { file: other, line: 2 } });
  });

  it.each([
    ['no path', ['check'], /name at least one file/],
    ['a path that does not exist', ['check', 'no/such.yaml'], /no such file or folder/],
    [
      'an unknown format',
      ['check', 'x.yaml', '--format', 'xml'],
      /Allowed choices are text, json, sarif, github, markdown/,
    ],
    ['an unknown option', ['check', 'x.yaml', '--frob'], /unknown option/],
    ['an unknown command', ['frob'], /unknown command/],
    ['no command', [], /Usage: mesh-edge/],
    ['an unknown rule', ['check', '--explain', 'EDGE00'], /there is no rule "EDGE00"/],
    ['a namespace that is none', ['check', 'x.yaml', '--root-namespace', 'A b'], /no name of a namespace/],
  ])('ends with 2, the reason on standard error and nothing on standard output, for %s', (_, args, reason) => {
    const { status, stdout, stderr } = run(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(reason);
  });

  it('lists the rules', () => {
    const { status, stdout } = run(['check', '--rules']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^EDGE201 error {3}egress-bypasses-gateway: /m);
    expect(stdout.trim().split('\n').length).toBeGreaterThan(100);
  });

  it('prints the page of a rule', () => {
    const { status, stdout } = run(['check', '--explain', 'edge001']);
    expect(status).toBe(0);
    expect(stdout).toContain('EDGE001 unreadable-document');
  });

  it.each(['text', 'json', 'sarif', 'github', 'markdown'])('writes findings as %s', (as) => {
    const { status, stdout } = run(['check', '-', '--format', as], `${good}---\nkind: Gateway\nspec: [1\n`);
    expect(status).toBe(1);
    expect(stdout).toContain('EDGE001');
  });
});
