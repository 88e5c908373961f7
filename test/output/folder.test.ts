import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { replaceFolder } from '../../src/output/folder';

const home = mkdtempSync(join(tmpdir(), 'mesh-edge-folder-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const script = join(home, 'synth.cjs');
/** Writes one of two states again and again, as many times as it is told, or for ever. */
buildSync({
  stdin: {
    contents: `
      import { replaceFolder } from './src/output/folder';
      const [folder, size, turns, ...states] = process.argv.slice(2);
      const filesOf = (state) => new Map(Array.from({ length: 12 }, (_, n) => [state + n + '/' + (n % 2 ? state : 'both') + '.yaml', state + n.toString().repeat(Number(size))]));
      let turn = 0;
      const next = () => {
        replaceFolder(folder, filesOf(states[turn % states.length]));
        turn += 1;
        if (turn === 1) process.stdout.write('begun');
        if (turn !== Number(turns)) setImmediate(next);
      };
      try { next(); } catch (error) { console.error(error.message); process.exit(1); }
    `,
    resolveDir: join(__dirname, '../..'),
    loader: 'ts',
  },
  outfile: script,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
});

const filesOf = (state: string, size: number): Map<string, string> =>
  new Map(
    Array.from({ length: 12 }, (_, n) => [
      `${state}${n}/${n % 2 ? state : 'both'}.yaml`,
      state + n.toString().repeat(size),
    ]),
  );

function contentOf(folder: string, under = ''): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(join(folder, under), { withFileTypes: true })) {
    const path = under === '' ? entry.name : `${under}/${entry.name}`;
    if (entry.isDirectory()) contentOf(folder, path).forEach((text, file) => files.set(file, text));
    else files.set(path, readFileSync(join(folder, path), 'utf8'));
  }
  return new Map([...files].sort());
}

const sorted = (files: Map<string, string>) => new Map([...files].sort());

function made(): { root: string; dist: string } {
  const root = mkdtempSync(join(home, 'case-'));
  return { root, dist: join(root, 'dist') };
}

