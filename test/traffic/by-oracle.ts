/** Whether istiod's own configuration, before and after a change, does otherwise with a request: a second judge, which knows nothing of `trace`. */
import { meshConfigOf, stored, toCall } from '../trace/oracle/compare';
import type { Oracle, OracleHop } from '../trace/oracle/process';
import type { Ask, GeneratedMesh } from '../trace/oracle/vocabulary';
import type { RegistryChange } from './registry-worlds';

/** What istiod has a request do; undefined of a mesh that it cannot load, or that admission would refuse in part. */
async function followed(oracle: Oracle, mesh: GeneratedMesh): Promise<readonly (readonly OracleHop[])[] | undefined> {
  const reply = await oracle.ask(stored(mesh.things), JSON.stringify(meshConfigOf(mesh)), mesh.asks.map(toCall));
  if ((reply.invalid ?? []).length > 0 || reply.results === null || reply.error !== undefined) return undefined;
  return reply.results.map(({ hops }) => hops);
}

/** What istiod has a request do, to compare with the same of another state. */
export const wordsOf = (hops: readonly OracleHop[]): string =>
  JSON.stringify(
    hops.map(({ proxy, cluster, clusterType, upstreamTls, upstreamSni, tunnel, error }) => [
      proxy,
      error === undefined || error === '' ? [cluster, clusterType === 'ORIGINAL_DST', upstreamTls, upstreamSni?.startsWith('outbound_.') ? '' : upstreamSni, tunnel] : 'refused', // prettier-ignore
    ]),
  );

/** The requests of its workloads that fare otherwise; undefined where the oracle cannot judge. */
export async function alteredByOracle(
  oracle: Oracle,
  { was, is }: RegistryChange,
): Promise<readonly Ask[] | undefined> {
  const [before, after] = [await followed(oracle, was), await followed(oracle, is)];
  if (before === undefined || after === undefined) return undefined;
  return was.asks.filter(
    ({ at }, index) => at === undefined && wordsOf(before[index] ?? []) !== wordsOf(after[index] ?? []),
  );
}
