/** A few seconds of `npm run fuzz`, and what its judge says of output that is wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Campaign } from './campaign';
import { judge } from './judge';

const home = mkdtempSync(join(tmpdir(), 'mesh-edge-judge-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const kinds = (args: string, stdout: string, { status = 0, stderr = '', ms = 0 } = {}): string[] =>
  judge(home, args.split(' '), { status, stdout, stderr, ms }).map(({ kind }) => kind);

describe('what is judged of a command', () => {
  it('passes plain answers', () => {
    expect(kinds('check x', '1 object checked, nothing found\n')).toEqual([]);
    expect(kinds('check x --format github', '::error file=a.yaml,line=1,title=EDGE001 x::y\n', { status: 1 })).toEqual(
      [],
    );
    expect(kinds('trace x', '', { status: 2, stderr: 'mesh-edge: no\n' })).toEqual([]);
  });

  it.each([
    ['check x', { status: 3 }, '', 'status'],
    ['check x', { ms: 11_000 }, '', 'slow'],
    ['check x', { status: 2 }, '', 'status 2 without a reason'],
    ['check x', { status: 2, stderr: 'a' }, 'a', 'standard output beside status 2'],
    ['check x', { stderr: 'mesh-edge: internal error: TypeError: x\n' }, '', 'crash, TypeError'],
    ['check x', {}, 'x\n    at f (/a/b.js:1:2)\n', 'crash, a stack'],
    ['check x', {}, 'the rule a failed on these manifests', 'crash, rule a failed'],
    ['check x', {}, 'a\u001b[2J', 'a control character on standard output'],
    ['check x', { stderr: 'a\u202e' }, '', 'a control character on standard error'],
    ['check x', {}, 'a\n  ::error::x\n', 'a command to a runner on standard output'],
    ['check x --format github', {}, 'a ##[error]x', 'a command to a runner on standard output'],
    ['check x --format github', {}, '::add-mask::x\n', 'a workflow command of a stranger'],
    ['check x --format json', {}, '{', 'no JSON'],
    [
      'check x --format json',
      {},
      '{"findings":[{"severity":"error"}],"summary":{"errors":1}}',
      'a status against its errors',
    ],
    ['check x --format sarif', {}, '{"uri": "a#b"}', 'no URI'],
    ['check x --format markdown', {}, '[x](http://evil.example)', 'live Markdown, link'],
    ['list x --format csv', {}, 'a,"=cmd()"\n', 'a formula'],
    ['list x --format html', {}, '<script>alert(1)</script>', 'markup of a stranger'],
    ['trace x --requests y', {}, '{}\nx\n', 'a line that is no JSON'],
    ['trace x --format mermaid', {}, 'a %%{init: {}}%%', 'a fence or directive'],
  ])('finds fault with %s %j: %j', (args, rest, stdout, kind) => {
    expect(kinds(args, stdout, rest)).toContain(`${args.split(' ')[0]}: ${kind}`);
  });

  it('reads pictures as what they are', () => {
    writeFileSync(join(home, 'x.svg'), '<svg xmlns="http://www.w3.org/2000/svg"><text>a & b</text></svg>');
    expect(kinds('diagram x -o x.svg', '')).toEqual(['diagram, svg: no XML']);
    expect(kinds('diagram x -o y.svg', '')).toEqual(['diagram: no picture']);
  });
});

it('is right for a few seconds of hostile worlds; the rest is for npm run fuzz', async () => {
  const campaign = new Campaign();
  try {
    const found = await campaign.run({ seed: Number(process.env.FUZZ_SEED ?? 1), cases: 40, seconds: 20 });
    expect(found.map(({ kind, what, args }) => ({ kind, what, args }))).toEqual([]);
    expect(campaign.runs).toBeGreaterThan(0);
  } finally {
    await campaign.end();
  }
}, 60_000);
