import { unreadOf } from '../../src/diff/unread';
import { loadText } from '../../src/model/load';

const entry = (host: string, extra = ''): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: a, namespace: shop }
${extra}spec: { hosts: [${host}], resolution: DNS, ports: [{ number: 443, name: tls, protocol: TLS }] }
`;

/** What is not decided, and what is noted, of two texts of a file. */
function of(
  was: string,
  is: string,
  [old, now] = ['m/a.yaml', 'm/a.yaml'],
): readonly [readonly string[], readonly string[]] {
  const { doubts, notes } = unreadOf(loadText(was, old), loadText(is, now));
  return [doubts.map(({ what, why }) => `${what}: ${why}`), notes];
}

describe('what could not be read of two sets', () => {
  // kubectl takes the last of two values, whatever others make of the document.
  it.each([
    ['a key is given twice', entry('a.example.com', 'spec: {}\n'), entry('evil.example.net', 'spec: {}\n')],
    ['the YAML is broken', entry('a.example.com', 'x: [\n'), entry('evil.example.net', 'x: [\n')],
    [
      'there is no kind',
      entry('a.example.com').replace(/kind.*\n/, ''),
      entry('b.example.com').replace(/kind.*\n/, ''),
    ],
    ['a tool fills it in', entry('a.example.com', '{{ if .x }}\n'), entry('evil.example.net', '{{ if .x }}\n')],
    [
      'it is a pointer of Git LFS',
      'version https://git-lfs.github.com/spec/v1\noid sha256:1\n',
      'version https://git-lfs.github.com/spec/v1\noid sha256:2\n',
    ],
  ])('is not decided where it differs, though it is unread for the same reason: %s', (_what, was, is) => {
    expect(of(was, is)[0]).toHaveLength(2);
    expect(of(was, was)[0]).toEqual([]);
  });

  it('is noted where it is the same, wherever it stands', () => {
    const broken = entry('a.example.com', 'spec: {}\n');
    const [doubts, notes] = of(broken, `${entry('b.example.com')}---\n${broken}`, ['m/a.yaml', 'm/moved/b.yaml']);
    expect([doubts, notes.length]).toEqual([[], 2]);
  });

  it('is not decided where one side alone has it', () => {
    expect(of(entry('a.example.com'), entry('a.example.com', 'spec: {}\n'))[0]).toEqual([
      'm/a.yaml:5: the document cannot be read: duplicated mapping key',
    ]);
  });
});
