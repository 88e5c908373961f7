import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Lab, sweep } from './lab';
import { istioModule } from './versions';

describe('a machine that cannot run a lab', () => {
  afterEach(() => jest.restoreAllMocks());

  it('is told that root is missing', async () => {
    jest.spyOn(process, 'getuid').mockReturnValue(1000);
    const start = Lab.start({ name: 'no-root', attached: true });
    await expect(start).rejects.toThrow(/^the lab needs (root|Linux)/);
  });

  it('is told what a lab may be called', async () => {
    await expect(Lab.start({ name: '../etc', attached: true })).rejects.toThrow('"../etc" is no name for a lab');
  });

  it('is told which releases of Istio there are', () => {
    expect(() => istioModule('0.1.0')).toThrow('the lab has no Istio "0.1.0"; it can run 1.29.1');
  });
});

describe('what a killed lab leaves', () => {
  let root: string;
  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'cache-'));
    process.env.MESH_EDGE_CACHE = root;
    fs.mkdirSync(path.join(root, 'run', 'killed', 'pki'), { recursive: true });
    fs.writeFileSync(path.join(root, 'run', 'killed', 'host.log'), 'the lab is ready\n');
  });
  afterEach(() => {
    delete process.env.MESH_EDGE_CACHE;
    fs.rmSync(root, { recursive: true });
  });

  it('is taken away once by labs that start side by side, and said once', async () => {
    const said: string[] = [];
    await Promise.all([1, 2, 3].map(() => sweep((line) => said.push(line))));
    expect(said).toEqual([
      'lab "killed" has ended: its first process was killed. The end of its log:\nthe lab is ready',
    ]);
    expect(fs.readdirSync(path.join(root, 'run'))).toEqual([]);
  });

  it('keeps its logs, and none of its keys', async () => {
    await sweep(() => undefined);
    const [kept] = fs.readdirSync(path.join(root, 'ended'));
    expect(fs.readdirSync(path.join(root, 'ended', kept!))).toEqual(['host.log']);
  });
});
