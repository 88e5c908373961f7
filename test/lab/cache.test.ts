import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ensurePart, fillPart, isWhole, partFolder } from './cache';

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'cache-'));
  process.env.MESH_EDGE_CACHE = root;
});
afterEach(() => {
  delete process.env.MESH_EDGE_CACHE;
  fs.rmSync(root, { recursive: true });
});

const write = (folder: string) => Promise.resolve(fs.writeFileSync(path.join(folder, 'binary'), 'twelve bytes'));

describe('the cache of built parts', () => {
  it('has no part before it is built, and has it afterwards', async () => {
    expect(isWhole('etcd-1')).toBe(false);
    await fillPart('etcd-1', write);
    expect(isWhole('etcd-1')).toBe(true);
  });

  it('builds a part once, whoever else wants it meanwhile', async () => {
    let built = 0;
    const slow = async (folder: string): Promise<void> => {
      built += 1;
      await new Promise((done) => setTimeout(done, 300));
      await write(folder);
    };
    await Promise.all([1, 2, 3].map(() => ensurePart('etcd-1', slow)));
    expect(built).toBe(1);
    expect(fs.readdirSync(root)).toEqual(['etcd-1']);
  });

  it('builds a part whose builder has ended before it was done, or has failed', async () => {
    const ended = spawnSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).stdout.trim();
    fs.writeFileSync(path.join(root, 'etcd-1.lock'), ended);
    await expect(ensurePart('etcd-1', () => Promise.reject(new Error('no network')))).rejects.toThrow('no network');
    await ensurePart('etcd-1', write);
    expect(fs.readdirSync(root)).toEqual(['etcd-1']);
  });

  it('keeps nothing of a build that failed', async () => {
    const failing = (folder: string) => write(folder).then(() => Promise.reject(new Error('no network')));
    await expect(fillPart('etcd-1', failing)).rejects.toThrow('no network');
    expect(fs.readdirSync(root)).toEqual([]);
  });

  it('says of a part without its list of files that its build did not finish', () => {
    fs.mkdirSync(partFolder('etcd-1'));
    expect(() => isWhole('etcd-1')).toThrow(/half-built cache: .*etcd-1 .*did not finish\. Remove that folder/);
  });

  it('says what a part lacks', async () => {
    await fillPart('etcd-1', write);
    fs.rmSync(path.join(partFolder('etcd-1'), 'binary'));
    expect(() => isWhole('etcd-1')).toThrow('lacks binary');
  });

  it('says which file of a part was cut short', async () => {
    await fillPart('etcd-1', write);
    fs.truncateSync(path.join(partFolder('etcd-1'), 'binary'), 5);
    expect(() => isWhole('etcd-1')).toThrow('has binary with 5 bytes where 12 were built');
  });
});
