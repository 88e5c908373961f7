import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type KubeObject } from '../lab/api';
import { cacheRoot } from '../lab/cache';
import { Lab } from '../lab/lab';
import { eventually, Mesh } from './mesh';

const REPOSITORY = path.resolve(__dirname, '../..');
/** Seconds that a lab may take to start, beside the two of the workers. */
const READY = 180;

/** The processes that have the folder of that lab among their arguments. */
function processesOf(name: string): readonly string[] {
  const folder = path.join('run', name);
  return fs.readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${folder}/`);
    } catch {
      return false;
    }
  });
}

/** The network namespaces that those processes are in. */
function networksOf(pids: readonly string[]): ReadonlySet<string> {
  return new Set(
    pids.flatMap((pid) => {
      try {
        return [fs.readlinkSync(`/proc/${pid}/ns/net`)];
      } catch {
        return [];
      }
    }),
  );
}

/** Without the network that this process is in. */
function inside(networks: ReadonlySet<string>): ReadonlySet<string> {
  const own = fs.readlinkSync('/proc/self/ns/net');
  return new Set([...networks].filter((network) => network !== own));
}

/** Waits until no process of a lab is left, none in any of its networks, no mount of its, and no link. */
async function expectNothingLeft(name: string, networks: ReadonlySet<string>): Promise<void> {
  await eventually(async () => {
    expect(processesOf(name)).toEqual([]);
    const all = networksOf(fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)));
    expect([...networks].filter((network) => all.has(network))).toEqual([]);
  });
  expect(fs.readFileSync('/proc/mounts', 'utf8')).not.toContain(path.join(cacheRoot(), 'run', name));
  expect(fs.readdirSync('/sys/class/net').filter((link) => /^(pod\d|internet)/.test(link))).toEqual([]);
}

/** `npm run lab -- run`, in a process group of its own as a terminal would have it. */
function runLab(name: string): { child: ChildProcess; output: () => string } {
  const command = ['--import', 'tsx', path.join(REPOSITORY, 'test/lab/cli.ts'), 'run', '--name', name];
  const child = spawn(process.execPath, command, {
    cwd: REPOSITORY,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

/** Kills the process of a lab that runs that program. */
async function killPart(name: string, program: string): Promise<void> {
  const command = (pid: string) => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]!;
  const found = processesOf(name).filter((pid) => command(pid).endsWith(`/${program}`));
  expect(found).toHaveLength(1);
  process.kill(Number(found[0]), 'SIGKILL');
}

describe('a lab', () => {
  it('of a name that runs already is refused, and the one that runs is left alone', async () => {
    const { name } = (await Mesh.open()).lab;
    await expect(Lab.start({ name, attached: true })).rejects.toThrow(`a lab named "${name}" is running already`);
    expect((await (await Lab.connect(name)).run('pod', { pod: 'default/client' })).ready).toBe(true);
  });

  it('that does not run is said not to, with the command that starts it', async () => {
    await expect(Lab.connect('absent')).rejects.toThrow('no lab named "absent" is running: npm run lab -- up');
  });

  it('leaves a Pod alone that has the name of one that was deleted a moment ago', async () => {
    const { lab } = await Mesh.open();
    const spec = { terminationGracePeriodSeconds: 0, containers: [{ name: 'none', image: 'example.com/none' }] };
    const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'again', namespace: 'legacy' }, spec };
    for (let round = 0; round < 5; round++) {
      await lab.apply([pod]);
      await lab.ready('legacy/again');
      await lab.delete([pod]);
    }
    await lab.apply([pod]);
    await lab.ready('legacy/again');
    const { metadata } = (await lab.api.tryGet(pod, 'again', 'legacy'))!;
    await lab.delete([pod]);
    expect(metadata.deletionTimestamp).toBeUndefined();
  });

  it('leaves nothing when the process that it belongs to is killed', async () => {
    const name = `crash-${process.pid}`;
    const { child, output } = runLab(name);
    await eventually(async () => expect(output()).toContain('ready;'), READY);
    const networks = inside(networksOf(processesOf(name)));
    expect(networks.size).toBeGreaterThan(1);
    process.kill(child.pid!, 'SIGKILL');
    await expectNothingLeft(name, networks);
  }, 300_000);

  it('leaves nothing when it is interrupted while it starts', async () => {
    const name = `ctrl-c-${process.pid}`;
    const { child } = runLab(name);
    await eventually(async () => expect(processesOf(name).length).toBeGreaterThan(3), 30);
    const networks = inside(networksOf(processesOf(name)));
    process.kill(-child.pid!, 'SIGINT');
    await expectNothingLeft(name, networks);
  });

  it('has istiod again when it crashes, says so, and says why it ended when another part does; a new one follows', async () => {
    const name = `dies-${process.pid}`;
    const { child, output } = runLab(name);
    const status = new Promise((resolve) => child.on('exit', resolve));
    await eventually(async () => expect(output()).toContain('ready;'), READY);
    const lab = await Lab.connect(name);
    await killPart(name, 'pilot-discovery');
    await eventually(() => lab.run('settle', { seconds: 1 }), 30);
    expect(lab.hostLog()).toMatch(/istiod ended \(SIGKILL\)[^]*istiod is started again/);

    await killPart(name, 'kube-apiserver');
    const words = new RegExp(`the lab "${name}" has ended: apiserver ended \\(SIGKILL\\)\\. The end of its log:\\n.+`);
    await eventually(() => expect(lab.ready('default/none', 60)).rejects.toThrow(words), 5);
    await expect(Lab.connect(name)).rejects.toThrow(
      `no lab named "${name}" is running any more: apiserver ended (SIGKILL)`,
    );
    expect(await status).toBe(2);
    expect(output()).toContain('error: the lab has ended: apiserver ended (SIGKILL)');

    const shared = process.env.MESH_EDGE_LAB_NAME;
    process.env.MESH_EDGE_LAB_NAME = name;
    const { lab: next } = await Mesh.open().finally(() => (process.env.MESH_EDGE_LAB_NAME = shared));
    expect((await next.run('pod', { pod: 'default/client' })).ready).toBe(true);
    await next.down();
    const kept = fs.readdirSync(path.join(cacheRoot(), 'ended')).filter((folder) => folder.endsWith(name));
    expect(fs.readdirSync(path.join(cacheRoot(), 'ended', kept[0]!)).sort()).toContain('logs');
  }, 300_000);

  it('says which of its processes ended, and why, when one cannot start', async () => {
    const name = `broken-${process.pid}`;
    const { child, output } = runLab(name);
    await eventually(async () => expect(processesOf(name).length).toBeGreaterThan(3), 30);
    const etcd = processesOf(name).find((pid) => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('etcd-'));
    process.kill(Number(etcd), 'SIGKILL');
    const status = await new Promise((resolve) => child.on('exit', resolve));
    expect(status).toBe(2);
    expect(output()).toContain('the lab did not start: etcd ended (SIGKILL)');
    await eventually(async () => expect(processesOf(name)).toEqual([]));
  });
});
