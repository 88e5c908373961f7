// Writes docs/api/: a page for each construct, with the types that only it takes, and one for the types that several take. What is said
// there is what the docstrings say, read from jsii's assembly.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { TypeSystem } = createRequire(import.meta.url)('jsii-reflect');

const SHARED = 'types';
const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** Pages of an assembly, by file name. */
export async function apiPages(root) {
  const system = new TypeSystem();
  const assembly = await system.loadModule(root, { validate: false });
  const types = new Map(assembly.types.map((type) => [type.fqn, type]));
  const isOurs = (member) => member.definingType.assembly.name === assembly.name;
  const scope = system.findFqn('constructs.Construct');
  const isConstruct = (type) => type.isClassType() && type.extends(scope);
  const constructs = assembly.types.filter(isConstruct).sort(byName);
  const pageOf = new Map(constructs.map(({ fqn, name }) => [fqn, name]));
  for (const [fqn, users] of usersOf(constructs, types, isOurs)) {
    if (!pageOf.has(fqn)) pageOf.set(fqn, users.size === 1 ? [...users][0] : SHARED);
  }
  for (const fqn of types.keys()) if (!pageOf.has(fqn)) pageOf.set(fqn, SHARED);

  const write = new Writer(pageOf, isOurs);
  const typesOf = (page) =>
    [...types.values()].filter((type) => !isConstruct(type) && pageOf.get(type.fqn) === page).sort(byName);
  return new Map(
    [
      ...constructs.map((type) => [
        `${type.name}.md`,
        [
          `# ${type.name}`,
          ...write.type(type, '##'),
          ...typesOf(type.name).flatMap((own) => [`## ${own.name}`, ...write.type(own, '###')]),
        ],
      ]),
      [
        `${SHARED}.md`,
        [
          '# Types that several constructs take',
          ...typesOf(SHARED).flatMap((type) => [`## ${type.name}`, ...write.type(type, '###')]),
        ],
      ],
      [
        'README.md',
        [
          '# API',
          'Each construct with its props, defaults, limits and errors, in TypeScript; [other languages](../languages.md) have the same classes.',
          ['| construct | what it is for |', '| --- | --- |', ...constructs.map((type) => `| [${type.name}](${type.name}.md) | ${cell(type.docs.summary)} |`)].join('\n'), // prettier-ignore
          `[Types](${SHARED}.md) that several constructs take.`,
        ],
      ],
    ].map(([file, blocks]) => [file, `${blocks.join('\n\n')}\n`]),
  );
}

/** Writes the pages, and nothing else stays in their folder. */
export async function writeApiPages(root) {
  const folder = join(root, 'docs', 'api');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of await apiPages(root)) writeFileSync(join(folder, file), text);
}

/** The types that a type's members name, one step far. */
function named(type, isOurs) {
  const references = [
    ...(type.isEnumType() ? [] : type.allProperties.filter(isOurs).map(({ type: of }) => of)),
    ...(type.isEnumType() ? [] : type.allMethods.filter(isOurs).flatMap((method) => [...method.parameters.map(({ type: of }) => of), method.returns.type])), // prettier-ignore
    ...(type.isClassType() && type.initializer ? type.initializer.parameters.map(({ type: of }) => of) : []),
  ];
  return references.flatMap(leaves).flatMap(({ fqn }) => fqn ?? []);
}

const leaves = (reference) =>
  reference.arrayOfType
    ? leaves(reference.arrayOfType)
    : reference.mapOfType
      ? leaves(reference.mapOfType)
      : (reference.unionOfTypes?.flatMap(leaves) ?? [reference]);

/** Which constructs take a type, at some depth. */
function usersOf(constructs, types, isOurs) {
  const users = new Map();
  const isConstruct = new Set(constructs.map(({ fqn }) => fqn));
  for (const construct of constructs) {
    const open = named(construct, isOurs);
    for (let fqn = open.pop(); fqn !== undefined; fqn = open.pop()) {
      if (!types.has(fqn) || isConstruct.has(fqn) || users.get(fqn)?.has(construct.name)) continue;
      users.set(fqn, (users.get(fqn) ?? new Set()).add(construct.name));
      open.push(...named(types.get(fqn), isOurs));
    }
  }
  return users;
}

class Writer {
  constructor(pageOf, isOurs) {
    this.pageOf = pageOf;
    this.isOurs = isOurs;
  }

