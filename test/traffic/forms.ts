/** One change of each form: the meshes that the lab and the oracle are asked about, a field of which is changed, and requests to both. */
import fc from 'fast-check';
import { loadText } from '../../src/model/load';
import type { Manifest } from '../../src/model/manifest';
import type { MeshOptions } from '../../src/model/mesh-options';
import type { TraceRequest } from '../../src/trace/types';
import { ENVOY_FRONT, envoyMeshes } from '../mesh/random/envoy-gateway';
import { INGRESS_WORLD, ingressMeshes, services } from '../mesh/random/ingress';
import { liveMeshes, type LiveMesh } from '../mesh/random/meshes';
import { WORLD } from '../mesh/random/world';
import { ORACLE_RELEASES, toYaml } from '../trace/oracle/compare';
import type { Thing } from '../trace/oracle/vocabulary';
import { ambientRequests, ambientWorld } from './ambient-worlds';
import { gatewayRequests, gatewayWorld, type Controller } from './gateway-worlds';
import { oneField, type Body } from './one-field';
import { manifestsOfMesh, registryChange, requestOfAsk } from './registry-worlds';
import { sidecarRequests, sidecarWorld } from './sidecar-worlds';
import type { Random } from './worlds';

export interface FormOfChange {
  readonly how: string;
  readonly sides: readonly [readonly Manifest[], readonly Manifest[]];
  readonly requests: readonly TraceRequest[];
  readonly options: MeshOptions;
}

type Form = (next: Random, requests: number) => FormOfChange | undefined;

const seedOf = (next: Random): number => Math.floor(next() * 0x7fffffff);
const manifests = (objects: readonly Body[]): readonly Manifest[] => loadText(toYaml(objects as Thing[])).manifests;

const byRegistry =
  (byApi: boolean): Form =>
  (next, requests) => {
    const change = registryChange(next, requests, byApi);
    return (
      change && {
        how: change.how,
        sides: [manifestsOfMesh(change.was), manifestsOfMesh(change.is)],
        requests: change.was.asks.map(requestOfAsk),
        options: ORACLE_RELEASES,
      }
    );
  };

/** Kinds that nothing reads, beside the clients and servers. */
const isFurniture = ({ kind }: Body): boolean =>
  ['ServiceAccount', 'ConfigMap', 'Role', 'RoleBinding', 'Secret'].includes(kind);
const RUN: readonly Body[] = WORLD.filter((one) => !isFurniture(one));

function changeOf(
  next: Random,
  [was, sibling]: readonly [readonly Body[], readonly Body[]],
  requests: readonly TraceRequest[],
  options: MeshOptions,
): FormOfChange | undefined {
  const changed = oneField(next, was, sibling, isFurniture);
  return changed && { how: changed.how, sides: [manifests(was), manifests(changed.objects)], requests, options };
}

const byLab =
  (kind: (requests: number) => fc.Arbitrary<LiveMesh>, own: readonly Body[]): Form =>
  (next, requests) => {
    const [was, sibling] = fc.sample(kind(requests), { numRuns: 2, seed: seedOf(next) });
    if (was === undefined || sibling === undefined) return undefined;
    const asked = was.asks.map(({ from, at, scheme, host, port, path, method, headers }): TraceRequest => {
      const isHttp = scheme !== 'tcp';
      return {
        ...(at === undefined ? { from } : { from: 'outside', at }),
        request: `${scheme}://${host}:${port}${isHttp ? path : ''}`,
        ...(isHttp ? { method, headers } : {}),
      };
    });
    return changeOf(
      next,
      [
        [...RUN, ...own, ...was.things],
        [...RUN, ...own, ...sibling.things],
      ],
      asked,
      {
        outbound: was.outbound,
      },
    );
  };

const CLASS: Body = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GatewayClass',
  metadata: { name: 'teg' },
  spec: { controllerName: 'gateway.envoyproxy.io/gatewayclass-controller' },
};

const byEnvoyGateway: Form = (next, requests) => {
  const [was, sibling] = fc.sample(envoyMeshes(requests), { numRuns: 2, seed: seedOf(next) });
  if (was === undefined || sibling === undefined) return undefined;
  const base: readonly Body[] = [...RUN, ...services, CLASS, ENVOY_FRONT];
  const asked = was.asks.map(({ scheme, host, port, path, method, headers }): TraceRequest => ({
    from: 'outside',
    at: 'edge/front',
    request: `${scheme}://${host}:${port}${path}`,
    method,
    headers,
  }));
  // The Gateway's own fields change too: of another, without its last listener and with other hosts.
  const { spec } = ENVOY_FRONT as Body;
  const listeners = (spec.listeners as Body[]).slice(0, -1).map((one) => ({ ...one, hostname: one.hostname === undefined ? 'api.example.com' : undefined, allowedRoutes: { namespaces: { from: 'Same' } } })); // prettier-ignore
  const other = { ...ENVOY_FRONT, spec: { ...spec, listeners } };
  return changeOf(
    next,
    [
      [...base, ...was.things],
      [...base, other, ...sibling.things],
    ],
    asked,
    {},
  );
};

const byAmbient: Form = (next, requests) => {
  const was = ambientWorld(next);
  return changeOf(next, [was, ambientWorld(next)], ambientRequests(next, requests), {});
};

const bySidecars =
  (about: 'discovery' | 'network'): Form =>
  (next, requests) =>
    changeOf(next, [sidecarWorld(next, about), sidecarWorld(next, about)], sidecarRequests(next, requests), {});

const byGateway =
  (controller: Controller): Form =>
  (next, requests) =>
    changeOf(
      next,
      [gatewayWorld(next, controller), gatewayWorld(next, controller)],
      gatewayRequests(next, requests),
      {},
    );

export const FORMS: Readonly<Record<string, Form>> = {
  registry: byRegistry(false),
  'gateway api': byRegistry(true),
  policies: byLab(liveMeshes, []),
  ingress: byLab(ingressMeshes, [...INGRESS_WORLD]),
  'envoy gateway': byEnvoyGateway,
  ambient: byAmbient,
  discovery: bySidecars('discovery'),
  network: bySidecars('network'),
  'routes of every kind (istio)': byGateway('istio'),
  'routes of every kind (envoy gateway)': byGateway('envoy gateway'),
};
