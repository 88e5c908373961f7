import { App } from 'cdk8s';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CRD_SOURCES } from '../scripts/crd-sources';
import { check } from '../src/check/check';
import { rule as celRule } from '../src/check/rules/cel-rule-violation';
import { rule as schemaRule } from '../src/check/rules/schema-violation';
import { rule as unknownKind } from '../src/check/rules/unknown-kind';
import type { MeshObject } from '../src/mesh/mesh-object';
import { MeshTarget } from '../src/mesh/mesh-target';
import { load } from '../src/model/load';
import { addScenarios } from '../src/scenarios';

const ROOT = join(__dirname, '..');

/** All scalar values of a tree, sorted, so that two trees can be compared whatever their keys are called. */
function leaves(value: unknown, out: string[] = []): string[] {
  if (Array.isArray(value)) value.forEach((item) => leaves(item, out));
  else if (value !== null && typeof value === 'object') Object.values(value).forEach((item) => leaves(item, out));
  else if (value !== undefined) out.push(String(value));
  return out.sort();
}

const scenarios = readdirSync(join(ROOT, 'dist'));

describe('what the scenarios render', () => {
  it.each(scenarios)('%s: gives check nothing to warn of', async (scenario) => {
    const { findings } = check(await load([join(ROOT, 'dist', scenario)]));
    const grave = findings.filter((finding) => finding.severity !== 'info');
    expect(
      grave.map((finding) => `${finding.id} ${finding.object?.kind} ${finding.object?.name}: ${finding.what}`),
    ).toEqual([]);
  });

  it('fits the schemas of its kinds, closed to unknown fields, and their CEL rules', async () => {
    const { findings } = check(await load([join(ROOT, 'dist')]), { rules: [schemaRule, celRule, unknownKind] });
    expect(findings.map((finding) => `${finding.object?.kind} ${finding.object?.name}: ${finding.what}`)).toEqual([]);
  });

  it('loses nothing on its way through the typed bindings, which drop what they do not know', () => {
    const app = new App();
    addScenarios(app);
    const objects = app.node.findAll().filter((node): node is MeshObject<unknown> => '_asked' in node);
    expect(objects.length).toBeGreaterThan(50);
    for (const object of objects) {
      const spec = (object._asked() as { spec?: unknown } | undefined)?.spec;
      if (spec === undefined) continue;
      expect({ path: object.node.path, leaves: leaves((object.toJson() as { spec: unknown }).spec) }).toEqual({
        path: object.node.path,
        leaves: leaves(spec),
      });
    }
  });
});

describe('the scenarios, written for the newest releases', () => {
  const rendered = (target: MeshTarget): readonly string[] => {
    const app = new App();
    target.applyTo(app);
    addScenarios(app);
    return app.charts.map((chart) => `${chart.node.path}\n${JSON.stringify(chart.toJson(), null, 2)}`);
  };

  let newest: readonly string[];
  beforeAll(() => (newest = rendered(MeshTarget.newest())));

  it.each([
    { istio: '1.29', gatewayApi: '1.4/experimental', envoyGateway: '1.7', kubernetes: '1.34' },
    { istio: '1.31', gatewayApi: '1.6/experimental', envoyGateway: '1.9', kubernetes: '1.34' },
  ])('are what the lab sees of Istio $istio and Envoy Gateway $envoyGateway', (releases) => {
    const seen = rendered(new MeshTarget(releases));
    expect(seen.length).toBe(scenarios.length);
    expect(seen).toEqual(newest);
  });
});

describe('the bindings', () => {
  const kinds = CRD_SOURCES.flatMap((source) => Object.entries(source.kinds));

  it.each(kinds)('render %s as version %s', async (kindAndGroup, version) => {
    const [kind, ...group] = kindAndGroup.split('.');
    const module = (await import(`../imports/${group.join('.')}`)) as Record<string, { GVK?: { kind: string } }>;
    const bindings = Object.values(module);
    const versions = bindings.filter((binding) => binding.GVK?.kind === kind).map((binding) => binding.GVK);
    expect(versions).toEqual([{ apiVersion: `${group.join('.')}/${version}`, kind }]);
  });

  it("are those of the pinned groups and of Kubernetes' own kinds, beside what each release lacks, and no others", () => {
    const groups = new Set(kinds.map(([key]) => key.split('.').slice(1).join('.')));
    expect(readdirSync(join(ROOT, 'imports')).sort()).toEqual(
      [...groups, 'k8s', 'releases'].map((group) => `${group}.ts`).sort(),
    );
  });
});
