/** The manifests of a test as one of the implementations has them, and which tests it passes. */
import * as fs from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { record, text, type Json } from '../../src/model/fields';
import { loadObjects } from '../../src/model/load';
import type { Loaded } from '../../src/model/manifest';
import type { MeshOptions } from '../../src/model/mesh-options';
import type { UpstreamTest } from './source';

export interface Implementation {
  readonly name: 'istio' | 'envoy-gateway';
  /** `Istio 1.32`. */
  readonly title: string;
  readonly className: string;
  readonly controller: string;
  readonly options: MeshOptions;
  /** Files of how the tests have it installed; undefined where it is as usual. */
  readonly installation?: readonly string[];
}

export function istio(release: string, gatewayApi: string): Implementation {
  return {
    name: 'istio',
    title: `Istio ${release}`,
    className: 'istio',
    controller: 'istio.io/gateway-controller',
    options: { istioVersion: release, gatewayApiVersion: `${gatewayApi}/experimental` },
  };
}

export function envoyGateway(release: string, gatewayApi: string, installation?: readonly string[]): Implementation {
  return {
    name: 'envoy-gateway',
    title: `Envoy Gateway ${release}`,
    className: 'envoy-gateway',
    controller: 'gateway.envoyproxy.io/gatewayclass-controller',
    options: { envoyGatewayVersion: release, gatewayApiVersion: `${gatewayApi}/experimental` },
    ...(installation === undefined ? {} : { installation }),
  };
}

/** Features that a product has not: its own run leaves their tests out. */
const LACKS: Readonly<Record<Implementation['name'], RegExp>> = {
  istio: /^UDPRoute$/,
  'envoy-gateway': /^Mesh/,
};

export function passesOver({ name }: Implementation, { features }: UpstreamTest): boolean {
  return features.some((feature) => LACKS[name].test(feature));
}

/** What runs the Gateways: the test's manifests have none of it. */
function controlPlane(implementation: Implementation): readonly Json[] {
  const { name, className, controller, installation } = implementation;
  if (installation !== undefined) return installation.flatMap((file) => objectsOf(file, implementation));
  const shared: Json[] = [
    { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GatewayClass', metadata: { name: className }, spec: { controllerName: controller } }, // prettier-ignore
  ];
  if (name === 'istio') return shared;
  return [
    ...shared,
    {
      apiVersion: 'gateway.envoyproxy.io/v1alpha1',
      kind: 'EnvoyGateway',
      metadata: { name: 'envoy-gateway', namespace: 'envoy-gateway-system' },
      gateway: { controllerName: controller },
      provider: { type: 'Kubernetes' },
      extensionApis: { enableEnvoyPatchPolicy: true, enableBackend: true },
      rateLimit: { backend: { type: 'Redis', redis: { url: 'redis.redis-system.svc.cluster.local:6379' } } },
    },
  ];
}

/** The tests label these namespaces for Istio's sidecars. */
const INJECTED = /^gateway-conformance-/;

function injected(object: Json): Json {
  const metadata = record(object.metadata);
  if (object.kind !== 'Namespace' || !INJECTED.test(text(metadata.name))) return object;
  return { ...object, metadata: { ...metadata, labels: { ...record(metadata.labels), 'istio-injection': 'enabled' } } };
}

function objectsOf(file: string, { className, controller }: Implementation): readonly Json[] {
  const filled = fs
    .readFileSync(file, 'utf8')
    .replaceAll('{GATEWAY_CLASS_NAME}', className)
    .replaceAll('{GATEWAY_CONTROLLER_NAME}', controller);
  return parseAllDocuments(filled).map((document) => record(document.toJS())).filter(({ kind }) => kind !== undefined); // prettier-ignore
}

export function worldOf({ manifests }: UpstreamTest, implementation: Implementation): Loaded {
  const objects = manifests.flatMap((file) => objectsOf(file, implementation));
  return loadObjects([
    ...controlPlane(implementation),
    ...(implementation.name === 'istio' ? objects.map(injected) : objects),
  ]);
}
