/**
 * How much of the configuration that istiod sends proxies the manifests foretell: random meshes, each proxy's listeners, filter chains, routes
 * and clusters, part by part. Parts that are equal are equal for every request.
 *
 *   npm run accuracy:config -- --meshes 2000 --seed 1 [--gateway-api] [--only MESH] [--oracle PATH] [--write]
 *
 * With --write the numbers go into the documentation, between the marks of their section.
 */
import { compareConfig } from '../test/trace/oracle/config';
import { askOfMeshes } from './sampled-meshes';

const totals = { proxies: 0, listeners: 0, domains: 0, clusters: 0, differences: 0, failures: 0 };
const kinds = new Map<string, number>();

void askOfMeshes({
  name: 'config',
  async ask(oracle, mesh, at) {
    const result = await compareConfig(oracle, mesh);
    totals.proxies += result.proxies;
    for (const kind of ['listeners', 'domains', 'clusters'] as const) totals[kind] += result.parts[kind];
    totals.differences += result.differences.length;
    if (result.failure !== undefined) totals.failures += 1;
    for (const { proxy, difference } of result.differences) {
      kinds.set(difference.part, (kinds.get(difference.part) ?? 0) + 1);
      if (totals.differences <= 200) console.log(`mesh ${at}: ${proxy}: ${JSON.stringify(difference)}`);
    }
    return `${totals.proxies} proxies, ${totals.differences} differences`;
  },
  result() {
    for (const [part, count] of kinds) console.log(`${part}: ${count} differ`);
    const parts = totals.listeners + totals.domains + totals.clusters;
    const share = (100 * (parts - totals.differences)) / Math.max(1, parts);
    return {
      rows: [
        `| proxies | ${totals.proxies} |`,
        `| listeners compared, each with its filter chains | ${totals.listeners} |`,
        `| hosts of routes compared, each with its routes in order | ${totals.domains} |`,
        `| clusters compared | ${totals.clusters} |`,
        `| parts that are alike | ${parts - totals.differences} (${share.toFixed(3)} %) |`,
        `| meshes that the oracle could not load | ${totals.failures} |`,
      ],
      differs: totals.differences > 0,
    };
  },
});
