/**
 * What Envoy Gateway's own CEL tests create, and how they expect an API server to refuse it. The tests themselves tell: they are taken
 * from the Go module cache, their client is one that writes objects down (`record_test.go`), and they run. Nothing of theirs is kept here.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { build, go, GO_FLAGS, moduleFolder, type Part } from '../lab/build';
import { partFolder } from '../lab/cache';
import { CEL_RELEASES } from '../lab/versions';

export interface CelCase {
  readonly Test: string;
  readonly Object: Readonly<Record<string, unknown>>;
  /** Parts of the API server's answer; none if it takes the object. */
  readonly WantErrors: readonly string[];
}

const MODULE = 'github.com/envoyproxy/gateway';
/** Its release is tagged on the module proxy, but not known to the checksum database. */
const ENV = { GONOSUMDB: MODULE };

/** Where the tests create an object, and what they expect of it; the last change takes out an import that they are given otherwise. */
const PATCHES: readonly (readonly [RegExp, string])[] = [
  [/\bc\.Create\(ctx, (\w+)\)/g, 'record(t, $1, tc.wantErrors...)'],
  [/\bc\.Status\(\)\.Update\(ctx, \w+\)/g, 'error(nil)'],
  [/\bc\.Create\(t\.Context\(\), (\w+)\)/g, 'record(t, $1, tt.expectedError)'],
  [/\bc\.Delete\(t\.Context\(\), \w+\)/g, 'error(nil)'],
  [/\n\tctx := context\.Background\(\)\n/g, '\n'],
  [/\n\t"context"\n/g, '\n'],
  [/\n\t"github\.com\/envoyproxy\/gateway\/internal\/gatewayapi"\n/g, '\n'],
];

async function tell(folder: string): Promise<void> {
  const module = moduleFolder(MODULE, `v${CEL_RELEASES.envoyGatewayVersion}`, ENV);
  const source = path.join(module, 'test/cel-validation');
  const wrapper = path.join(folder, 'wrapper');
  fs.mkdirSync(wrapper);
  const { 1: language = '1.25' } = /^go (\S+)$/m.exec(fs.readFileSync(path.join(module, 'go.mod'), 'utf8')) ?? [];
  fs.writeFileSync(
    path.join(wrapper, 'go.mod'),
    `module mesh-edge/cel\n\ngo ${language}\n\nrequire ${MODULE} v${CEL_RELEASES.envoyGatewayVersion}\n`,
  );
  fs.writeFileSync(path.join(wrapper, 'go.sum'), fs.readFileSync(path.join(module, 'go.sum')));
  fs.copyFileSync(path.join(__dirname, 'record_test.go'), path.join(wrapper, 'record_test.go'));
  for (const name of fs.readdirSync(source).filter((file) => file.endsWith('_test.go') && file !== 'main_test.go')) {
    let text = fs.readFileSync(path.join(source, name), 'utf8');
    for (const [before, after] of PATCHES) text = text.replace(before, after);
    fs.writeFileSync(path.join(wrapper, name), text);
  }
  const dump = path.join(folder, 'cases.jsonl');
  const args = ['test', '-mod=mod', '-count=1', '-tags', 'celvalidation', ...GO_FLAGS, '.'];
  await go(args, wrapper, { ...ENV, MESH_EDGE_DUMP: dump });
  fs.rmSync(wrapper, { recursive: true });
}

function part(): Part {
  const hash = createHash('sha256');
  for (const name of ['record_test.go', 'cases.ts']) hash.update(fs.readFileSync(path.join(__dirname, name)));
  return {
    name: "Envoy Gateway's CEL tests",
    id: `cel-${CEL_RELEASES.envoyGatewayVersion}-${hash.digest('hex').slice(0, 12)}`,
    fill: tell,
  };
}

/** All cases, told by the tests on first use and kept in the cache. */
export async function celCases(say?: (line: string) => void): Promise<readonly CelCase[]> {
  const own = part();
  await build([own], say);
  const text = fs.readFileSync(path.join(partFolder(own.id), 'cases.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as CelCase);
}
