// npm run new:rule NAME EDGE519: what a new rule of check consists of, each file where it belongs, and a list of what is left to write.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [name = '', id = ''] = process.argv.slice(2);
const fail = (why) => {
  process.stderr.write(
    `${why}\n\nusage: npm run new:rule NAME ID, as in: npm run new:rule token-not-required EDGE520\n`,
  );
  process.exit(2);
};
if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(name))
  fail(`"${name}" is no name of a rule: words in lower case, with hyphens`);
if (!/^EDGE\d{3}$/.test(id)) fail(`"${id}" is no id of a rule`);
const rules = join(root, 'src/check/rules');
for (const file of readdirSync(rules)) {
  if (readFileSync(join(rules, file), 'utf8').includes(`id: '${id}'`)) fail(`${id} is that of ${file}`);
}
const made = [];
const write = (path, text) => {
  if (existsSync(join(root, path))) return;
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  made.push(path);
};
write(
  `src/check/rules/${name}.ts`,
  `import type { Rule } from '../rule';

export const rule: Rule = {
  id: '${id}',
  name: '${name}',
  severity: 'warning',
  title: '',
  why: '',
  fix: '',
  see: 'https://istio.io/latest/docs/',
  reads: [],
  footguns: [],
  *check(context) {},
};
`,
);
write(`test/invalid/${name}/example.yaml`, `# expect ${id} warning Kind namespace/name spec.field\n`);
write(`test/valid/${name}/example.yaml`, '');
spawnSync(process.execPath, [join(root, 'scripts/rules-index.mjs')], { stdio: 'inherit' });
process.stdout.write(`Made: ${made.join(', ') || 'nothing, all is there'}

What is left:
  1. src/check/rules/${name}.ts         the rule: title, why, fix, see, the kinds that it reads, check
  2. test/invalid/${name}/*.yaml        what it finds: short, and said in comments "# expect ${id} ..."
  3. test/valid/${name}/*.yaml          the same, mended as the rule advises; nothing is newly allowed, or test/check/rules/advice.ts says for whom and why
  4. test/mesh/rules/by-*.ts            how the real thing confirms each example
  5. docs/footguns-titles.yaml          if it is a kind of mistake that has no line there yet; its key goes into footguns of the rule
  6. docs/footguns-constructs.yaml      what the constructs do about it
  7. npm run docs:check                 writes docs/rules/${id}.md and the list of footguns
  8. CHANGELOG.md                       a line
Tests: npx jest --selectProjects unit test/check/rules -t ${id}
`);
