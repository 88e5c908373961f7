import { loadText } from '../../src/model/load';

/** As `sigs.k8s.io/yaml` 1.6.0 and kustomize 5.7.1 read them. */
const NUMBERS: readonly (readonly [string, unknown])[] = [
  ['0755', 493],
  ['0899', 899],
  ['0o17', 15],
  ['0x1F', 31],
  ['0b11', 3],
  ['1_000', 1000],
  ['1_0.5', 10.5],
  ['+5', 5],
  ['-017', -15],
  ['0', 0],
  ['1:30', '1:30'],
  ['1e3', 1000],
  ['10.0.0.1', '10.0.0.1'],
];

test.each(NUMBERS)('%s is the number that Kubernetes reads', (written, value) => {
  const read = (text: string): unknown => (loadText(text).manifests[0]?.body as { spec?: { a?: unknown } }).spec?.a;
  const text = `apiVersion: example.org/v1\nkind: X\nmetadata: { name: x }\nspec:\n  a: ${written}\n`;
  expect(read(text)).toBe(value);
  // Anchors are read by the library alone.
  expect(read(text.replace('\n  a:', '\n  b: &b 1\n  a:'))).toBe(value);
});
