import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BIN = join(__dirname, '..', '..', 'bin', 'mesh-edge');
const run = (...args: readonly string[]) => spawnSync(BIN, args, { encoding: 'utf8' });
const COMMANDS = ['check', 'trace', 'diff', 'diagram', 'adopt', 'dump', 'worlds', 'init', 'upgrade', 'verify', 'prove', 'list', 'completion']; // prettier-ignore

describe('mesh-edge --help', () => {
  it('names every command', () => {
    const { stdout } = run('--help');
    const named = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(['help', ...COMMANDS].sort());
  });

  it.each(COMMANDS)('of %s has examples, with options that the command has', (command) => {
    const [options = '', examples = ''] = run(command, '--help').stdout.split('\nExamples:\n');
    const lines = examples.split('\n').filter((line) => line.startsWith('  $ '));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(line).toContain(`mesh-edge ${command}`);
      const used = line.slice(line.indexOf(`mesh-edge ${command}`)).match(/ --?[a-z][a-z-]*/g) ?? [];
      for (const option of used)
        expect(options).toMatch(new RegExp(`^ +(-[a-z], )?${option.trim()}\\b|^ +${option.trim()},`, 'm'));
    }
  });
});

describe('mesh-edge completion', () => {
  const folder = mkdtempSync(join(tmpdir(), 'completion-'));
  beforeAll(() => writeFileSync(join(folder, 'dist.yaml'), ''));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What bash offers for the last of the words. */
  function offered(...words: readonly string[]): readonly string[] {
    const ask = `source <("$BIN" completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mesh_edge; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p mesh-edge`;
    const { stdout } = spawnSync('bash', ['-c', ask, 'bash', ...words], {
      encoding: 'utf8',
      cwd: folder,
      env: { ...process.env, BIN },
    });
    return stdout.trim().split('\n');
  }
  const RULE = 'complete -o default -F _mesh_edge mesh-edge';

  it('offers commands, options and the words that they take, and files where there are none', () => {
    expect(offered('mesh-edge', 'di')).toEqual(['diff', 'diagram', RULE]);
    expect(offered('mesh-edge', 'diff', '--ex')).toEqual(['--exit-code', RULE]);
    expect(offered('mesh-edge', 'check', '--format', 'm')).toEqual(['markdown', RULE]);
    expect(offered('mesh-edge', 'check', 'di')).toEqual([RULE]);
  });

  it('is there for zsh and fish, and says so to other shells', () => {
    expect(run('completion', 'zsh').stdout).toContain('bashcompinit');
    expect(run('completion', 'fish').stdout).toMatch(/^complete -c mesh-edge .* -a check /m);
    expect(run('completion', 'tcsh')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('bash, zsh, fish') as unknown,
    });
  });
});
