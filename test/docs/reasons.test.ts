/** The page on reasons and notes lists every kind, with its fields, as the unions have them. `UPDATE_DOCS=1` writes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { NOTE_KINDS, REASON_KINDS } from '../../src/trace';

const ROOT = join(__dirname, '..', '..');
const PAGE = join(ROOT, 'docs', 'reasons.md');

interface Group {
  readonly name: string;
  readonly kinds: ReadonlyMap<string, readonly string[]>;
}

/** The interfaces of a file that list kinds: those whose members are objects of fields. */
function groupsOf(file: string): ReadonlyMap<string, Group> {
  const path = join(ROOT, 'src', 'trace', file);
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const groups = new Map<string, Group>();
  for (const statement of source.statements) {
    if (!ts.isInterfaceDeclaration(statement)) continue;
    const kinds = new Map<string, readonly string[]>();
    for (const member of statement.members) {
      if (!ts.isPropertySignature(member) || member.type === undefined) continue;
      kinds.set(member.name.getText().replace(/'/g, ''), fieldsOf(member.type, source));
    }
    groups.set(statement.name.text, { name: statement.name.text, kinds });
  }
  return groups;
}

function fieldsOf(type: ts.TypeNode, source: ts.SourceFile): readonly string[] {
  if (ts.isIntersectionTypeNode(type)) return type.types.flatMap((one) => fieldsOf(one, source));
  if (ts.isTypeLiteralNode(type)) return type.members.map((member) => member.name?.getText() ?? '');
  const named = source.statements.find(
    (one): one is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(one) && one.name.text === type.getText(),
  );
  return named?.members.map((member) => member.name?.getText() ?? '') ?? [];
}

function table(title: string, { kinds }: Group): string {
  const rows = [...kinds].map(([kind, fields]) => `| \`${kind}\` | ${fields.map((field) => `\`${field}\``).join(', ')} |`);
  return [`### ${title}`, '', '| kind | fields |', '| --- | --- |', ...rows, ''].join('\n');
}

const REASONS = groupsOf('reasons.ts');
const NOTES = groupsOf('notes.ts');

const REASON_GROUPS = [
  ['On the network', 'OfNetwork'],
  ['At listeners', 'OfListeners'],
  ['By filters', 'OfFilters'],
  ['By routes, and where they lead', 'OfRoutes'],
  ['By TLS towards the other end', 'OfUpstreamTls'],
  ['Replies', 'OfReplies'],
] as const;
const NOTE_GROUPS = [
  ['`assumption`: what no manifest says, and installations usually have', 'Assumptions'],
  ['`gap`: what the outcome hangs on and no manifest shows', 'Gaps'],
  ['`remark`: what a reader would else miss', 'Remarks'],
] as const;

function groups(of: ReadonlyMap<string, Group>, named: readonly (readonly [string, string])[]): readonly Group[] {
  return named.map(([, name]) => of.get(name) ?? { name, kinds: new Map() });
}

describe('the page on reasons', () => {
  const reasons = groups(REASONS, REASON_GROUPS);
  const notes = groups(NOTES, NOTE_GROUPS);
  const kindsIn = (all: readonly Group[]): readonly string[] => all.flatMap(({ kinds }) => [...kinds.keys()]);

  it('knows of every kind that there is', () => {
    expect([...kindsIn(reasons)].sort()).toEqual([...REASON_KINDS].sort());
    expect([...kindsIn(notes)].sort()).toEqual([...NOTE_KINDS].sort());
  });

  it('lists them with their fields', () => {
    const text = readFileSync(PAGE, 'utf8');
    const tables = (of: readonly Group[], titles: readonly (readonly [string, string])[]): string =>
      of.map((group, index) => table(titles[index]?.[0] ?? '', group)).join('\n');
    const between = (page: string, name: string, content: string): string =>
      page.replace(
        new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`),
        (_all, start: string, end: string) => `${start}\n${content}\n${end}`,
      );
    const written = between(
      between(text, 'reasons', tables(reasons, REASON_GROUPS)),
      'notes',
      tables(notes, NOTE_GROUPS),
    );
    if (process.env.UPDATE_DOCS) writeFileSync(PAGE, written);
    expect(process.env.UPDATE_DOCS ? written : text).toBe(written);
  });
});
