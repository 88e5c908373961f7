/** What istiod sends each proxy of a random mesh beside what the manifests say, part by part: equal parts are equal for every request. */
import { buildMesh, type Mesh } from '../../../src/model/mesh';
import { loadText } from '../../../src/model/load';
import { record, text, type Json } from '../../../src/model/fields';
import { runningProxy, type RunningProxy, type SentConfig } from '../../../src/verify/config-dump';
import { verify, type Difference, type Verification } from '../../../src/verify/verify';
import { MANAGED } from './ambient';
import { isAdmitted, ORACLE_RELEASES, meshConfigMap, meshConfigOf, stored, toYaml } from './compare';
import type { Oracle, OracleReply } from './process';
import type { GeneratedMesh, Thing } from './vocabulary';

export interface ConfigComparison {
  readonly proxies: number;
  /** Parts that were compared, by their kind. */
  readonly parts: Verification['compared'];
  readonly differences: readonly { readonly proxy: string; readonly difference: Difference }[];
  /** Set if the oracle could not say anything of this mesh. */
  readonly failure: string | undefined;
}

const NOTHING: Verification['compared'] = { listeners: 0, domains: 0, clusters: 0 };

/** A mesh as istiod has it and as the manifests say, and what istiod sends each of its proxies. */
export interface Configured {
  readonly mesh: Mesh;
  readonly proxies: readonly {
    readonly name: string;
    readonly running: RunningProxy;
    /** With the names of Envoy's own fields. */
    readonly sent: SentConfig;
    /** Of clusters that are told their endpoints, by the name of the cluster. */
    readonly endpoints: ReadonlyMap<string, Json>;
  }[];
}

/** Undefined, with the reason, of a mesh that the oracle can say nothing of. */
export async function configured(
  oracle: Oracle,
  generated: GeneratedMesh,
): Promise<Configured | { readonly failure: string }> {
  let things = generated.things.filter(isAdmitted);
  const ask = (): Promise<OracleReply> =>
    oracle.ask(stored(things), JSON.stringify(meshConfigOf(generated)), [], proxiesOf(things).map(nameOf));
  let reply = await ask();
  // What admission refuses never reaches a mesh: such objects are left out for both.
  const refused = new Set((reply.invalid ?? []).map((problem) => problem.slice(0, problem.indexOf(':'))));
  if (refused.size > 0) {
    things = things.filter((thing) => !refused.has(`${thing.kind}/${thing.metadata.name}`));
    reply = await ask();
  }
  if (reply.error !== undefined || reply.configs === undefined) return { failure: reply.error ?? 'no configuration' };
  const { configs } = reply;
  const proxies = proxiesOf(things).flatMap((pod) => {
    const named = configs[nameOf(pod)];
    const sent = named && {
      listeners: (named.listeners ?? []).map(withFieldNames),
      routes: (named.routes ?? []).map(withFieldNames),
      clusters: (named.clusters ?? []).map(withFieldNames),
    };
    const told = (named?.endpoints ?? []).map(withFieldNames);
    const endpoints = new Map(told.map((one) => [text(one.cluster_name), one]));
    return sent === undefined ? [] : [{ name: nameOf(pod), running: runningOf(pod, sent), sent, endpoints }];
  });
  return {
    mesh: buildMesh(loadText(toYaml([...things, meshConfigMap(generated)])).manifests, ORACLE_RELEASES),
    proxies,
  };
}

export async function compareConfig(oracle: Oracle, generated: GeneratedMesh): Promise<ConfigComparison> {
  const found = await configured(oracle, generated);
  if ('failure' in found) return { proxies: 0, parts: NOTHING, differences: [], failure: found.failure };
  const all = found.proxies.map(({ name, running }) => ({ proxy: name, verification: verify(found.mesh, running) }));
  const sum = (kind: keyof Verification['compared']): number =>
    all.reduce((total, { verification }) => total + verification.compared[kind], 0);
  return {
    proxies: all.length,
    parts: { listeners: sum('listeners'), domains: sum('domains'), clusters: sum('clusters') },
    differences: all.flatMap(({ proxy, verification }) =>
      verification.differences.map((difference) => ({ proxy, difference })),
    ),
    failure: undefined,
  };
}

/** Of an ambient mesh its waypoints: what sidecars do beside them is no question here. */
function proxiesOf(things: readonly Thing[]): readonly Thing[] {
  const pods = things.filter(({ kind }) => kind === 'Pod');
  const waypoints = pods.filter(isWaypoint);
  return waypoints.length > 0 ? waypoints : pods;
}

function isWaypoint({ metadata: { labels } }: Thing): boolean {
  return record(labels)[MANAGED] !== undefined;
}

function nameOf({ metadata: { namespace = 'default', name } }: Thing): string {
  return `${namespace}/${name}`;
}

/** As the oracle takes Pods for proxies. */
function runningOf(pod: Thing, sent: SentConfig): RunningProxy {
  const { metadata } = pod as unknown as { readonly metadata: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> } }; // prettier-ignore
  const { labels = {}, annotations = {} } = metadata;
  const isGateway = annotations['inject.istio.io/templates'] === 'gateway' || (labels.istio ?? '').includes('gateway');
  return runningProxy(
    {
      type: isWaypoint(pod) ? 'waypoint' : isGateway ? 'gateway' : 'sidecar',
      namespace: pod.metadata.namespace ?? 'default',
      pod: pod.metadata.name,
      address: text(record((pod as unknown as Json).status).podIP),
      labels,
    },
    sent,
  );
}

/** Protobuf's JSON has the names of fields in camel case, Envoy's own in snake case. */
function withFieldNames(value: object): Json {
  const named = (inside: unknown): unknown => {
    if (Array.isArray(inside)) return inside.map(named);
    if (typeof inside !== 'object' || inside === null) return inside;
    return Object.fromEntries(Object.entries(inside).map(([key, own]) => [fieldName(key), named(own)]));
  };
  return record(named(value));
}

function fieldName(key: string): string {
  return /^[a-z][A-Za-z0-9]*$/.test(key) ? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : key;
}
