import { isGranted } from '../../model/reference-grants';
import type { Manifest } from '../../model/manifest';
import type { Mesh } from '../../model/mesh';
import { GATEWAY_API, ROUTE_KINDS, gatewaySpec, routeSpec } from '../gateway-api';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE803',
  name: 'reference-not-granted',
  severity: 'error',
  title: 'An object of another namespace is used without its leave',
  why: 'A backend or a certificate of another namespace counts only if a ReferenceGrant there allows it: requests get 500, or the listener does not start.',
  fix: 'Write a ReferenceGrant in the namespace of what is referred to.',
  see: 'https://gateway-api.sigs.k8s.io/api-types/referencegrant/',
  reads: [...ROUTE_KINDS, 'Gateway', 'ListenerSet'],
  findsAbsence: true,
  footguns: ['G03', 'G04'],
  *check(context) {
    const { mesh } = context;
    const { input } = mesh.gatewayApi;
    for (const kind of ROUTE_KINDS) {
      for (const manifest of context.of(GATEWAY_API, kind)) {
        if (isMeshRoute(routeSpec(manifest).parentRefs)) continue;
        const lastOfKind = !input.istio.readsAllOfGrant && isReadByIstio(manifest, mesh);
        for (const [r, { backendRefs = [] }] of (routeSpec(manifest).rules ?? []).entries()) {
          for (const [b, backend] of backendRefs.entries()) {
            const { group = '', kind: target = 'Service', name = '', namespace = manifest.namespace } = backend;
            // A Hostname of Istio names a host of its registry, whatever the namespace; a route as a backend is another's delegation.
            if (namespace === manifest.namespace || target === 'Hostname' || target.endsWith('Route')) continue;
            if (
              isGranted(
                input,
                { kind, namespace: manifest.namespace },
                { group, kind: target, namespace, name },
                lastOfKind,
              )
            )
              continue;
            yield {
              manifest,
              field: ['spec', 'rules', r, 'backendRefs', b],
              what: `no ReferenceGrant in ${namespace} allows a ${kind} of ${manifest.namespace} to use ${target} ${namespace}/${name}`,
            };
          }
        }
      }
    }
    for (const manifest of [...context.of(GATEWAY_API, 'Gateway'), ...context.of(GATEWAY_API, 'ListenerSet')]) {
      const from = { kind: manifest.kind, namespace: manifest.namespace };
      for (const [l, { tls }] of (gatewaySpec(manifest).listeners ?? []).entries()) {
        for (const [c, { group = '', kind = 'Secret', name = '', namespace = manifest.namespace }] of (
          tls?.certificateRefs ?? []
        ).entries()) {
          if (namespace === manifest.namespace || isGranted(input, from, { group, kind, namespace, name })) continue;
          yield {
            manifest,
            field: ['spec', 'listeners', l, 'tls', 'certificateRefs', c],
            what: `no ReferenceGrant in ${namespace} allows a ${manifest.kind} of ${manifest.namespace} to use ${kind} ${namespace}/${name}`,
          };
        }
      }
    }
  },
};

/** Whether a Gateway of Istio's takes a route: before 1.30 istiod looks at the last entry of a kind in a grant alone. */
function isReadByIstio(manifest: Manifest, { gatewayApi }: Mesh): boolean {
  return gatewayApi.attachments.some(
    ({ route, gateway }) => route.config.manifest === manifest && gateway.controller !== 'envoy-gateway',
  );
}

/** istiod asks for no grant where sidecars and waypoints alone read a route (`!mesh` in pilot/pkg/config/kube/gateway/route_collections.go). */
function isMeshRoute(parents: readonly { readonly kind?: string }[] | undefined): boolean {
  return (
    (parents ?? []).length > 0 && (parents ?? []).every(({ kind }) => kind === 'Service' || kind === 'ServiceEntry')
  );
}
