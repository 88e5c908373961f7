/** Files of Go modules: the module proxy checks their sums and never changes a version. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Download {
  readonly Dir?: string;
  readonly Zip?: string;
  readonly Error?: string;
}

/** Where a file or folder of a module lies: in Go's cache, or unpacked from it where the module wants a newer Go than is here. */
export function moduleFiles(module: string, version: string, path: string): string {
  const name = `${module}@${version}`;
  const download = fetchModule(name);
  if (download.Dir !== undefined) return join(download.Dir, path);
  if (download.Zip === undefined)
    throw new Error(`Cannot fetch ${name} with 'go mod download': ${download.Error ?? 'no reason given'}`);
  const out = join(unpacked(), version);
  if (!existsSync(join(out, name, path)))
    execFileSync('unzip', ['-q', '-o', download.Zip, `${name}/${path}*`, '-d', out]);
  return join(out, name, path);
}

function fetchModule(name: string): Download {
  try {
    return JSON.parse(
      execFileSync('go', ['mod', 'download', '-json', name], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        cwd: tmpdir(),
      }),
    ) as Download;
  } catch (e) {
    const said = e as { stdout?: string; stderr?: string; message: string };
    // A module for a newer Go is downloaded and checked all the same; only its folder is missing.
    if (said.stdout?.startsWith('{')) return JSON.parse(said.stdout) as Download;
    throw new Error(`Cannot fetch ${name} with 'go mod download': ${said.stderr || said.message}`, { cause: e });
  }
}

let folder: string | undefined;
function unpacked(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'mesh-edge-modules-'));
    process.on('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return folder;
}
