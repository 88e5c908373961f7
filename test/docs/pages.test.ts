/** What the pages show is what the commands print. `UPDATE_DOCS=1` writes it into them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const BLOCK = /<!-- run: mesh-edge (.+?) -->\n\n(`{3,4})(\w+)\n([\s\S]*?)\2\n/g;

function outputOf(command: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'docs-'));
  try {
    const file = join(folder, 'out.mmd');
    const args = command.split(' ').map((arg) => (arg === 'FILE.mmd' ? file : arg === 'DIR' ? folder : arg));
    const run = spawnSync(join(root, 'bin', 'mesh-edge'), args, { cwd: root, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
    expect(run.stderr).toBe('');
    if (args[0] === 'diagram') return readFileSync(file, 'utf8');
    if (args[0] === 'adopt') return readFileSync(join(folder, 'edge.ts'), 'utf8');
    return run.stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe.each(['diff.md', 'diagram.md', 'adopt.md', 'every-request.md'])('docs/%s', (page) => {
  it('shows what the commands really print', () => {
    const file = join(root, 'docs', page);
    const text = readFileSync(file, 'utf8');
    const written = text.replace(BLOCK, (_block, command: string, _fence: string, language: string) => {
      const output = outputOf(command);
      const fence = output.includes('```') ? '````' : '```';
      return `<!-- run: mesh-edge ${command} -->\n\n${fence}${language}\n${output.trimEnd()}\n${fence}\n`;
    });
    if (process.env.UPDATE_DOCS) writeFileSync(file, written);
    expect([...text.matchAll(BLOCK)].length).toBeGreaterThan(0);
    expect(process.env.UPDATE_DOCS ? written : text).toBe(written);
  });
});
