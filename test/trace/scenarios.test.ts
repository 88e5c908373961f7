import { join } from 'node:path';
import { load } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace';
import { DIST } from '../mesh/mesh';
import { SCENARIOS } from '../mesh/scenarios';

/** curl options that decide where the request goes in ways that a URL does not tell. */
const addressOf: Readonly<Record<string, string>> = { 'edition.cnn.com:443': '203.0.113.10' };

/**
 * The outcomes that were seen on real proxies (test/mesh), asked of `trace`: the same clusters, the same refusals.
 */
describe.each(SCENARIOS.map((scenario) => [scenario.id, scenario] as const))('%s', (id, scenario) => {
  const cases = scenario.cases.filter(
    ({ request, unrecorded }) => !unrecorded && /^https?:/.test(request.url) && request.args?.[0] !== '--proxy',
  );
  it.each(cases.map((c) => [`${c.title} (${c.request.url})`, c] as const))('%s', async (_, { request, seen }) => {
    const fixtures = ['base.yaml', ...(scenario.fixtures ?? [])].map((file) =>
      join(DIST, '..', 'test', 'mesh', 'fixtures', file),
    );
    const { manifests } = await load([...fixtures, join(DIST, id, `${id}.yaml`)]);
    const mesh = buildMesh(manifests, { outbound: 'REGISTRY_ONLY' });
    const direct =
      request.args?.[0] === '--connect-to'
        ? addressOf[(request.args[1] as string).split(':').slice(2).join(':')]
        : undefined;
    const [, host] = request.args?.[0] === '-H' ? /^Host: (.*)$/.exec(request.args[1] as string)! : [];
    const told = trace(mesh, {
      from: request.from ?? 'default/client',
      request: request.url,
      address: direct,
      headers: host === undefined ? {} : { host },
    });
    const cluster = (hop: Readonly<Record<string, unknown>> | null | undefined) => hop?.upstream_cluster;
    if (seen.status === 502 || seen.status === 0) {
      expect(told).toMatchObject({ outcome: 'refused', refusal: { code: 'BlackHoleCluster' } });
      return;
    }
    if (seen.status === 403) {
      expect(told).toMatchObject({ outcome: 'refused', refusal: { code: 'RBAC', status: 403 } });
      return;
    }
    expect(told.outcome).toBe('delivered');
    const clusters = told.hops.map((hop) => hop.cluster).filter((name) => name !== null);
    const expected = [cluster(seen.sidecar), cluster(seen.gateway)].filter((name) => typeof name === 'string');
    expect(clusters).toEqual(expected);
  });
});
