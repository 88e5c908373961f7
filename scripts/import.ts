/**
 * `npm run import`: makes `imports/` anew from the pinned CRDs. Prose is stripped, one version a kind is kept, and the
 * result is the same bytes each time.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { CRD_SOURCES, type Crd, type Json, readCrds } from './crd-sources';

const ROOT = resolve(__dirname, '..');
const OUT = join(ROOT, 'imports');

/** Drops what only people read. A property that is itself named `description` is a schema, and stays. */
function withoutProse(node: Json, inProperties = false): Json {
  if (Array.isArray(node)) return node.map((item) => withoutProse(item));
  if (node === null || typeof node !== 'object') return node;
  const isProse = (key: string, value: Json) => !inProperties && key === 'description' && typeof value === 'string';
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key, value]) => !isProse(key, value))
      .map(([key, value]) => [key, withoutProse(value, !inProperties && key === 'properties')]),
  );
}

function onlyVersion(crd: Crd, version: string): Crd {
  const versions = crd.spec.versions
    .filter((v) => v.name === version)
    .map((v) => ({ ...v, storage: true, schema: { openAPIV3Schema: withoutProse(v.schema.openAPIV3Schema) } }));
  return { ...crd, metadata: { name: crd.metadata.name }, spec: { ...crd.spec, versions } };
}

function main(): void {
  const work = mkdtempSync(join(tmpdir(), 'mesh-edge-import-'));
  try {
    const documents = CRD_SOURCES.flatMap((source) => {
      process.stderr.write(`reading ${source.module}@${source.version}\n`);
      return readCrds(source).map((crd) => onlyVersion(crd, source.kinds[`${crd.spec.names.kind}.${crd.spec.group}`]));
    });
    const yaml = documents.map((d) => `---\n${stringify(d, { aliasDuplicateObjects: false, lineWidth: 0 })}`);
    writeFileSync(join(work, 'crds.yaml'), yaml.join(''));
    const cli = join(dirname(require.resolve('cdk8s-cli/package.json')), 'bin', 'cdk8s');
    const args = ['import', 'crds.yaml', '--language', 'typescript', '--output', 'out', '--no-save'];
    execFileSync(process.execPath, [cli, ...args], {
      cwd: work,
      env: { ...process.env, CDK8S_CHECK_UPGRADE: 'false' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const made = readdirSync(join(work, 'out')).sort();
    const missing = [...new Set(documents.map((d) => `${d.spec.group}.ts`))].filter((file) => !made.includes(file));
    if (missing.length)
      throw new Error(`cdk8s import made no ${missing.join(', ')}; it made ${made.join(', ') || 'nothing'}`);
    rmSync(OUT, { recursive: true, force: true });
    mkdirSync(OUT, { recursive: true });
    for (const file of made) writeFileSync(join(OUT, file), readFileSync(join(work, 'out', file), 'utf8'));
    process.stderr.write(`wrote ${made.map((f) => `imports/${f}`).join(', ')}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

main();
