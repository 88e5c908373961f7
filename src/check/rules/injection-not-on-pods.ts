import type { FieldPath, Manifest } from '../../model/manifest';
import { strings, record } from '../../model/fields';
import { envoyGateways } from '../envoy-gateway';
import type { CheckContext } from '../context';
import { ENVOY_GATEWAY } from '../gateway-api';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE825',
  name: 'injection-not-on-pods',
  severity: 'error',
  title: "What is to inject a sidecar is not on the pods of Envoy Gateway's proxies",
  why: "Istio reads labels and annotations of pods. Envoy Gateway copies those of the Gateway's infrastructure and of the EnvoyProxy's pod template to them, and none of the objects' own metadata or of the Service.",
  fix: 'Write them in the EnvoyProxy under spec.provider.kubernetes.envoyDeployment.pod.',
  see: 'https://gateway.envoyproxy.io/docs/api/extension_types/#kubernetespodspec',
  reads: ['Gateway', 'EnvoyProxy'],
  footguns: ['Y19'],
  *check(context) {
    const views = context.index(envoyGateways);
    const prepared = new Set<Manifest>();
    for (const { gateway, workload, proxy } of views) {
      if (workload.membership === 'sidecar' || isPatched(proxy.manifest)) continue;
      const { manifest } = gateway.config;
      for (const { key, value, field } of asked(manifest, ['metadata']))
        yield {
          manifest,
          field,
          what: `${key}: ${value} is on the Gateway, and not on its pods in ${workload.namespace}`,
        };
      const { manifest: own } = proxy;
      if (!own) continue;
      yield* ofProxy(own);
      const hit = prepared.has(own) ? undefined : preparedInVain(context, own, workload.namespace);
      prepared.add(own);
      if (hit) yield hit;
    }
    for (const manifest of context.of(ENVOY_GATEWAY, 'EnvoyProxy'))
      if (!views.some(({ proxy }) => proxy.manifest === manifest) && !isPatched(manifest) && !hasOwn(context, manifest))
        yield* ofProxy(manifest);
  },
};

interface Asked {
  readonly key: string;
  readonly value: string;
  readonly field: FieldPath;
}

/** Labels and annotations that ask for a sidecar, where no injector looks. */
function asked(manifest: Manifest, at: readonly string[]): readonly Asked[] {
  const owner = at.reduce<unknown>((value, key) => record(value)[key], manifest.body);
  return ['labels', 'annotations'].flatMap((where) =>
    Object.entries(strings(record(owner)[where])).flatMap(([key, value]) =>
      (key === 'sidecar.istio.io/inject' && value === 'true') ||
      (key === 'istio-injection' && value === 'enabled') ||
      (key === 'istio.io/rev' && where === 'labels') ||
      key.startsWith('traffic.sidecar.istio.io/')
        ? [{ key, value, field: [...at, where, key] }]
        : [],
    ),
  );
}

function* ofProxy(manifest: Manifest): Generator<{ manifest: Manifest; field: FieldPath; what: string }> {
  for (const at of [['metadata'], ['spec', 'provider', 'kubernetes', 'envoyService']]) {
    for (const { key, value, field } of asked(manifest, at))
      yield {
        manifest,
        field,
        what: `${key}: ${value} is on the ${at.length === 1 ? 'EnvoyProxy' : 'Service'}, and not on the pods of the proxies`,
      };
  }
}

/** Pods that are set up for a sidecar which nothing gives them: the namespace is shown, and does not ask for any. */
function preparedInVain(context: CheckContext, manifest: Manifest, home: string): Hit | undefined {
  const namespace = context.of('', 'Namespace').find(({ name }) => name === home);
  const { envoyDeployment, envoyDaemonSet } = record(record(record(record(manifest.body).spec).provider).kubernetes);
  const pod = record(record(envoyDaemonSet ?? envoyDeployment).pod);
  const annotations = strings(pod.annotations);
  const key = Object.keys(annotations).find((one) => one.startsWith('traffic.sidecar.istio.io/'));
  const isLeftOut = { ...annotations, ...strings(pod.labels) }['sidecar.istio.io/inject'] === 'false';
  if (namespace === undefined || key === undefined || isLeftOut) return undefined;
  const of = envoyDaemonSet ? 'envoyDaemonSet' : 'envoyDeployment';
  return {
    manifest,
    field: ['spec', 'provider', 'kubernetes', of, 'pod', 'annotations', key],
    what: `the pods of the proxies are annotated for a sidecar, and neither they nor namespace ${home} ask for one`,
    why: 'Without a sidecar the proxies send plain text, which Services that take mutual TLS only refuse, and have no identity that a policy could name.',
    fix: `Label the namespace istio-injection: enabled, or the pods sidecar.istio.io/inject: "true" (spec.provider.kubernetes.${of}.pod.labels).`,
  };
}

function isPatched(manifest: Manifest | undefined): boolean {
  return (
    manifest !== undefined &&
    /"patch":.*(sidecar\.istio\.io\/inject|istio\.io\/rev)/.test(JSON.stringify(manifest.body))
  );
}

/** An EnvoyProxy that no Gateway among the manifests uses, whose pods ask for a sidecar themselves, or get one by their namespace. */
function hasOwn(context: CheckContext, manifest: Manifest): boolean {
  const { envoyDeployment, envoyDaemonSet } = record(record(record(record(manifest.body).spec).provider).kubernetes);
  const pod = record(record(envoyDaemonSet ?? envoyDeployment).pod);
  const all = { ...strings(pod.annotations), ...strings(pod.labels) };
  return all['sidecar.istio.io/inject'] === 'true' || context.mesh.membershipIn(manifest.namespace) === 'sidecar';
}
