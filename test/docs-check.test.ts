import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { rules } from '../src/check/rules';
import { pages } from '../scripts/docs-check';

const ROOT = join(__dirname, '..');

describe('docs/rules and docs/footguns.md', () => {
  it('are what the rules say now (npm run docs:check writes them)', () => {
    for (const [path, text] of pages()) {
      expect({ path, text: existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), 'utf8') : '' }).toEqual({
        path,
        text,
      });
    }
  });

  it('have a page for each rule and no other', () => {
    const made = readdirSync(join(ROOT, 'docs/rules')).filter((file) => file.startsWith('EDGE'));
    expect(made.sort()).toEqual(rules.map(({ id }) => `${id}.md`).sort());
  });

  it('name only footguns that are on the list, each with a word about it', () => {
    const list = readFileSync(join(ROOT, 'docs/footguns.md'), 'utf8');
    for (const { footguns } of rules) for (const id of footguns) expect(list).toContain(`| ${id} | `);
    expect(list).not.toContain('| not found |');
  });
});
