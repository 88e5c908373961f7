/** Writes `docs/rules/` and `docs/footguns.md` from the rules, their cases under test/, and what the constructs say. `--check` only compares. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { load } from 'js-yaml';
import type { Rule } from '../src/check/rule';
import { rules } from '../src/check/rules';

const ROOT = resolve(__dirname, '..');

type Title = string | { readonly title: string; readonly unseen: string };
type Answer = { readonly how: 'impossible' | 'refused' | 'checker'; readonly by: string };

const SECTIONS: Readonly<Record<string, string>> = {
  S: 'ServiceEntry',
  X: 'Visibility and scope',
  V: 'VirtualService',
  T: 'TLS, mutual TLS, tunnels',
  E: 'Enforcement, bypass, network policies, nodes',
  N: 'DNS and addresses',
  W: 'Gateway workloads',
  A: 'Ambient mode',
  Y: 'Envoy Gateway in a mesh',
  G: 'Gateway API',
  I: 'Ingress',
  M: 'The mesh as a whole',
};

/** File contents by path from the root of the repository. */
export function pages(): ReadonlyMap<string, string> {
  const made = new Map<string, string>();
  for (const rule of rules) made.set(`docs/rules/${rule.id}.md`, rulePage(rule));
  made.set('docs/rules/README.md', indexPage());
  made.set('docs/footguns.md', footgunsPage());
  return made;
}

function rulePage(rule: Rule): string {
  const [first] = casesOf(rule);
  const example =
    first === undefined
      ? []
      : [
          '## What it finds',
          '',
          ...yaml(join('test/invalid', rule.name, first)),
          '',
          '## What is right',
          '',
          ...yaml(join('test/valid', rule.name, first)),
          '',
        ];
  return [
    `# ${rule.id}: ${rule.name}`,
    '',
    `**${rule.title}** (${rule.severity})`,
    '',
    rule.why,
    '',
    `**Fix**: ${rule.fix}`,
    '',
    `See ${rule.see}`,
    '',
    ...(rule.footguns.length > 0 ? [`Footguns: ${rule.footguns.join(', ')} ([the list](../footguns.md))`, ''] : []),
    ...example,
  ].join('\n');
}

function casesOf({ name }: Rule): string[] {
  const folder = join(ROOT, 'test/invalid', name);
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

function yaml(file: string): string[] {
  return ['```yaml', withoutComments(readFileSync(join(ROOT, file), 'utf8')).trimEnd(), '```'];
}

/** What examples say of themselves is for the tests. */
function withoutComments(text: string): string {
  return text.replace(/^# (expect|opens|weakens) .*\n/gm, '');
}

function indexPage(): string {
  return [
    '# Rules of `mesh-edge check`',
    '',
    'Made from the rules themselves. `mesh-edge check --explain EDGE201` prints one of them.',
    '',
    '| Rule | Severity | What it finds |',
    '|---|---|---|',
    ...rules.map(({ id, name, severity, title }) => `| [${id} ${name}](${id}.md) | ${severity} | ${title} |`),
    '',
  ].join('\n');
}

function footgunsPage(): string {
  const titles = load(readFileSync(join(ROOT, 'docs/footguns-titles.yaml'), 'utf8')) as Record<string, Title>;
  const answers = load(readFileSync(join(ROOT, 'docs/footguns-constructs.yaml'), 'utf8')) as Record<string, Answer>;
  const lines = [
    '# Footguns of a mesh edge, and what is done about each',
    '',
    'Made from the rules, `docs/footguns-titles.yaml` and `docs/footguns-constructs.yaml`.',
    '',
  ];
  for (const [letter, section] of Object.entries(SECTIONS)) {
    lines.push(
      `## ${letter}. ${section}`,
      '',
      '| | What goes wrong | Constructs | `mesh-edge check` |',
      '|---|---|---|---|',
    );
    for (const [id, title] of Object.entries(titles).filter(([key]) => key.startsWith(letter))) {
      const answer = answers[id];
      const constructs =
        answer === undefined
          ? ''
          : answer.how === 'checker'
            ? `left to the reader: ${answer.by}`
            : `${answer.how}: ${answer.by}`;
      const found = rules
        .filter(({ footguns }) => footguns.includes(id))
        .map((rule) => `[${rule.id}](rules/${rule.id}.md)`);
      const reading = found.length > 0 ? found.join(', ') : typeof title === 'string' ? 'not found' : title.unseen;
      lines.push(
        `| ${id} | ${typeof title === 'string' ? title : title.title} | ${constructs.replace(/\|/g, '\\|')} | ${reading} |`,
      );
    }
    lines.push('');
  }
  return lines.join('\n');
}

if (require.main === module) {
  const stale = [...pages()].filter(
    ([path, text]) => !existsSync(join(ROOT, path)) || readFileSync(join(ROOT, path), 'utf8') !== text,
  );
  if (process.argv.includes('--check')) {
    for (const [path] of stale) process.stderr.write(`${path} is not what the rules say: run npm run docs:check\n`);
    process.exitCode = stale.length > 0 ? 1 : 0;
  } else {
    mkdirSync(join(ROOT, 'docs/rules'), { recursive: true });
    for (const [path, text] of stale) writeFileSync(join(ROOT, path), text);
  }
}
