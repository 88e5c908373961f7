import { records } from '../../src/model/fields';
import type { Mesh } from '../../src/model/mesh';
import { trace } from '../../src/trace/index';
import type { Trace } from '../../src/trace/types';
import { deadMatches, keyOfRule } from '../../src/traffic/dead-routes';
import { explore } from '../../src/traffic/explore';
import { dense, meshOf, random, SENDERS, world } from './worlds';

/** Rules that routed a request somewhere on its way. */
function chosenBy({ hops }: Trace): readonly string[] {
  return hops.flatMap(({ route }) => (route === null ? [] : [keyOfRule(route)]));
}

/** Rules of which every match is dead. */
function deadRules(mesh: Mesh): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [key, matches] of deadMatches(mesh)) {
    const { kind, namespace, name, rule } = matches[0]!.ref;
    const manifest = mesh.manifests.find(
      (one) => one.kind === kind && one.namespace === namespace && one.name === name,
    );
    const [, section = '', index = ''] = /^(\w+)\[(\d+)\]$/.exec(rule) ?? [];
    const { spec } = manifest!.body as { spec: Record<string, unknown> };
    const own = records(spec[section])[Number(index)]!;
    if (matches.length >= Math.max(1, records(own.match ?? own.matches).length)) found.add(key);
  }
  return found;
}

function rulesOf(mesh: Mesh): readonly string[] {
  return mesh.manifests.flatMap(({ kind, namespace, name, body }) => {
    const { http, rules } = ((body as { spec?: unknown }).spec ?? {}) as Record<string, unknown>;
    const section = kind === 'VirtualService' ? 'http' : kind === 'HTTPRoute' ? 'rules' : undefined;
    const own = records(section === 'http' ? http : rules);
    return section === undefined ? [] : own.map((_one, at) => `${kind} ${namespace}/${name} ${section}[${at}]`);
  });
}

describe('rules that no request gets to', () => {
  let dead = 0;

  it.each(Array.from({ length: 16 }, (_one, index) => index + 1))(
    'are those that no class of requests is routed by (seed %i)',
    (seed) => {
      const next = random(seed);
      const mesh = meshOf(world(next));
      const chosen = new Set<string>();
      for (const { client, ...target } of SENDERS)
        for (const { trace: followed } of explore(mesh, client, target).classes)
          for (const rule of chosenBy(followed)) chosen.add(rule);
      const found = deadRules(mesh);
      expect([...found].sort()).toEqual(
        rulesOf(mesh)
          .filter((rule) => !chosen.has(rule))
          .sort(),
      );
      dead += found.size;
      if (found.size === 0) return;
      for (const { client, host } of SENDERS)
        for (const request of dense(next, host, client, 125))
          for (const rule of chosenBy(trace(mesh, request))) expect(found).not.toContain(rule);
    },
  );

  it('are some', () => expect(dead).toBeGreaterThan(8));
});
