import { authorityOf, istiodAuthorityOf, type AuthorityFault } from '../../model/backend-authority';
import { record, records, text } from '../../model/fields';
import type { ApiGateway } from '../../model/gateway-api';
import type { Manifest } from '../../model/manifest';
import { authorityWords } from '../../trace/words/problems';
import { asSentence } from '../../trace/words/words';
import type { CheckContext } from '../context';
import { ENVOY_GATEWAY, GATEWAY_API } from '../gateway-api';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE840',
  name: 'backend-authority-not-usable',
  severity: 'error',
  title: 'The authority by which a backend is verified cannot be read',
  why: 'Envoy Gateway dials no backend that it cannot verify as it is told to: it answers 500 in its place. It reads ca.crt of a ConfigMap or Secret, since 1.9 tls.crt too, or the one key that there is, or a ClusterTrustBundle. istiod reads ca.crt or cacert of a ConfigMap, the first reference alone; without it its gateways answer 503, and sidecars send plain text.',
  fix: 'Put the authority into ca.crt of a ConfigMap in the namespace of the policy, and name that.',
  see: 'https://gateway.envoyproxy.io/docs/tasks/security/backend-tls/',
  reads: ['BackendTLSPolicy', 'Backend'],
  footguns: ['Y26'],
  *check(context) {
    for (const manifest of [...context.of(GATEWAY_API, 'BackendTLSPolicy'), ...context.of(ENVOY_GATEWAY, 'Backend')]) {
      const { tls } = record(record(manifest.body).spec);
      if (record(tls).insecureSkipVerify === true) continue;
      const fault = faultOf(context, manifest);
      if (fault === undefined) continue;
      const [, path = '', index = ''] = /^(\w+)\.caCertificateRefs\[(\d+)\]$/.exec(fault.field) ?? [];
      const { what, fix } = authorityWords(fault);
      yield {
        manifest,
        field: ['spec', path, 'caCertificateRefs', Number(index)],
        what,
        fix: asSentence(fix),
      };
    }
  },
};

/** What the controllers whose routes lead to what is verified so do not read. */
function faultOf(context: CheckContext, manifest: Manifest): AuthorityFault | undefined {
  const { mesh } = context;
  const byEnvoyGateway = isUsed(context, manifest, 'envoy-gateway') ? authorityOf(manifest, mesh).fault : undefined;
  if (byEnvoyGateway !== undefined || manifest.kind !== 'BackendTLSPolicy') return byEnvoyGateway;
  if (!isUsed(context, manifest, 'istio')) return undefined;
  return istiodAuthorityOf(manifest, (...of) => mesh.find(...of)).fault;
}

/** Whether a route that the controller serves leads to what is verified so. */
function isUsed(
  { mesh }: CheckContext,
  { kind, namespace, name, body }: Manifest,
  controller: ApiGateway['controller'],
): boolean {
  const verified =
    kind === 'Backend'
      ? [`Backend ${name}`]
      : records(record(record(body).spec).targetRefs).map((ref) => `${text(ref.kind)} ${text(ref.name)}`);
  return mesh.gatewayApi.attachments.some(
    ({ route, gateway }) =>
      gateway.controller === controller &&
      records(route.config.spec.rules)
        .flatMap(({ backendRefs }) => records(backendRefs))
        .some(
          (backend) =>
            (text(backend.namespace) || route.config.namespace) === namespace &&
            verified.includes(`${text(backend.kind) || 'Service'} ${text(backend.name)}`),
        ),
  );
}
