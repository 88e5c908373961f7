import { spawn, spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replaceFiles } from '../../src/output/files';

// Each command is a process of its own, of a second or two on a busy machine.
jest.setTimeout(60_000);

const root = join(__dirname, '../..');
const home = mkdtempSync(join(tmpdir(), 'mesh-edge-files-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const made = (): string => mkdtempSync(join(home, 'case-'));
const textsOf = (folder: string): string[][] =>
  all(folder).map((name) => {
    const path = join(folder, name);
    return lstatSync(path).isFile() ? [name, readFileSync(path, 'utf8')] : [name];
  });
const all = (folder: string): string[] => readdirSync(folder, { recursive: true }).map(String).sort();

describe('files that are written into a folder of others', () => {
  it('come whole, with the mode that they had, and leave the others', () => {
    const folder = made();
    writeFileSync(join(folder, 'theirs'), 'theirs');
    writeFileSync(join(folder, 'a'), 'before', { mode: 0o600 });
    writeFileSync(join(folder, 'gone'), 'before');
    replaceFiles(
      folder,
      new Map([
        ['a', 'after'],
        ['new/b', 'after'],
      ]),
      ['gone'],
    );
    expect(all(folder)).toEqual(['a', 'new', 'new/b', 'theirs']);
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('after');
    expect(lstatSync(join(folder, 'a')).mode & 0o777).toBe(0o600);
  });

  it('replace a link, and nothing is written through it', () => {
    const folder = made();
    writeFileSync(join(folder, 'precious'), 'precious');
    symlinkSync('precious', join(folder, 'a'));
    replaceFiles(folder, new Map([['a', 'after']]));
    expect(readFileSync(join(folder, 'precious'), 'utf8')).toBe('precious');
    expect(lstatSync(join(folder, 'a')).isFile()).toBe(true);
  });

  it('are as they were where one of them cannot come, with no folder more', () => {
    const folder = made();
    writeFileSync(join(folder, 'a'), 'before');
    symlinkSync('nowhere', join(folder, 'l'));
    writeFileSync(join(folder, 'z'), 'before');
    mkdirSync(join(folder, 'b/full'), { recursive: true });
    const files = new Map(['a', 'l', 'new/deep/c', 'b'].map((name) => [name, 'after']));
    expect(() => replaceFiles(folder, files, ['z'])).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(all(folder)).toEqual(['a', 'b', 'b/full', 'l', 'z']);
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('before');
    expect(lstatSync(join(folder, 'l')).isSymbolicLink()).toBe(true);
    expect(() => replaceFiles(join(folder, 'not/yet'), new Map([['a/../../../b', 'x']]))).toThrow();
    expect(all(folder)).toEqual(['a', 'b', 'b/full', 'l', 'z']);
  });
});

describe('what commands write', () => {
  const manifests = join(root, 'test/diff/fixtures/company.yaml');
  const bin = join(root, 'bin/mesh-edge');
  const run = (cwd: string, limit: string, ...args: readonly string[]) =>
    spawnSync('sh', ['-c', `${limit} exec "$0" "$@"`, process.execPath, bin, ...args], { cwd, encoding: 'utf8' });

  it.each([
    ['diagram', ['-o', 'x.html'], 'x.html'],
    ['adopt', ['-o', 'out', '--force'], 'out'],
  ])('by %s is as it was when the disk takes no more', (command, options, place) => {
    const folder = made();
    const entry = join(folder, 'entry.yaml');
    writeFileSync(
      entry,
      'apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: { name: a, namespace: app }\nspec: { hosts: [a.example.com], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }] }\n',
    );
    expect(run(folder, '', command, entry, ...options)).toMatchObject({ status: 0 });
    const before = textsOf(folder);
    const full = run(folder, 'ulimit -f 4;', command, manifests, ...options);
    expect(full).toMatchObject({ status: 2, stdout: '' });
    expect(full.stderr).toContain(`${place} cannot be written`);
    expect(full.stderr).toContain('EFBIG');
    expect(textsOf(folder)).toEqual(before);
  });

  it('by init is made once, also by two at the same time, and is not left half', async () => {
    const folder = made();
    expect(run(folder, 'ulimit -f 1;', 'init')).toMatchObject({ status: 2, stdout: '' });
    expect(all(folder)).toEqual([]);
    const ends = await Promise.all(
      [1, 2].map(
        () => new Promise((resolve) => spawn(process.execPath, [bin, 'init'], { cwd: folder }).once('exit', resolve)),
      ),
    );
    expect(ends.sort()).toEqual([0, 2]);
    expect(all(folder)).toEqual(['mesh-edge.yaml']);
  });

  it('to a standard output that takes no more is told, with status 2', () => {
    const { status, stderr } = run(root, 'exec >/dev/full;', 'check', manifests);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/^mesh-edge: standard output cannot be written: .*ENOSPC/),
    ]);
  });

  it('does not come where it may not be written, which is told in words', () => {
    const folder = made();
    writeFileSync(join(folder, 'file'), '');
    for (const place of ['file/x.html', 'no/x.html']) {
      const { status, stderr } = run(folder, '', 'diagram', manifests, '-o', place);
      expect([status, stderr]).toEqual([2, expect.stringMatching(/^mesh-edge: \S+ cannot be written: /)]);
    }
    expect(all(folder)).toEqual(['file']);
  });
});
