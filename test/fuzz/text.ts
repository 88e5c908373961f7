/** Texts that hold the same objects and are written oddly, and bytes that are no UTF-8. Each by a name, so that a case can be written down. */
import { gzipSync } from 'node:zlib';
import { parseAllDocuments, stringify } from 'yaml';

export function objectsOf(text: string): unknown[] {
  try {
    return parseAllDocuments(text)
      .map((one) => one.toJS() as unknown)
      .filter((one) => one !== null && one !== undefined);
  } catch {
    return [];
  }
}

export function yamlOf(objects: readonly unknown[]): string {
  return objects.map((one) => stringify(one)).join('---\n');
}

const lettersOf = (text: string): string[] => text.split('');
const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${lettersOf('bcdefghij')
  .map((letter, at) => `${letter}: &${letter} [${Array(9).fill(`*${'abcdefghij'[at]}`).join(',')}]`)
  .join('\n')}\n`;

const BROKEN = [
  '- a: : b',
  '"',
  "'",
  '{',
  '[',
  '\t',
  '&',
  '*x',
  '!',
  '!!binary x',
  '%YAML 9.9',
  '<<: *x',
  '? [a]\n: b',
  '|\n x',
  '>9\n',
  '...\n...',
  '@',
  '`',
];
const ODD = [
  '- a\n- b',
  'just text',
  '42',
  '~',
  '""',
  '{}',
  '[]',
  'kind: 5\napiVersion: []',
  'kind: {}\nmetadata: []',
  'apiVersion: v1\nkind: List\nitems: {}',
  'apiVersion: v1\nkind: List\nitems: [1,null,"x"]',
  'metadata: {name: {a: b}}\nkind: Service\napiVersion: v1',
  'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: null\nspec: null',
  'apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: x}\nspec: []',
  'apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: x, namespace: 7}\nspec: {hosts: "a", ports: 3}',
  'apiVersion: v1\nkind: constructor\nmetadata: {name: x}',
  'apiVersion: __proto__/v1\nkind: __proto__\nmetadata: {name: x}',
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: "a: [", meshNetworks: "&a *a"}',
];

type Writing = (text: string, number: number) => string;

export const WRITINGS: Readonly<Record<string, Writing>> = {
  'as it is': (text) => text,
  'aliases that multiply': (text) => `${bomb}---\n${text}`,
  'an alias of another document': (text) =>
    `${text.replace(/metadata:/g, 'metadata: &m\n  x: &x y\n')}\n---\nkind: A\nmetadata: *m\n`,
  'a key twice': (text) => text.replace(/^(kind: .*)$/m, '$1\n$1'),
  'a key twice, of no use': (text) => text.replace(/^(metadata:)/m, 'x: 1\nx: 2\n$1'),
  tabs: (text) => text.replace(/ {2}/g, '\t'),
  'a number without end': (text) => text.replace(/(\d+)/, '9'.repeat(400)),
  'deep lists': (text) => `${'['.repeat(20000)}${']'.repeat(20000)}\n---\n${text}`,
  'deep objects': (text) => `${'{a: '.repeat(3000)}1${'}'.repeat(3000)}\n---\n${text}`,
  'cut off': (text, number) => {
    const lines = text.split('\n');
    return `${lines.slice(0, number % lines.length).join('\n')}\n${BROKEN[number % BROKEN.length]}`;
  },
  'lines ended by CR': (text) => text.replace(/\n/g, '\r'),
  'lines ended by CR LF': (text) => text.replace(/\n/g, '\r\n'),
  'lines ended by NEL': (text) => text.replace(/\n/g, '\u0085'),
  directives: (text) => `%YAML 1.1\n%TAG ! tag:x,2000:\n---\n${text}`,
  tags: (text) => text.replace(/: ([a-z])/g, ': !!str $1'),
  'tags of others': (text) => text.replace(/: ([a-z])/, ': !!js/function $1'),
  'JSON, an object a line': (text) =>
    objectsOf(text)
      .map((one) => JSON.stringify(one))
      .join('\n'),
  'a List in JSON': (text) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objectsOf(text) }),
  'JSON with a comma too many': (text) =>
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objectsOf(text) }).replace(/\}/, ',}'),
  'Lists in Lists': (text) =>
    JSON.stringify({ kind: 'List', items: [{ kind: 'List', items: [{ kind: 'List', items: objectsOf(text) }] }] }),
  'an array': (text) => JSON.stringify(objectsOf(text)),
  merges: (text) => `${text.replace(/^spec:/m, 'spec: &s\n  <<: [{a: 1}, {b: 2}]\n')}\n---\nx: *s\n`,
  'templates in comments': (text) => text.replace(/$/gm, ' # {{ x }} '),
  'a template': (text) => `{{- if .Values.x }}\n${text}\n{{- end }}\n`,
  'commands in comments': (text) => text.replace(/$/gm, ' # ::error::x'),
  'empty documents': (text) => `${'---\n'.repeat(3000)}${text}`,
  'many anchors': (text) =>
    `kind: X\n${Array.from({ length: 2000 }, (_, at) => `k${at}: &k${at} "*${at}"`).join('\n')}\n---\n${text}`,
  'numbers of other languages': (text, number) =>
    text.replace(
      /"?(\d+)"?/,
      ['0o17', '0x1F', '1_000', '+12', '.5', '1e3', '190:20:30', '.inf', '2001-01-01'][number % 9] ?? '',
    ),
  'a document that is no object': (text, number) => `${text}\n---\n${ODD[number % ODD.length]}`,
  'twice the same': (text) => `${text}\n---\n${text}`,
  'a block of lines without end': (text) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata:\n  a: |\n${'    x\n'.repeat(20000)}---\n${text}`,
};

type Encoding = (text: string, number: number) => Buffer;

export const ENCODINGS: Readonly<Record<string, Encoding>> = {
  'UTF-8': (text) => Buffer.from(text),
  'UTF-8 with a mark': (text) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]),
  'two marks': (text) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf]), Buffer.from(text)]),
  'a mark in the middle': (text) => Buffer.from(`${text}\n---\n\ufeff${text}`),
  'UTF-16, little end first': (text) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]),
  'UTF-16 without a mark': (text) => Buffer.from(text, 'utf16le'),
  'UTF-16, big end first': (text) => Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(text, 'utf16le').swap16()]),
  'UTF-16, cut in a character': (text) =>
    Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le').subarray(1)]),
  'Latin-1': (text) => Buffer.from(`# caf\u00e9\n${text}`, 'latin1'),
  overlong: (text) => Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80])]),
  'a NUL': (text) => Buffer.from(`${text.slice(0, 100)}\0${text.slice(100)}`),
  gzip: (text) => gzipSync(text),
  noise: (_, number) => Buffer.from(Array.from({ length: 600 }, (_one, at) => (at * 7919 * (number + 1)) % 256)),
  nothing: () => Buffer.alloc(0),
  'a pointer of Git LFS': () =>
    Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`),
};
