import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from '../src/check/check';
import { load } from '../src/model/load';

const ROOT = join(__dirname, '..');

function filesOf(folder: string, under = ''): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(join(folder, under), { withFileTypes: true })) {
    const path = join(under, entry.name);
    if (entry.isDirectory()) filesOf(folder, path).forEach((text, name) => files.set(name, text));
    else files.set(path, readFileSync(join(folder, path), 'utf8'));
  }
  return files;
}

describe('dist/', () => {
  const out = mkdtempSync(join(tmpdir(), 'mesh-edge-dist-'));
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it('is what the app synthesizes now, byte for byte, and holds nothing else', () => {
    execFileSync(process.execPath, [join(ROOT, 'scripts', 'synth.mjs')], {
      cwd: ROOT,
      env: { ...process.env, CDK8S_OUTDIR: out },
    });
    const made = filesOf(out);
    made.delete('construct-metadata.json');
    const committed = filesOf(join(ROOT, 'dist'));
    expect([...committed.keys()].sort()).toEqual([...made.keys()].sort());
    for (const [file, text] of made) expect({ file, text: committed.get(file) }).toEqual({ file, text });
  });

  it('is what its record says that synth wrote', () => {
    const record = readFileSync(join(ROOT, '.dist.synthesized'), 'utf8')
      .split('\n')
      .filter((line) => !/^#|^$/.test(line));
    expect(record).toEqual([...filesOf(join(ROOT, 'dist')).keys()].sort());
  });

  it('holds no Secret and no key', () => {
    for (const [file, text] of filesOf(join(ROOT, 'dist'))) {
      expect({ file, has: /^kind: Secret$/m.test(text) || /BEGIN [A-Z ]*PRIVATE KEY/.test(text) }).toEqual({
        file,
        has: false,
      });
    }
  });

  it.each(readdirSync(join(ROOT, 'dist')))(
    'holds nothing wrong in %s, beside the gateway and the applications that it needs',
    (name) => {
      const install = join(ROOT, 'dist', 'egress-gateway-install', 'egress-gateway-install.yaml');
      const { findings } = check(load([join(ROOT, 'dist', name), install, join(ROOT, 'test/mesh/fixtures/base.yaml')]));
      expect(findings.filter(({ severity }) => severity === 'error').map(({ id, what }) => `${id} ${what}`)).toEqual(
        [],
      );
    },
  );
});
