import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { load } from 'js-yaml';

const ROOT = join(__dirname, '..');
const WORKFLOW = join(ROOT, 'examples', 'ci', 'mesh-edge-diff.yaml');
const OPENED = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: tickets, namespace: platform}
spec:
  hosts: [tickets.example.org]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{number: 443, name: tls, protocol: TLS}]
`;

interface Step {
  readonly name?: string;
  readonly run?: string;
  readonly env?: Record<string, string>;
}

/** The shell steps of the workflow that a reader would copy, as they stand there. */
function stepsOf(file: string): Step[] {
  const workflow = load(readFileSync(file, 'utf8')) as { jobs: { diff: { steps: Step[] } } };
  return workflow.jobs.diff.steps;
}

describe('the workflow that comments on a pull request', () => {
  const home = mkdtempSync(join(tmpdir(), 'mesh-edge-workflow-'));
  const repository = join(home, 'repository');
  const summary = join(home, 'summary.md');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      cwd: repository,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();

  /** Runs the step that compares, with the shell and the flags that GitHub gives to `run`. */
  function compare(base: string): string {
    const { run } = stepsOf(WORKFLOW).find(({ name }) => name === 'Compare the traffic of both sides')!;
    writeFileSync(summary, '');
    execFileSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run!], {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PATH: `${join(home, 'bin')}${delimiter}${process.env.PATH}`,
        BASE: base,
        GITHUB_STEP_SUMMARY: summary,
      },
    });
    return readFileSync(join(repository, 'traffic.md'), 'utf8');
  }

  beforeAll(() => {
    mkdirSync(join(home, 'bin'));
    // A repository that has the package installed finds the command by npx; here it is the one of this checkout.
    writeFileSync(join(home, 'bin', 'npx'), `#!/bin/sh\nshift\nexec node '${join(ROOT, 'bin', 'mesh-edge')}' "$@"\n`);
    chmodSync(join(home, 'bin', 'npx'), 0o755);
    cpSync(join(ROOT, 'examples', 'platform-team', 'dist'), join(repository, 'dist'), { recursive: true });
    git('init', '--quiet', '--initial-branch', 'main');
    git('add', '.');
    git('commit', '--quiet', '-m', 'before');
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('says what a branch opens, beside a base that has gone on meanwhile', () => {
    git('checkout', '--quiet', '-b', 'change');
    writeFileSync(join(repository, 'dist', 'egress', 'tickets.yaml'), OPENED);
    git('add', '.');
    git('commit', '--quiet', '-m', 'open tickets');
    git('checkout', '--quiet', 'main');
    rmSync(join(repository, 'dist', 'legacy'), { recursive: true });
    git('commit', '--quiet', '-am', 'something else on main');
    const base = git('rev-parse', 'HEAD');
    git('checkout', '--quiet', 'change');

    const comment = compare(base);
    expect(comment).toContain('tickets.example.org');
    expect(comment).not.toContain('legacy');
    expect(readFileSync(summary, 'utf8')).toBe(comment);
  });

  it('says that nothing changes where nothing does', () => {
    git('checkout', '--quiet', '-b', 'renamed', 'change');
    git('mv', 'dist/egress/tickets.yaml', 'dist/egress/site.yaml');
    git('commit', '--quiet', '-m', 'rename a file');
    expect(compare(git('rev-parse', 'change'))).toMatch(/no change of traffic/i);
  });
});
