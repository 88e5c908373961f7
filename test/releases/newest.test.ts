import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { COMPONENTS, COMPONENT_NAMES } from '../../src/model/releases';
import { compareVersions } from '../../src/model/releases-in-force';

/** It asks the module proxy, so only where it is told to: MESH_EDGE_ASK_PROXY=1 npx jest test/releases/newest.test.ts */
const asks = process.env.MESH_EDGE_ASK_PROXY !== undefined && process.env.MESH_EDGE_ASK_PROXY !== '';

const published = (module: string): readonly string[] =>
  execFileSync('go', ['list', '-m', '-versions', module], { cwd: tmpdir(), encoding: 'utf8' })
    .trim()
    .split(' ')
    .slice(1)
    .filter((version) => /^v\d+\.\d+\.\d+$/.test(version));

describe('the releases that are imported', () => {
  it.each(COMPONENT_NAMES)('of %s are listed newest first, with the module version of each', (component) => {
    const { releases } = COMPONENTS[component];
    const versions = releases.map(({ schemas }) => schemas);
    expect(versions).toEqual([...versions].sort((a, b) => compareVersions(b, a)));
    for (const { name, schemas } of releases) expect(schemas.startsWith(`v${name}.`)).toBe(true);
  });

  if (!asks) return;

  it.each(COMPONENT_NAMES)('of %s include the newest that is to be had', (component) => {
    const { module, releases, title } = COMPONENTS[component];
    const newest = [...published(module)].sort((a, b) => compareVersions(b, a))[0] ?? '';
    const known = releases[0]?.name ?? '';
    const minor = newest.replace(/^v(\d+\.\d+)\..*$/, '$1');
    const told = `${title} ${newest} is out and ${known} is the newest imported: docs/releases.md says what to do`;
    expect(minor === known ? '' : told).toBe('');
  });
});
