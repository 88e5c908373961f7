import type { FieldPath, Manifest } from '../../model/manifest';
import { strings, record } from '../../model/fields';
import { envoyGateways } from '../envoy-gateway';
import type { CheckContext } from '../context';
import { ENVOY_GATEWAY } from '../gateway-api';
import type { Rule } from '../rule';

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
      if (own) yield* ofProxy(own);
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
