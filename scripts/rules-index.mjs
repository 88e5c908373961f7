// Writes src/check/rules/index.ts: the list of every rule in the folder, by id.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../src/check/rules');
const rules = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
  .map((file) => {
    const name = file.slice(0, -3);
    const [, id] = /id: '(EDGE\d+)'/.exec(readFileSync(join(folder, file), 'utf8')) ?? [];
    if (!id) throw new Error(`${file} has no id`);
    return { name, id, variable: name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase()) };
  })
  .sort((a, b) => (a.id < b.id ? -1 : 1));
writeFileSync(
  join(folder, 'index.ts'),
  `/** Every rule, by its id. Written by \`node scripts/rules-index.mjs\`; a test fails if a rule is left out. */
import type { Rule } from '../rule';
${rules.map(({ name, variable }) => `import { rule as ${variable} } from './${name}';`).join('\n')}

export const rules: readonly Rule[] = [
${rules.map(({ variable }) => `  ${variable},`).join('\n')}
];
`,
);
