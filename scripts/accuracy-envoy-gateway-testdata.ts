/**
 * How many requests in the worlds of Envoy Gateway's own tests `trace` answers as its translator does.
 *
 *   npm run accuracy:envoy-gateway:testdata -- [--release 1.9]... [--world TEXT] [--write]
 *
 * The tests come from the Go module cache. With --write the numbers go into docs/accuracy/envoy-gateway.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { COMPONENTS } from '../src/model/releases';
import { compareWorld, type Compared } from '../test/envoy-gateway-testdata/compare';
import { reasonOf } from '../test/envoy-gateway-testdata/known';
import { testedVersion, translatedWorlds } from '../test/envoy-gateway-testdata/worlds';

const { values } = parseArgs({
  options: {
    release: { type: 'string', multiple: true, default: COMPONENTS.envoyGateway.releases.map(({ name }) => name) },
    world: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
  },
});

function told({ world, gateway, ask, difference }: Compared): string {
  const { method, scheme, host, port, path, headers } = ask;
  return `${world}: ${gateway}: ${method} ${scheme}://${host}:${port}${path} ${JSON.stringify(headers)}: ${difference ?? ''}`;
}

function main(): number {
  const rows: string[] = [];
  const reasons = new Map<string, number>();
  let unexplained = 0;
  for (const release of values.release) {
    let [worlds, asked, alike] = [0, 0, 0];
    for (const world of translatedWorlds(release, values.world)) {
      worlds += 1;
      for (const compared of compareWorld(world)) {
        asked += 1;
        if (compared.difference === undefined) {
          alike += 1;
          continue;
        }
        const why = reasonOf(compared);
        if (why === undefined) unexplained += 1;
        reasons.set(why ?? 'not explained', (reasons.get(why ?? 'not explained') ?? 0) + 1);
        console.log(`${release}: ${told(compared)}${why === undefined ? '' : ` [${why}]`}`);
      }
    }
    rows.push(`| ${testedVersion(release).slice(1)} | ${worlds} | ${asked} | ${alike} (${((100 * alike) / asked).toFixed(1)} %) |`); // prettier-ignore
  }
  const text = [
    '`npm run accuracy:envoy-gateway:testdata -- --write`',
    '',
    '| Envoy Gateway | worlds | requests | answered alike |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    'The others, in all releases, and why:',
    '',
    ...[...reasons].sort(([, a], [, b]) => b - a).map(([why, count]) => `- ${why} (${count})`),
  ].join('\n');
  console.log(text);
  if (values.write) {
    const file = 'docs/accuracy/envoy-gateway.md';
    const page = readFileSync(file, 'utf8');
    writeFileSync(file, page.replace(/(<!-- testdata -->)[^]*?(<!-- end of testdata -->)/, `$1\n\n${text}\n\n$2`));
  }
  return unexplained > 0 ? 1 : 0;
}

process.exit(main());
