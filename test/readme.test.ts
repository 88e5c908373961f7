import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readme } from '../scripts/readme';
import * as library from '../src';

const ROOT = join(__dirname, '..');
const text = readFileSync(join(ROOT, 'README.md'), 'utf8');

describe('README.md', () => {
  it('shows what its example really makes, what diff and a refusal really say, and how a request goes (npm run docs:readme)', () => {
    expect(text).toBe(readme(text));
  });

  it('links to what is there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1]);
    expect(links.filter((link) => !existsSync(join(ROOT, link)))).toEqual([]);
  });

  it('names only npm scripts that are there', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const named = [...text.matchAll(/npm run ([a-z:-]+)/g)].map((match) => match[1]);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

describe('the package', () => {
  it('exports classes and enums, and nothing that jsii would leave out', () => {
    const isClass = (value: unknown) =>
      typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
    const other = Object.entries(library).filter(
      ([, value]) => !isClass(value) && !(typeof value === 'object' && value !== null),
    );
    expect(other.map(([name]) => name)).toEqual([]);
  });
});
