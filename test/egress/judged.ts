/** What our own reading half says of what constructs rendered. */
import { Chart } from 'cdk8s';
import { check } from '../../src/check/check';
import { toYaml } from '../../src/core/yaml';
import { loadText } from '../../src/model/load';
import type { MeshOptions } from '../../src/model/mesh-options';
import { traceIn } from '../trace/text';

/** The chart's objects as they are applied, and `more` beside them. */
export function manifestsOf(chart: Chart, more = ''): string {
  const objects = (chart.toJson() as unknown[]).map((object) => toYaml(object));
  return [...objects, more].join('---\n');
}

/** Every finding but those that name ids in `besides`. */
export function findings(chart: Chart, more = '', ...besides: string[]): string[] {
  const { findings: found } = check(loadText(manifestsOf(chart, more)), {});
  return found
    .filter(({ id, severity }) => severity !== 'info' && !besides.includes(id))
    .map(({ id, object, what }) => `${id} ${object?.kind} ${object?.name}: ${what}`);
}

export function traceOf(chart: Chart, more = '', options?: MeshOptions): ReturnType<typeof traceIn> {
  return traceIn(manifestsOf(chart, more), options ?? { outbound: 'REGISTRY_ONLY' });
}
