/**
 * Whether the configuration that the manifests say and the one that istiod sends do the same for all requests: random meshes, each proxy, each
 * connection that one of the two tells apart, each class of requests. Exits with 1 if they differ.
 *
 *   npm run accuracy:equivalence -- --meshes 2000 --seed 1 [--gateway-api] [--only MESH] [--oracle PATH] [--write]
 *
 * With --write the numbers go into the documentation, between the marks of their section.
 */
import { equivalence } from '../test/trace/oracle/equivalence';
import { askOfMeshes } from './sampled-meshes';

const totals = {
  proxies: 0,
  connections: 0,
  classes: 0,
  clusters: 0,
  endpoints: 0,
  differing: 0,
  undecided: 0,
  failures: 0,
};

void askOfMeshes({
  name: 'equivalence',
  async ask(oracle, mesh, at) {
    const found = await equivalence(oracle, mesh);
    for (const kind of ['proxies', 'connections', 'classes', 'clusters', 'endpoints'] as const)
      totals[kind] += found[kind];
    totals.differing += new Set(found.disagreements.map(({ proxy }) => proxy)).size;
    totals.undecided += found.undecided.length;
    if (found.failure !== undefined) totals.failures += 1;
    for (const one of found.disagreements.slice(0, 5)) console.log(`mesh ${at}: ${JSON.stringify(one)}`);
    for (const one of found.undecided.slice(0, 2)) console.log(`mesh ${at}: undecided: ${one}`);
    return `${totals.proxies} proxies, ${totals.differing} differ`;
  },
  result() {
    const same = totals.proxies - totals.differing;
    const share = (100 * same) / Math.max(1, totals.proxies);
    return {
      rows: [
        `| proxies | ${totals.proxies} |`,
        `| connections led through both | ${totals.connections} |`,
        `| classes of requests led through both | ${totals.classes} |`,
        `| clusters of theirs compared | ${totals.clusters} |`,
        `| endpoints of these, by istiod | ${totals.endpoints} |`,
        `| proxies that do the same for every request | ${same} (${share.toFixed(3)} %) |`,
        `| classes that are undecided | ${totals.undecided} |`,
        `| meshes that the oracle could not load | ${totals.failures} |`,
      ],
      differs: totals.differing > 0,
    };
  },
});