const begun = (child: ChildProcess) => new Promise((resolve) => child.stdout?.once('data', resolve));
const ended = (child: ChildProcess) =>
  new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a folder that is replaced', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'is whole whenever %s comes, and nothing is left beside it',
    async (signal) => {
      const { root, dist } = made();
      for (let turn = 0; turn < 2; turn += 1) {
        const child = spawn(process.execPath, [script, dist, '500', '0', 'a', 'b'], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const end = ended(child);
        await begun(child);
        await wait(turn * 7);
        // Once more where the first came in the moment between two turns, in which Node has begun to listen and is not yet looking.
        const again = setInterval(() => child.kill(signal), 200);
        child.kill(signal);
        await end.finally(() => clearInterval(again));
        expect(await end).toEqual({ code: null, signal });
        expect([sorted(filesOf('a', 500)), sorted(filesOf('b', 500))]).toContainEqual(contentOf(dist));
        expect(readdirSync(root).sort()).toEqual(['.dist.synthesized', 'dist']);
      }
    },
  );

  it('is whole whenever it is killed, and what was taken away and not replaced comes back with the next synth', async () => {
    const { root, dist } = made();
    for (let turn = 0; turn < 5; turn += 1) {
      const child = spawn(process.execPath, [script, dist, '500', '0', 'a', 'b'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const end = ended(child);
      await begun(child);
      if (turn === 0) writeFileSync(join(dist, 'mine.txt'), 'mine');
      await wait(turn * 7);
      child.kill('SIGKILL');
      await end;
      const left = existsSync(dist)
        ? dist
        : readdirSync(root).flatMap((name) =>
            existsSync(join(root, name, 'old')) ? [join(root, name, 'old')] : [],
          )[0];
      const found = contentOf(left ?? '');
      expect(found.get('mine.txt')).toBe('mine');
      found.delete('mine.txt');
      expect([sorted(filesOf('a', 500)), sorted(filesOf('b', 500))]).toContainEqual(found);
    }
    replaceFolder(dist, filesOf('c', 1));
    expect(contentOf(dist)).toEqual(sorted(new Map([...filesOf('c', 1), ['mine.txt', 'mine']])));
    expect(readdirSync(root).sort()).toEqual(['.dist.synthesized', 'dist']);
  });

  it('is locked by a file that names its owner from the first moment, whenever that one is killed', async () => {
    const { root, dist } = made();
    const child = spawn(process.execPath, [script, dist, '1', '0', 'a', 'b'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const end = ended(child);
    await begun(child);
    const seen = new Set<string>();
    const until = Date.now() + 1000;
    while (Date.now() < until) {
      try {
        seen.add(readFileSync(join(root, '.dist.lock'), 'utf8').split(' ')[1] ?? '(nobody)');
      } catch {
        // Between two turns there is none.
      }
    }
    child.kill('SIGKILL');
    await end;
    expect([...seen]).toEqual([String(child.pid)]);
  });

  it('comes back where a crash came between taking the old one away and putting the new one there', () => {
    const { root, dist } = made();
    replaceFolder(dist, filesOf('a', 1));
    writeFileSync(join(dist, 'mine.txt'), 'mine');
    const stage = join(root, '.dist.synth-0123456789ab');
    mkdirSync(join(stage, 'next'), { recursive: true });
    writeFileSync(join(stage, 'next', 'half'), '');
    renameSync(dist, join(stage, 'old'));
    const { same, kept } = replaceFolder(dist, filesOf('a', 1));
    expect({ same, kept }).toEqual({ same: 12, kept: ['mine.txt'] });
    expect(readdirSync(root).sort()).toEqual(['.dist.synthesized', 'dist']);
  });

  it('is as it was when the disk takes no more', () => {
    const { root, dist } = made();
    replaceFolder(dist, filesOf('a', 10));
    writeFileSync(join(dist, 'mine.txt'), 'mine');
    const before = contentOf(dist);
    // The shell's limit on what a process may write stands for a disk that is full: the same error at the same place.
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', `ulimit -f 8; exec "$0" "$@"`, process.execPath, script, dist, '4000', '1', 'b'],
      {
        encoding: 'utf8',
      },
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Nothing was written, and .*dist is as it was: .*\(EFBIG\)\n$/);
    expect(contentOf(dist)).toEqual(before);
    expect(readdirSync(root).sort()).toEqual(['.dist.synthesized', 'dist']);
  });

  it('is one of the two, whole, when two are written at once, and loses nobody else’s file', async () => {
    const { root, dist } = made();
    replaceFolder(dist, filesOf('z', 1));
    mkdirSync(join(dist, 'base'));
    writeFileSync(join(dist, 'base/kustomization.yaml'), 'mine');
    const children = ['a', 'b'].map((state) =>
      spawn(process.execPath, [script, dist, '500', '8', state, `${state}x`], { stdio: ['ignore', 'pipe', 'pipe'] }),
    );
    const said = children.map((child) => {
      let text = '';
      child.stderr?.on('data', (chunk) => (text += chunk));
      return () => text;
    });
    const ends = await Promise.all(children.map(ended));
    expect({ ends, said: said.map((text) => text()) }).toEqual({
      ends: ends.map(() => ({ code: 0, signal: null })),
      said: ['', ''],
    });
    const found = contentOf(dist);
    expect(found.get('base/kustomization.yaml')).toBe('mine');
    found.delete('base/kustomization.yaml');
    expect([sorted(filesOf('ax', 500)), sorted(filesOf('bx', 500))]).toContainEqual(found);
    expect(readdirSync(root).sort()).toEqual(['.dist.synthesized', 'dist']);
  });

  it('keeps what synth did not write: files, links, folders, with their modes', () => {
    const { root, dist } = made();
    mkdirSync(join(dist, 'theirs/empty'), { recursive: true });
    writeFileSync(join(dist, 'theirs/precious.txt'), 'precious', { mode: 0o600 });
    chmodSync(join(dist, 'theirs'), 0o750);
    symlinkSync('nowhere', join(dist, 'theirs/link'));
    const first = replaceFolder(dist, filesOf('a', 1));
    const second = replaceFolder(dist, filesOf('b', 1));
    expect(first).toMatchObject({ added: 12, removed: 0 });
    expect(second).toEqual({
      added: 12,
      changed: 0,
      removed: 12,
      same: 0,
      kept: ['theirs/empty', 'theirs/link', 'theirs/precious.txt'],
    });
    expect(readFileSync(join(dist, 'theirs/precious.txt'), 'utf8')).toBe('precious');
    expect(lstatSync(join(dist, 'theirs/precious.txt')).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(dist, 'theirs')).mode & 0o777).toBe(0o750);
    expect(lstatSync(join(dist, 'theirs/link')).isSymbolicLink()).toBe(true);
    expect(readdirSync(join(dist, 'theirs/empty'))).toEqual([]);
    expect(readdirSync(root).sort()).toEqual(['.dist.synthesized', 'dist']);
  });

  it('deletes only what its record names, and believes no record that leads elsewhere', () => {
    const { root, dist } = made();
    writeFileSync(join(root, 'beside'), 'precious');
    mkdirSync(join(root, 'other'));
    writeFileSync(join(root, 'other/x'), 'precious');
    mkdirSync(dist);
    symlinkSync('../other', join(dist, 'linked'));
    writeFileSync(join(dist, 'old.yaml'), 'written by an earlier release, which kept no record');
    writeFileSync(join(root, '.dist.synthesized'), '../beside\n/etc/hostname\nlinked/x\n./../beside\n');
    expect(replaceFolder(dist, filesOf('a', 1))).toMatchObject({ removed: 0, kept: ['linked', 'old.yaml'] });
    expect(readFileSync(join(root, 'beside'), 'utf8') + readFileSync(join(root, 'other/x'), 'utf8')).toBe(
      'preciousprecious',
    );
  });

  it('refuses to write through a link or over a folder of others, and says which', () => {
    const { root, dist } = made();
    mkdirSync(join(root, 'elsewhere'));
    mkdirSync(dist);
    symlinkSync('../elsewhere', join(dist, 'a0'));
    mkdirSync(join(dist, 'a1/a.yaml'), { recursive: true });
    expect(() => replaceFolder(dist, filesOf('a', 1))).toThrow(
      /^Nothing was written: .*a0 \(a link, which synth writes nothing through\), .*a1\/a\.yaml \(a folder of others\) are in the way/,
    );
    expect(readdirSync(join(root, 'elsewhere'))).toEqual([]);
    expect(readdirSync(dist)).toEqual(['a0', 'a1']);
  });

  it('is written where a link leads to, and not where it leads nowhere', () => {
    const { root, dist } = made();
    mkdirSync(join(root, 'real/manifests'), { recursive: true });
    symlinkSync('real/manifests', dist);
    replaceFolder(dist, filesOf('a', 1));
    expect(lstatSync(dist).isSymbolicLink()).toBe(true);
    expect(contentOf(join(root, 'real/manifests'))).toEqual(sorted(filesOf('a', 1)));
    rmSync(join(root, 'real'), { recursive: true });
    expect(() => replaceFolder(dist, filesOf('a', 1))).toThrow(/dist is a link that leads nowhere/);
    rmSync(dist);
    writeFileSync(dist, '');
    expect(() => replaceFolder(dist, filesOf('a', 1))).toThrow(/dist is a file, and a folder has to be there/);
  });

  it('keeps the mode of a file that changes, whether it could be written or not', () => {
    const { dist } = made();
    replaceFolder(dist, filesOf('a', 1));
    for (const [file, mode] of [
      ['a0/both.yaml', 0o444],
      ['a1/a.yaml', 0o640],
    ] as const)
      chmodSync(join(dist, file), mode);
    chmodSync(join(dist, 'a0'), 0o555);
    replaceFolder(dist, filesOf('a', 2));
    expect(lstatSync(join(dist, 'a0/both.yaml')).mode & 0o777).toBe(0o444);
    expect(lstatSync(join(dist, 'a1/a.yaml')).mode & 0o777).toBe(0o640);
    expect(contentOf(dist)).toEqual(sorted(filesOf('a', 2)));
  });

  it('changes one file by one rename, in the very folder', () => {
    const { dist } = made();
    replaceFolder(dist, filesOf('a', 1));
    const { ino } = lstatSync(dist);
    const files = filesOf('a', 1).set('a0/both.yaml', 'other');
    expect(replaceFolder(dist, files)).toEqual({ added: 0, changed: 1, removed: 0, same: 11, kept: [] });
    expect(lstatSync(dist).ino).toBe(ino);
    expect(contentOf(dist)).toEqual(sorted(files));
  });

  it('makes a folder of what was a file, and a file of what was a folder', () => {
    const { dist } = made();
    replaceFolder(
      dist,
      new Map([
        ['a', '1'],
        ['b/c/d', '2'],
        ['e', '3'],
      ]),
    );
    replaceFolder(
      dist,
      new Map([
        ['a/x', '1'],
        ['b', '2'],
        ['e', '3'],
      ]),
    );
    expect(contentOf(dist)).toEqual(
      new Map([
        ['a/x', '1'],
        ['b', '2'],
        ['e', '3'],
      ]),
    );
  });
});
