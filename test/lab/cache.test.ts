import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fillPart, isWhole, partFolder } from './cache';

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
