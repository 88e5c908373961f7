/** What the docs of the public API and the pages show compiles, and docstrings say what they have to. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import * as ts from 'typescript';

const ROOT = join(__dirname, '..', '..');
const INDEX = join(ROOT, 'src', 'index.ts');

interface Snippet {
  /** Where it is, such as "src/egress/egress-gateway.ts: EgressGateway". */
  readonly where: string;
  readonly code: string;
}

/** What snippets take for granted. Names that mean one thing in one room and another in the next are told apart by the room. */
const GIVEN = `
declare const chart: Chart;
declare const deployment: IConstruct;
declare const payments: IConstruct;
declare const stripe: ExternalService;
declare const bank: ExternalService;
declare const wikipedia: ExternalService;
declare const route: HttpIngressRoute;
declare const edge: SharedIngressGateway;
`;

const PAGES = ['README.md', 'docs', 'docs/guide'].flatMap((path) =>
  path.endsWith('.md')
    ? [path]
    : readdirSync(join(ROOT, path))
        .filter((name) => name.endsWith('.md'))
        .map((name) => `${path}/${name}`),
);

function snippetsOfPages(): Snippet[] {
  return PAGES.flatMap((page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    return [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(({ 1: code = '', index }) => ({
      where: `${page}:${text.slice(0, index).split('\n').length}`,
      code,
    }));
  });
}

/** The program that holds the sources and, as files that are not there, what is asked of it. */
function programOf(files: ReadonlyMap<string, string>): ts.Program {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.CommonJS,
    moduleResolution: ts.ModuleResolutionKind.Node10,
    esModuleInterop: true,
    types: ['jest', 'node'],
    baseUrl: ROOT,
    paths: { 'cdk8s-mesh-edge': ['src/index.ts'] },
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.readFile = (file) => files.get(file) ?? readFile(file);
  host.getSourceFile = (file, ...rest) => {
    const text = files.get(file);
    return text === undefined ? getSourceFile(file, ...rest) : ts.createSourceFile(file, text, options.target!, true);
  };
  return ts.createProgram([INDEX, join(ROOT, 'src/jest/public.d.ts'), ...files.keys()], options, host);
}

const imports = (code: string): boolean => /^import /m.test(code);

/** A snippet as a file: as it is where it says what it imports, else in a construct of somebody's own, who imports all. */
function fileOf({ where, code }: Snippet, names: readonly string[]): string {
  if (imports(code)) return code;
  const own = new Set([...code.matchAll(/^(?:export )?class (\w+)/gm)].map(([, name]) => name));
  const head = [
    `import { ${names.filter((name) => !own.has(name)).join(', ')} } from 'cdk8s-mesh-edge';`,
    `import { ApiObject, Chart, Duration } from 'cdk8s';`,
    `import { Construct, IConstruct } from 'constructs';`,
  ].filter((line) => ![...own].some((name) => line.includes(` ${name} `)));
  if (own.size > 0) return [...head, code, 'export {};'].join('\n');
  const gateway = `declare const gateway: ${where.startsWith('src/ingress') ? 'IngressGateway' : 'EgressGateway'};`;
  return [...head, GIVEN, gateway, 'class Example extends Chart { example() { {', code, '} } }', 'export {};'].join('\n');
}

describe('the public API', () => {
  const index = ts.createSourceFile(INDEX, readFileSync(INDEX, 'utf8'), ts.ScriptTarget.ES2022, true);
  const isPublic = new Map<string, (name: string) => boolean>();
  for (const { moduleSpecifier, exportClause } of index.statements.filter(ts.isExportDeclaration)) {
    const path = join(ROOT, 'src', `${(moduleSpecifier as ts.StringLiteral).text}.ts`);
    const named = exportClause && ts.isNamedExports(exportClause) ? exportClause.elements.map(({ name }) => name.text) : undefined; // prettier-ignore
    isPublic.set(path, (name) => named?.includes(name) ?? true);
  }

  const declared: string[] = [];
  const examples: Snippet[] = [];
  for (const [path, isNamed] of isPublic) {
    const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2022, true);
    const file = relative(ROOT, path);
    const visit = (node: ts.Node): void => {
      for (const tag of ts.getJSDocTags(node)) {
        if (tag.tagName.text !== 'example' || tag.parent.parent !== node) continue;
        const name = (node as ts.NamedDeclaration).name?.getText(source) ?? '';
        examples.push({ where: `${file}: ${name}`, code: ts.getTextOfJSDocComment(tag.comment) ?? '' });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    for (const node of source.statements) {
      const isType = ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isEnumDeclaration(node);
      const isExported = isType && node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
      if (isType && isExported && node.name && isNamed(node.name.text)) declared.push(node.name.text);
    }
  }

  const snippets = [...examples, ...snippetsOfPages()];
  const pathOf = (at: number): string => join(ROOT, 'test', 'docs', `snippet-${at}.ts`);
  const files = new Map(snippets.map((snippet, at) => [pathOf(at), fileOf(snippet, declared)]));
  const program = programOf(files);
  const checker = program.getTypeChecker();
  const exported = checker
    .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(INDEX)!)!)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));

  it('shows what compiles, in docstrings, README and guides', () => {
    const wrong = snippets.flatMap(({ where }, at) => {
      const source = program.getSourceFile(pathOf(at));
      const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
      return found.map(({ messageText }) => `${where}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
    });
    expect(wrong).toEqual([]);
    expect(examples.length).toBeGreaterThan(40);
  });

  it('shows each construct at work', () => {
    const constructs = exported.filter(({ valueDeclaration: node }) => {
      if (!node || !ts.isClassDeclaration(node)) return false;
      if (node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword)) return false;
      return checker.getTypeAtLocation(node).getProperty('node') !== undefined;
    });
    const shown = new Set(examples.map(({ where }) => where.split(': ')[1]));
    expect(constructs.length).toBeGreaterThan(30);
    expect(constructs.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
  });

  it('says of everything what it is, and of what may be left out what it is then', () => {
    const missing: string[] = [];
    const says = (symbol: ts.Symbol): string => ts.displayPartsToString(symbol.getDocumentationComment(checker));
    const words = (text: string): number => text.split(/\s+/).filter(Boolean).length;
    for (const symbol of exported) {
      // Interfaces that users implement are called I...; the others are what users write.
      const isWritten = Boolean(symbol.flags & ts.SymbolFlags.Interface) && !/^I[A-Z]/.test(symbol.name);
      const type = checker.getDeclaredTypeOfSymbol(symbol);
      if (words(says(symbol)) < 3) missing.push(`${symbol.name}: what is it?`);
      if (/\(experimental\)/i.test(says(symbol))) missing.push(`${symbol.name}: (experimental)`);
      const own = [...type.getProperties(), ...(symbol.exports?.values() ?? [])];
      for (const member of own) {
        const [node] = member.declarations ?? [];
        if (!node || !node.getSourceFile().fileName.startsWith(join(ROOT, 'src'))) continue;
        const flags = ts.getCombinedModifierFlags(node as ts.Declaration);
        const tags = new Set(member.getJsDocTags(checker).map(({ name }) => name));
        if (flags & ts.ModifierFlags.NonPublicAccessibilityModifier || tags.has('internal')) continue;
        const name = `${symbol.name}.${member.name}`;
        if (words(says(member)) < 2) missing.push(`${name}: what is it?`);
        if (isWritten && member.flags & ts.SymbolFlags.Optional && !tags.has('default')) missing.push(`${name}: no @default`);
        // A method that says nothing itself has the words of the interface.
        const hasWords = ts.getJSDocCommentsAndTags(node).length > 0;
        if (hasWords && (ts.isMethodDeclaration(node) || ts.isMethodSignature(node))) {
          const [signature] = checker.getTypeOfSymbolAtLocation(member, node).getCallSignatures();
          for (const parameter of signature?.parameters ?? [])
            if (words(says(parameter)) === 0) missing.push(`${name}(${parameter.name}): what is it?`);
        }
      }
    }
    expect(missing).toEqual([]);
    expect(exported.length).toBeGreaterThan(150);
  });
});
