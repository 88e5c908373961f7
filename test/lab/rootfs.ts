import * as fs from 'node:fs';
import * as path from 'node:path';
import { sh } from './process';

const CHECKOUT = path.resolve(__dirname, '..', '..');

/**
 * A container's root file system: this machine's own, read through an overlay, so that what a container writes or has
 * mounted is seen by it alone. The layers are in memory and go when the lab goes.
 */
export class RootFs {
  /** Where layers are kept: a memory file system, since a layer may not lie in the file system that it covers. */
  public static async mountLayers(folder: string): Promise<void> {
    fs.mkdirSync(folder, { recursive: true });
    await sh(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'lab-layers', folder]);
  }

  public static async create(folder: string): Promise<RootFs> {
    const [upper, work, merged] = ['upper', 'work', 'root'].map((name) => path.join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const layer of [upper, work, merged]) fs.mkdirSync(layer, { recursive: true });
    await sh(['mount', '-t', 'overlay', '-o', `lowerdir=/,upperdir=${upper},workdir=${work}`, 'lab', merged]);
    await sh(['mount', '--rbind', '/dev', path.join(merged, 'dev')]);
    // Envoys share memory by name, so each needs its own.
    await sh(['mount', '-t', 'tmpfs', '-o', 'mode=1777', 'shm', path.join(merged, 'dev/shm')]);
    await sh(['mount', '-t', 'tmpfs', '-o', 'mode=1777', 'tmp', path.join(merged, 'tmp')]);
    // Tests run scripts of theirs in Pods, and the checkout may lie under /tmp or be a mount of its own.
    const checkout = path.join(merged, CHECKOUT);
    if (!fs.existsSync(path.join(checkout, 'package.json'))) {
      fs.mkdirSync(checkout, { recursive: true });
      await sh(['mount', '--bind', CHECKOUT, checkout]);
    }
    return new RootFs(merged, folder);
  }

  private constructor(
    public readonly path: string,
    private readonly folder: string,
  ) {}

  /** Writes a file, following the links of this root and not those of the machine. */
  public async write(file: string, content: string, mode = 0o644): Promise<void> {
    const target = path.join(await this.realFolder(path.dirname(file)), path.basename(file));
    fs.rmSync(target, { force: true });
    fs.writeFileSync(target, content, { mode });
  }

  /** Makes a symbolic link. */
  public async link(target: string, at: string): Promise<void> {
    const link = path.join(await this.realFolder(path.dirname(at)), path.basename(at));
    fs.rmSync(link, { force: true });
    fs.symlinkSync(target, link);
  }

  /** Shows a file or folder of the machine at a place of this root. */
  public async bind(source: string, at: string): Promise<void> {
    if (fs.statSync(source).isDirectory()) {
      await sh(['mount', '--bind', source, await this.realFolder(at)]);
      return;
    }
    const target = path.join(await this.realFolder(path.dirname(at)), path.basename(at));
    if (!fs.existsSync(target)) fs.writeFileSync(target, '');
    await sh(['mount', '--bind', source, target]);
  }

  /** Makes a folder in this root and gives its path as the machine sees it. */
  private async realFolder(folder: string): Promise<string> {
    const script = 'mkdir -p -- "$1" && cd -- "$1" && pwd -P';
    const real = await sh(['chroot', this.path, 'sh', '-c', script, 'sh', folder]);
    return path.join(this.path, real.trim());
  }

  public async destroy(): Promise<void> {
    await sh(['umount', '--recursive', '--lazy', this.path]);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
