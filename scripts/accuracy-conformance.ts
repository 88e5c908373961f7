/**
 * What `trace` and `check` say of the worlds of the Gateway API's conformance tests and of Envoy Gateway's end-to-end tests, against what these tests
 * expect of implementations.
 *
 *   npm run accuracy:conformance -- [--test TEXT] [--without-check] [--unread] [--write]
 *
 * The tests come from the Go module cache. With --write the numbers go into docs/accuracy/conformance.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compareTest, type Compared } from '../test/conformance/compare';
import { judgeTest } from '../test/conformance/conditions';
import { reasonOf, silenceOf } from '../test/conformance/known';
import { envoyGatewayTests, gatewayApiTests, installationOfTests, type Source } from '../test/conformance/source';
import { envoyGateway, istio, passesOver, type Implementation } from '../test/conformance/worlds';

const { values } = parseArgs({
  options: {
    test: { type: 'string', default: '' },
    'without-check': { type: 'boolean', default: false },
    unread: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

/** Each product with the tests that it is held to itself: those of the Gateway API that it is built for, and its own. */
function* pairs(): Generator<readonly [Source, Implementation]> {
  const standard = [
    ['1.4', gatewayApiTests('v1.4.1'), '1.29', '1.7'],
    ['1.5', gatewayApiTests('v1.5.1'), '1.30', '1.8'],
    ['1.6', gatewayApiTests('v1.6.3'), '1.32', '1.9'],
  ] as const;
  for (const [api, source, ofIstio, ofEnvoyGateway] of standard) {
    yield [source, istio(ofIstio, api)];
    yield [source, envoyGateway(ofEnvoyGateway, api)];
  }
  for (const [release, version] of [
    ['1.6', 'v1.6.3'],
    ['1.7', 'v1.7.0'],
  ] as const)
    // prettier-ignore
    yield [envoyGatewayTests(version, 'v1.4.1'), envoyGateway(release, '1.4', installationOfTests(version))];
}

function wordsOf({ at, from, method, request, headers, sni }: Compared['request']): string {
  const sent = Object.entries(headers ?? {}).map(([name, value]) => ` ${name}=${value.length > 40 ? `${value.slice(0, 37)}...` : value}`); // prettier-ignore
  return `${at ?? from} ${method ?? ''} ${request}${sent.join('')}${sni === undefined ? '' : ` SNI ${sni}`}`;
}

class Counted {
  public readonly reasons = new Map<string, number>();
  public unexplained = 0;

  public count(why: string | undefined, told: string): void {
    if (why === undefined) this.unexplained += 1;
    this.reasons.set(why ?? 'not explained', (this.reasons.get(why ?? 'not explained') ?? 0) + 1);
    console.log(`${told}${why === undefined ? '' : ` [${why}]`}`);
  }

  public get lines(): readonly string[] {
    return [...this.reasons].sort(([, a], [, b]) => b - a).map(([why, count]) => `- ${why} (${count})`);
  }
}

const share = (part: number, whole: number): string => (whole === 0 ? '-' : `${part} (${((100 * part) / whole).toFixed(1)} %)`); // prettier-ignore

function traced(source: Source, implementation: Implementation, others: Counted): readonly (string | number)[] {
  let [tests, asked, alike, unknown, unread] = [0, 0, 0, 0, 0];
  for (const test of source.tests) {
    if (!test.name.includes(values.test) || passesOver(implementation, test)) continue;
    const compared = compareTest(test, implementation);
    if (compared.length > 0) tests += 1;
    for (const one of compared) {
      if ('unread' in one) {
        unread += 1;
        if (values.unread)
          console.log(`${source.title}: ${one.test} (${test.file}:${one.line}): unread: ${one.unread}`);
        continue;
      }
      asked += 1;
      if (one.difference === undefined) alike += 1;
      else if (one.told?.outcome === 'unknown') unknown += 1;
      else others.count(reasonOf(one), `${implementation.title}: ${one.test} (${test.file}:${one.line}): ${wordsOf(one.request)}: ${one.difference}`); // prettier-ignore
    }
  }
  return [source.title, implementation.title, tests, asked, share(alike, asked), unknown, unread];
}

function checked(source: Source, implementation: Implementation, silent: Counted): readonly (string | number)[] {
  let [worlds, amiss, said, errors] = [0, 0, 0, 0];
  for (const test of source.tests) {
    if (test.manifests.length === 0 || !test.name.includes(values.test) || passesOver(implementation, test)) continue;
    const judged = judgeTest(test, implementation);
    worlds += 1;
    amiss += judged.amiss.length;
    said += judged.amiss.length - judged.unsaid.length;
    errors += judged.errors.length;
    for (const one of judged.unsaid)
      silent.count(silenceOf(test.name), `${implementation.title}: ${test.name}: nothing said of ${one.kind} ${one.namespace}/${one.name}: ${one.states.join(', ')}`); // prettier-ignore
    for (const { id, name, what, object } of judged.errors)
      console.log(`${implementation.title}: ${test.name}: ${id} ${name} of ${object?.kind} ${object?.namespace}/${object?.name}: ${what}`); // prettier-ignore
  }
  return [source.title, implementation.title, worlds, amiss, share(said, amiss), errors];
}

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
const table = (header: readonly string[], rows: readonly (readonly (string | number)[])[]): readonly string[] => [
  row(header),
  row(header.map(() => '---')),
  ...rows.map(row),
];

function main(): number {
  const [others, silent] = [new Counted(), new Counted()];
  const all = [...pairs()];
  const traces = all.map(([source, implementation]) => traced(source, implementation, others));
  const checks = values['without-check'] ? [] : all.map(([source, implementation]) => checked(source, implementation, silent)); // prettier-ignore
  const text = [
    '`npm run accuracy:conformance -- --write`',
    '',
    ...table(['tests', 'held to them', 'tests that ask', 'requests', 'answered alike', 'said to be unknown', 'not read'], traces), // prettier-ignore
    '',
    'The others, and why:',
    '',
    ...others.lines,
    '',
    ...table(['tests', 'held to them', 'worlds', 'states that are amiss', 'told by check', 'errors of others'], checks),
    '',
    'The states that nothing is said of, and why:',
    '',
    ...silent.lines,
  ].join('\n');
  console.log(text);
  if (values.write) {
    const file = 'docs/accuracy/conformance.md';
    const page = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      page.replace(/(<!-- conformance -->)[^]*?(<!-- end of conformance -->)/, `$1\n\n${text}\n\n$2`),
    );
  }
  return others.unexplained > 0 ? 1 : 0;
}

process.exit(main());
