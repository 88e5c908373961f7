/** Changes of the random meshes that `trace` is held to istiod with: entries, routes, gateways, scopes, peers, and the Gateway API's. */
import fc from 'fast-check';
import { loadText } from '../../src/model/load';
import type { Manifest } from '../../src/model/manifest';
import type { TraceRequest } from '../../src/trace/types';
import { meshConfigMap, toYaml } from '../trace/oracle/compare';
import { gatewayApiMeshes } from '../trace/oracle/gateway-api';
import { meshes } from '../trace/oracle/meshes';
import type { Ask, GeneratedMesh, Thing } from '../trace/oracle/vocabulary';
import { oneField, type Changed } from './one-field';
import type { Random } from './worlds';

export interface RegistryChange {
  readonly how: string;
  readonly was: GeneratedMesh;
  readonly is: GeneratedMesh;
}

/** Two meshes that one field sets apart. */
export function registryChange(next: Random, requests: number, byApi: boolean): RegistryChange | undefined {
  const seed = Math.floor(next() * 0x7fffffff);
  const [was, sibling] = fc.sample((byApi ? gatewayApiMeshes : meshes)(requests), { numRuns: 2, seed });
  if (was === undefined || sibling === undefined) return undefined;
  // The configuration of the mesh is one of its objects.
  const changed = oneField(next, [...was.things, meshConfigMap(was)], [...sibling.things, meshConfigMap(sibling)]);
  return changed === undefined ? undefined : { how: changed.how, was, is: withObjects(was, changed) };
}

function withObjects(was: GeneratedMesh, { objects }: Changed): GeneratedMesh {
  const things = objects.filter(({ kind }) => kind !== 'ConfigMap') as Thing[];
  const settings = objects.find(({ kind }) => kind === 'ConfigMap')?.data?.mesh as string | undefined;
  const { outboundTrafficPolicy, ...config } = JSON.parse(settings ?? '{}') as { outboundTrafficPolicy?: { mode: GeneratedMesh['outbound'] } }; // prettier-ignore
  return { ...was, things, config, outbound: outboundTrafficPolicy?.mode ?? 'ALLOW_ANY' };
}

export function manifestsOfMesh(mesh: GeneratedMesh): readonly Manifest[] {
  return loadText(toYaml([...mesh.things, meshConfigMap(mesh)])).manifests;
}

/** As a client sends it that dials the name, or for TCP the address. */
export function requestOfAsk({ from, scheme, host, address, port, path, method, headers, at }: Ask): TraceRequest {
  const isHttp = scheme === 'http' || scheme === 'https';
  return {
    ...(at === undefined ? { from } : { from: 'outside', at }),
    request: scheme === 'tcp' ? `tcp://${address}:${port}` : `${scheme}://${host}:${port}${isHttp ? path : ''}`,
    ...(isHttp ? { method, headers } : {}),
  };
}
