import * as fs from 'node:fs';
import * as path from 'node:path';
import { rules } from '../../src/check/rules';
import { type KubeObject } from '../lab/api';
import { readManifests } from '../lab/manifests';
import { asNew, refusalsOf } from './admission';
import { Mesh } from './mesh';

const TEST = path.resolve(__dirname, '..');
const DOCUMENT = path.join(TEST, '..', 'docs', 'stricter-than-admission.md');

/** The rules that say in advance what the API server or istiod's webhook would. */
const OF_ADMISSION = /-refused$|^(schema-violation|cel-rule-violation|unknown-kind|unreadable-document)$/;
/** Refused by admission or not, these two are about a request, and not about what may be applied. */
// The others are refused by Envoy Gateway's controller, which writes so into their status.
const NOT_OF_ADMISSION = ['request-refused', 'client-policy-refused', 'stream-policy-refused'];

/**
 * What this API server takes from nobody: input for an installer, kinds of controllers that the lab has not, what another cluster has given its id, and
 * Secrets without the contents that no file of ours may have.
 */
const isNotForApi = ({ apiVersion, kind, metadata, data, stringData }: KubeObject) =>
  /^(install\.istio\.io|helm\.toolkit\.fluxcd\.io|bitnami\.com|external-secrets\.io)\//.test(apiVersion) ||
  'uid' in metadata ||
  (kind === 'Secret' && !data && !stringData);

const HEAD = `# Where \`mesh-edge check\` is stricter than admission

Manifests of \`test/invalid/\` that a real API server, with every CRD's schema and CEL rules and istiod's webhook, takes as they
are, and the reason why we report them all the same. Those that it refuses too are not listed. Written by
\`npm run test:mesh -- --write\`; \`npm run test:mesh\` fails where this page is not what it sees.

| rule | manifest | why |
| --- | --- | --- |
`;

const casesIn = (folder: string): readonly (readonly [string, string])[] =>
  fs
    .readdirSync(path.join(TEST, folder))
    .sort()
    .flatMap((rule) =>
      fs
        .readdirSync(path.join(TEST, folder, rule))
        .sort()
        .map((name) => [rule, name] as const),
    );

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.open();
});

async function verdict(folder: string, rule: string, name: string): Promise<readonly string[]> {
  let objects: readonly KubeObject[];
  try {
    objects = readManifests([path.join(TEST, folder, rule, name)]);
  } catch (error) {
    return [(error as Error).message];
  }
  return refusalsOf(mesh, objects.filter((object) => !isNotForApi(object)).map(asNew));
}

describe('what our own rules refuse', () => {
  const stricter: string[] = [];
  const isOfAdmission = (rule: string) => OF_ADMISSION.test(rule) && !NOT_OF_ADMISSION.includes(rule);

  it.each(casesIn('invalid'))('%s/%s is refused by admission too, or for a reason of ours', async (rule, name) => {
    const refused = await verdict('invalid', rule, name);
    if (isOfAdmission(rule)) {
      expect(refused).not.toEqual([]);
      return;
    }
    if (refused.length > 0) return;
    const { id, why } = rules.find((one) => one.name === rule)!;
    stricter.push(`| ${id} ${rule} | \`${name}\` | ${why.replaceAll('|', '\\|')} |`);
  });

  it('docs/stricter-than-admission.md gives those reasons', () => {
    const text = `${HEAD}${stricter.join('\n')}\n`;
    if (process.env.MESH_EDGE_WRITE) fs.writeFileSync(DOCUMENT, text);
    expect(fs.readFileSync(DOCUMENT, 'utf8')).toBe(text);
  });
});

describe('what our own rules let pass', () => {
  it.each(casesIn('valid'))('%s/%s is taken by admission', async (rule, name) => {
    expect(await verdict('valid', rule, name)).toEqual([]);
  });
});