  /** What is said of a type, below its heading. */
  type(type, level) {
    const from = this.pageOf.get(type.fqn);
    const said = prose(type.docs);
    if (type.isEnumType())
      return [...said, table(['value', 'what it means'], type.members.map(({ name, docs }) => [code(name), inCell(docs)]))]; // prettier-ignore
    const properties = type.allProperties.filter((one) => this.isOurs(one) && !one.protected).sort(byName);
    if (type.isInterfaceType() && type.datatype)
      return [...said, this.props(properties, from), ...examples(properties)];
    const methods = type.allMethods.filter((one) => this.isOurs(one) && !one.protected).sort(byName);
    const initializer = type.isClassType() && !type.abstract ? type.initializer : undefined;
    return [
      ...said,
      ...(initializer && !initializer.protected ? [fenced(`new ${type.name}(${signature(initializer)})`), ...this.parameters(initializer, from)] : []), // prettier-ignore
      ...this.methods(
        methods.filter((one) => one.static),
        `${level} Made by`,
        `${type.name}.`,
        from,
      ),
      ...this.methods(
        methods.filter((one) => !one.static),
        `${level} Methods`,
        '',
        from,
      ),
      ...(properties.length > 0
        ? [`${level} Properties`, this.readable(properties, from), ...examples(properties)]
        : []),
    ];
  }

  methods(methods, heading, prefix, from) {
    if (methods.length === 0) return [];
    return [
      heading,
      ...methods.flatMap((method) => [
        fenced(
          `${prefix}${method.name}(${signature(method)})${method.returns.type.void ? '' : `: ${plain(method.returns)}`}`,
        ),
        ...prose(method.docs),
        ...this.parameters(method, from),
      ]),
    ];
  }

  parameters(callable, from) {
    const told = callable.parameters.filter(({ name, docs, type }) => name !== 'scope' && name !== 'id' && (docs.summary || this.pageOf.has(type.fqn ?? ''))); // prettier-ignore
    if (told.length === 0) return [];
    return [told.map((one) => `- ${code(one.name)} (${this.linked(one, from)})${one.docs.summary ? `: ${inCell(one.docs)}` : ''}`).join('\n')]; // prettier-ignore
  }

  props(properties, from) {
    const required = ({ optional }) => (optional ? 1 : 0);
    return table(
      ['prop', 'type', 'default', 'what it is for'],
      [...properties]
        .sort((a, b) => required(a) - required(b) || byName(a, b))
        .map((one) => [
          code(one.name),
          this.linked(one, from),
          one.optional ? cell(one.docs.docs.default?.replace(/^- /, '') ?? 'none') : 'required',
          inCell(one.docs),
        ]),
    );
  }

  readable(properties, from) {
    return table(
      ['property', 'type', 'what it is'],
      properties.map((one) => [code(`${one.static ? `${one.parentType.name}.` : ''}${one.name}`), this.linked(one, from), inCell(one.docs)]), // prettier-ignore
    );
  }

  /** A type in words, with links to those that are ours. */
  linked({ type }, from) {
    const word = (reference) => {
      if (reference.arrayOfType) return `${word(reference.arrayOfType)}[]`;
      if (reference.mapOfType) return `map of ${word(reference.mapOfType)}`;
      if (reference.unionOfTypes) return reference.unionOfTypes.map(word).join(' or ');
      const page = reference.fqn === undefined ? undefined : this.pageOf.get(reference.fqn);
      const name = plainName(reference);
      if (page === undefined) return code(name);
      const anchor = page === name ? '' : `#${name.toLowerCase()}`;
      return `[${name}](${page === from ? anchor || `${page}.md` : `${page}.md${anchor}`})`;
    };
    return word(type);
  }
}

const plainName = (reference) => reference.fqn?.split('.').pop() ?? reference.primitive ?? 'any';
function plain({ type, optional }) {
  const word = (reference) => {
    if (reference.arrayOfType) return `${word(reference.arrayOfType)}[]`;
    if (reference.mapOfType) return `{ [name: string]: ${word(reference.mapOfType)} }`;
    if (reference.unionOfTypes) return reference.unionOfTypes.map(word).join(' | ');
    return plainName(reference);
  };
  return `${word(type)}${optional ? ' | undefined' : ''}`;
}
const signature = ({ parameters }) =>
  parameters
    .map(
      (one) =>
        `${one.variadic ? '...' : ''}${one.name}${one.optional ? '?' : ''}: ${plain({ type: one.type })}${one.variadic ? '[]' : ''}`,
    ) // prettier-ignore
    .join(', ');

const code = (text) => `\`${text}\``;
const fenced = (text) => `\`\`\`ts\n${text.trim()}\n\`\`\``;
const cell = (text) =>
  text
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\|/g, '\\|')
    .trim();
const see = ({ link }) => (link ? ` [Source](${link}).` : '');
const whole = ({ summary = '', remarks = '' }) => [summary, remarks].filter(Boolean).join('\n\n');

/** Docs as a cell of a table or an item of a list. */
const inCell = (docs) =>
  `${whole(docs)
    .split(/\n\s*\n/)
    .map(cell)
    .join('<br>')}${see(docs)}`;
/** Docs as paragraphs. */
const prose = (docs) => [
  ...[whole(docs), see(docs).trim()].filter(Boolean),
  ...(docs.example ? [fenced(docs.example)] : []),
];
const examples = (members) =>
  members.flatMap(({ name, docs }) => (docs.example ? [`${code(name)}, for example:`, fenced(docs.example)] : []));

const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
