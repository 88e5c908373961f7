/** Files that others run: they parse, and the commands in them exist. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { load } from 'js-yaml';

const ROOT = join(__dirname, '..');
const read = (file: string) => load(readFileSync(join(ROOT, file), 'utf8')) as any;
const help = (command: string) =>
  execFileSync(process.execPath, [join(ROOT, 'bin/mesh-edge'), command, '--help'], { encoding: 'utf8' });
const scripts = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> })
  .scripts;

describe('what others run', () => {
  it.each(['action.yml', '.github/workflows/ci.yml', '.github/workflows/release.yml'])(
    '%s names commands that exist',
    (file) => {
      const workflow = read(file);
      const steps: any[] = workflow.runs?.steps ?? Object.values<any>(workflow.jobs).flatMap((job) => job.steps);
      const lines = steps.map(({ run }) => String(run ?? '')).join('\n');
      for (const [, script = ''] of lines.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(script);
      for (const [, command = '', flags = ''] of lines.matchAll(/cdk8s-mesh-edge@\$VERSION" (\w+)(.*)/g))
        for (const [flag] of flags.matchAll(/--[\w-]+/g)) expect(help(command)).toContain(flag);
      for (const [, file = ''] of lines.matchAll(/(\.ci\/\w+)/g)) expect(existsSync(join(ROOT, file))).toBe(true);
    },
  );

  it('the pre-commit hook runs a command that exists, by a name that the package installs', () => {
    const [hook] = read('.pre-commit-hooks.yaml');
    const [name, command] = hook.entry.split(' ');
    expect(Object.keys((JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as any).bin)).toContain(name);
    expect(help(command)).toContain('mesh-edge check');
  });

  it('shell steps take what strangers name as variables, and never as text of the script', () => {
    for (const file of ['action.yml', '.github/workflows/ci.yml', '.github/workflows/release.yml']) {
      const workflow = read(file);
      const steps: any[] = workflow.runs?.steps ?? Object.values<any>(workflow.jobs).flatMap((job) => job.steps);
      for (const { run } of steps) expect(String(run ?? '')).not.toContain('${{');
    }
  });
});

describe('the notices of what is bundled', () => {
  const { notices } = createRequire(__filename)('../scripts/notices.cjs') as { notices(): string };
  const text = notices();

  it('name each library of which anything is in a bundle, with its licence, and no other', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as any;
    const named = [...text.matchAll(/^(@?[\w/.-]+) \d+\.\d+\.\d+ \((.*)\)$/gm)].map(([, name, licence]) => [
      name,
      licence,
    ]);
    expect(named).toEqual(
      expect.arrayContaining([
        ['@bufbuild/re2', 'MIT'],
        ['js-yaml', 'MIT'],
        ['yaml', 'ISC'],
        ['@bufbuild/cel', 'Apache-2.0'],
      ]),
    );
    expect(named.map(([name]) => name)).not.toContain('fast-check'); // of the tests alone
    const known = { ...dependencies, ...devDependencies };
    for (const name of ['commander', 'picocolors', 'yaml', '@bufbuild/protobuf'].filter((one) => one in known))
      expect(text).toContain(`\n${name} ${known[name]} (`);
  });

  it('have the terms in full, also of parts that come from elsewhere', () => {
    expect(text).toContain('Copyright 2008 Google Inc.');
    expect(text).toContain('Redistributions in binary form must reproduce');
    expect(text).toContain('Copyright (c) 2023 Alexey Vasiliev');
    expect(text).toContain('TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION');
  });
});
