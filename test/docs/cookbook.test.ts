/** Each recipe of the cookbook does what it says. `UPDATE_DOCS=1` writes the page that shows them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiObject, Chart } from 'cdk8s';
import { EdgeApp } from '../../src';
import { acceptedMesh } from '../../src/check/accepted';
import { check } from '../../src/check/check';
import type { Loaded } from '../../src/model/manifest';
import { loadSubject } from '../../src/model/subject';
import { trace } from '../../src/trace';
import type { TraceRequest } from '../../src/trace/types';

jest.mock('cdk8s-mesh-edge', (): unknown => jest.requireActual('../../src/index'), { virtual: true });

const ROOT = join(__dirname, '..', '..');
const FOLDER = join(ROOT, 'examples', 'cookbook');
const PAGE = join(ROOT, 'docs', 'cookbook.md');

interface Recipe {
  readonly file: string;
  readonly title: string;
  readonly text: string;
  /** What it says of requests, a line each. */
  readonly claims: readonly string[];
  readonly code: string;
}

function read(file: string): Recipe {
  const source = readFileSync(join(FOLDER, file), 'utf8');
  const [, head = '', code = ''] = /^((?:\/\/.*\n)+)([^]*)$/.exec(source) ?? [];
  const lines = head.split('\n').map((line) => line.slice(3));
  const isClaim = (line: string): boolean => line.startsWith('    ');
  const [title = '', , ...rest] = lines;
  return {
    file,
    title,
    text: rest
      .filter((line) => !isClaim(line))
      .join('\n')
      .trim(),
    claims: rest.filter(isClaim).map((line) => line.trim()),
    code: code.trim(),
  };
}

const RECIPES = readdirSync(FOLDER).sort().map(read);

function made({ file }: Recipe): Loaded {
  const { recipe } = jest.requireActual<{ recipe: (chart: Chart) => void }>(join(FOLDER, file));
  const chart = new Chart(new EdgeApp(), 'edge');
  recipe(chart);
  applications(new Chart(chart, 'applications'));
  return loadSubject(chart, 'the cookbook');
}

/** The Services that recipes send to, with their workloads. */
function applications(chart: Chart): void {
  for (const [name, port] of Object.entries({ web: 80, 'web-next': 80, orders: 8080 })) {
    const metadata = { name, namespace: 'shop' };
    const [labels, spec] = [{ app: name }, { containers: [{ name, image: 'example.com/app' }] }];
    new ApiObject(chart, `${name}-service`, {
      ...{ apiVersion: 'v1', kind: 'Service', metadata },
      spec: { selector: labels, ports: [{ name: 'http', port, targetPort: 8080 }] },
    });
    new ApiObject(chart, `${name}-workload`, {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    });
  }
}

function asked(claim: string): { readonly request: TraceRequest; readonly outcome: string } {
  const words = claim.split(' ');
  const option = (name: string): string | undefined => {
    const at = words.indexOf(`--${name}`);
    return at < 0 ? undefined : words.splice(at, 2)[1];
  };
  const [at, method] = [option('at'), option('method')];
  const [from = '', request = '', outcome = ''] = words;
  return { request: { from, request, at, method }, outcome };
}

describe.each(RECIPES.map((recipe) => [recipe.title, recipe] as const))('%s', (_, recipe) => {
  const loaded = made(recipe);

  it('breaks no rule', () => {
    const { findings } = check(loaded);
    expect(findings.filter(({ severity }) => severity === 'error').map(({ id, what }) => `${id} ${what}`)).toEqual([]);
  });

  it('does with requests what it says', () => {
    const mesh = acceptedMesh(loaded.manifests, {});
    const claims = recipe.claims.map(asked);
    expect(claims.map(({ request }) => trace(mesh, request).outcome)).toEqual(claims.map(({ outcome }) => outcome));
  });
});

it('docs/cookbook.md shows them all', () => {
  const anchor = ({ title }: Recipe): string => title.toLowerCase().replace(/[^a-z0-9 -]/g, '').replace(/ /g, '-');
  const page = [
    '# Cookbook',
    'How to say what people ask for. Each recipe is a file of [examples/cookbook](../examples/cookbook), and a test holds it to what it says of requests.',
    RECIPES.map((recipe, index) => `${index + 1}. [${recipe.title}](#${anchor(recipe)})`).join('\n'),
    ...RECIPES.flatMap(({ file, title, text, claims, code }) => [
      `## ${title}`,
      text,
      `\`\`\`ts\n${code}\n\`\`\``,
      ...(claims.length > 0 ? [`\`\`\`\n${claims.join('\n')}\n\`\`\``] : []),
      `[${file}](../examples/cookbook/${file})`,
    ]),
  ].join('\n\n');
  if (process.env.UPDATE_DOCS) writeFileSync(PAGE, `${page}\n`);
  expect(readFileSync(PAGE, 'utf8')).toBe(`${page}\n`);
});
