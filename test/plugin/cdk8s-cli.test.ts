import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BuildOptions, buildSync } from 'esbuild';

const root = join(__dirname, '../..');
const { bundle, isFresh } = createRequire(__filename)('../../scripts/bundle-reading-half.cjs') as {
  bundle(only: readonly string[]): void;
  isFresh(to: string): boolean;
};
const home = mkdtempSync(join(tmpdir(), 'mesh-edge-cdk8s-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** A repository of a team: an app, and the plugin named in cdk8s.yaml. */
function repository(): void {
  const bundled: BuildOptions = {
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['cdk8s', 'constructs', 'jest'],
  };
  const plugin = 'lib/plugin/index.js';
  if (!isFresh(plugin)) bundle([plugin]);
  mkdirSync(join(home, 'plugin'));
  writeFileSync(join(home, 'plugin/index.js'), `module.exports = require(${JSON.stringify(join(root, plugin))});`);
  buildSync({
    ...bundled,
    outfile: join(home, 'app.js'),
    stdin: {
      contents: `
        import { readFileSync } from 'node:fs';
        import { ApiObject, Chart } from 'cdk8s';
        import { EdgeApp } from './src/app/edge-app';
        const app = new EdgeApp();
        new ApiObject(new Chart(app, 'edge'), 'Entry', JSON.parse(readFileSync('entry.json', 'utf8')));
        app.synth();
      `,
      resolveDir: root,
      loader: 'ts',
    },
  });
  symlinkSync(join(root, 'node_modules'), join(home, 'node_modules'));
  writeFileSync(join(home, 'package.json'), '{}');
  // A plugin of somebody else, which refuses what it is told to refuse.
  mkdirSync(join(home, 'other'));
  writeFileSync(
    join(home, 'other/index.js'),
    `exports.Other = class { async validate(context) { context.report.submit(require('fs').existsSync('refuse') ? 'failure' : 'success'); } };`,
  );
  writeFileSync(
    join(home, 'cdk8s.yaml'),
    [
      'language: typescript',
      'app: node app.js',
      'output: .cdk8s-staging',
      'validations:',
      '  - { package: ./plugin/index.js, version: 0.1.0, class: MeshEdgeValidation }',
      '  - { package: ./other/index.js, version: 0.1.0, class: Other }',
      '',
    ].join('\n'),
  );
}

function synth(resolution: string, ...args: readonly string[]) {
  const entry = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: 'cdn', namespace: 'app' },
    spec: { hosts: ['*.example.com'], ports: [{ number: 443, name: 'tls', protocol: 'TLS' }], resolution },
  };
  writeFileSync(join(home, 'entry.json'), JSON.stringify(entry));
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/cdk8s-cli/bin/cdk8s'), 'synth', ...args],
    {
      cwd: home,
      encoding: 'utf8',
      env: { ...process.env, CDK8S_CHECK_UPGRADE: 'false', CDK8S_OUTDIR: undefined },
      timeout: 60_000,
    },
  );
  return { status, stderr };
}

const dist = () => readFileSync(join(home, 'dist/edge/edge.yaml'), 'utf8');

describe('cdk8s synth with the validation plugin', () => {
  beforeAll(repository);

  it('leaves dist/ as it was when the plugin, or any other, refuses', () => {
    const refused = synth('DNS');
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('dist/ stays as it was');
    expect(existsSync(join(home, 'dist'))).toBe(false);

    const accepted = synth('NONE');
    expect(accepted).toEqual({ status: 0, stderr: expect.stringMatching(/^dist\/: 1 added$/m) });
    expect(dist()).toContain('resolution: NONE');

    writeFileSync(join(home, 'refuse'), '');
    expect(synth('STATIC').status).toBe(2);
    expect(dist()).toContain('resolution: NONE');
    rmSync(join(home, 'refuse'));
    expect(
      readdirSync(home)
        .filter((name) => name.startsWith('.'))
        .sort(),
    ).toEqual(['.cdk8s-staging', '.dist.synthesized']);
  }, 60_000);

  it('writes dist/ at once where nothing is validated', () => {
    expect(synth('DNS', '--no-validate')).toEqual({ status: 0, stderr: expect.stringMatching(/^dist\/: 1 changed$/m) });
    expect(dist()).toContain('resolution: DNS');
  }, 60_000);
});
