/** The files of a git revision, as a checkout of it would have them: folders, links, and names that need not be UTF-8. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { fromBytes, type FileTree } from '../model/file-tree';
import { InputError } from '../model/files';
import { printable } from '../model/printable';

/** Git objects of a repository of manifests are small; a gigabyte holds more than ten million lines. */
const MAX_BYTES = 1 << 30;
/** As Linux does. */
const MAX_LINKS = 40;

interface Node {
  readonly is: 'file' | 'folder' | 'link' | 'submodule';
  readonly object: string;
}

export function git(args: readonly string[], input?: string): Buffer | undefined {
  const run = ran(args, input);
  return run.status === 0 ? run.stdout : undefined;
}

/** Why git reads nothing here; undefined if it does. */
export function refusalOfGit(): string | undefined {
  const { status, stderr } = ran(['rev-parse', '--git-dir']);
  if (status === 0) return undefined;
  const [reason = ''] = stderr.toString('utf8').split('\n');
  return /not a git repository/.test(reason) || reason === ''
    ? 'this folder is in no git repository'
    : `git reads nothing here (${printable(reason)})`;
}

function ran(args: readonly string[], input?: string): SpawnSyncReturns<Buffer> {
  const run = spawnSync('git', args, { input, maxBuffer: MAX_BYTES });
  if (run.error !== undefined && 'code' in run.error && run.error.code === 'ENOENT')
    throw new InputError('git is not installed, so that no revision can be read');
  return run;
}

/** As git reads the path of `REV:PATH`: from the top of the repository, or from here if the path begins with a dot. */
export function fromTop(path: string): string {
  const prefix = /^\.\.?(\/|$)/.test(path)
    ? (git(['rev-parse', '--show-prefix'])?.toString('utf8') ?? '').replace(/\n$/, '')
    : '';
  const parts: string[] = [];
  for (const part of `${prefix}${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

/** Paths are from the top of the repository, '' being the top. */
export class GitTree implements FileTree {
  public readonly isOnDisk = false;
  private readonly nodes = new Map<string, Node>([['', { is: 'folder', object: '' }]]);
  private readonly children = new Map<string, string[]>([['', []]]);
  private readonly contents = new Map<string, Buffer>();

  /** @param revision one that git knows */
  public constructor(private readonly revision: string) {
    const listed = git(['ls-tree', '-r', '-z', '--full-tree', revision]) ?? Buffer.alloc(0);
    const links: string[] = [];
    for (let start = 0; start < listed.length;) {
      const end = listed.indexOf(0, start);
      const tab = listed.indexOf(9, start);
      const [mode = '', , object = ''] = listed.toString('latin1', start, tab).split(' ');
      const path = fromBytes(listed.subarray(tab + 1, end));
      start = end + 1;
      const is = mode === '120000' ? 'link' : mode === '160000' ? 'submodule' : 'file';
      this.add(path, { is, object });
      if (is === 'link') links.push(path);
    }
    this.prepare(links);
  }

  public kindOf(path: string): 'file' | 'folder' | undefined {
    const found = this.nodes.get(this.resolved(path) ?? '\0');
    return found?.is === 'file' || found?.is === 'folder' ? found.is : undefined;
  }

  public at(path: string): 'file' | 'folder' {
    const found = this.kindOf(path);
    if (found === undefined) throw new Error(`revision ${this.revision} has no path "${path}"`);
    return found;
  }

  public real(path: string): string {
    return this.resolved(path) ?? path;
  }

  public entries(folder: string): readonly string[] {
    return this.children.get(this.real(folder)) ?? [];
  }

  public read(file: string): Buffer {
    this.prepare([file]);
    return this.contents.get(this.objectOf(file) ?? '') ?? Buffer.alloc(0);
  }

  /** Reads many files by one process. */
  public prepare(files: readonly string[]): void {
    const objects = [...new Set(files.map((file) => this.objectOf(file)))].filter(
      (object) => object !== undefined && !this.contents.has(object),
    );
    if (objects.length === 0) return;
    const out = git(['cat-file', '--batch'], `${objects.join('\n')}\n`);
    if (out === undefined) throw new InputError('git cat-file fails');
    let at = 0;
    for (const object of objects) {
      const end = out.indexOf(10, at);
      const [, type = '', length] = out.toString('latin1', at, end).split(' ');
      const size = Number(length);
      if (type === 'missing' || !Number.isInteger(size)) throw new InputError(`git has lost object ${object ?? ''}`);
      this.contents.set(object ?? '', out.subarray(end + 1, end + 1 + size));
      at = end + 1 + size + 1;
    }
  }

  public nameOf(path: string): string {
    return `${this.revision}:${path}`;
  }

  public pathOf(name: string): string {
    return name.startsWith(`${this.revision}:`) ? name.slice(this.revision.length + 1) : name;
  }

  public placeOf(path: string): string {
    return fromTop(`./${path}`);
  }

  /** What a checkout has, and the revision does not hold by itself. */
  public leftOut(folder: string): readonly { path: string; why: string; digest: string }[] {
    const inside = this.real(folder);
    return this.entries(folder).flatMap((entry) => {
      const path = inside === '' ? entry : `${inside}/${entry}`;
      const node = this.nodes.get(path);
      if (node?.is === 'submodule')
        return [{ path, why: 'it is a git submodule, whose files are not part of this revision', digest: node.object }];
      if (node?.is === 'link' && this.leadsOut(path))
        return [
          {
            path,
            why: 'the link leads out of the repository, where this revision holds nothing',
            digest: node.object,
          },
        ];
      return [];
    });
  }

  private add(path: string, node: Node): void {
    this.nodes.set(path, node);
    const slash = path.lastIndexOf('/');
    const folder = slash < 0 ? '' : path.slice(0, slash);
    if (!this.nodes.has(folder)) this.add(folder, { is: 'folder', object: '' });
    const inside = this.children.get(folder);
    const entry = path.slice(slash + 1);
    if (inside === undefined) this.children.set(folder, [entry]);
    else inside.push(entry);
  }

  private objectOf(path: string): string | undefined {
    // Links are read for their own text before they can be followed.
    const own = this.nodes.get(path);
    if (own?.is === 'link' && !this.contents.has(own.object)) return own.object;
    return this.nodes.get(this.resolved(path) ?? '\0')?.object;
  }

  private targetOf(link: Node): string {
    return fromBytes(this.contents.get(link.object) ?? Buffer.alloc(0));
  }

  private leadsOut(path: string): boolean {
    const steps: string[] = [];
    return this.walk(path, steps) === undefined && steps.includes('/');
  }

  private resolved(path: string): string | undefined {
    return this.walk(path, []);
  }

  /** The path behind all links; undefined if it leads nowhere. `out` gets a '/' if it leads out of the repository. */
  private walk(path: string, out: string[]): string | undefined {
    const open = path.split('/').reverse();
    const done: string[] = [];
    let links = 0;
    while (open.length > 0) {
      const step = open.pop() ?? '';
      if (step === '' || step === '.') continue;
      if (step === '..') {
        if (done.pop() === undefined) {
          out.push('/');
          return undefined;
        }
        continue;
      }
      const next = [...done, step].join('/');
      const node = this.nodes.get(next);
      if (node === undefined) return undefined;
      if (node.is !== 'link') {
        done.push(step);
        continue;
      }
      const target = this.targetOf(node);
      links += 1;
      if (links > MAX_LINKS) return undefined;
      if (target.startsWith('/')) {
        out.push('/');
        return undefined;
      }
      open.push(...target.split('/').reverse());
    }
    return done.join('/');
  }
}
