import { placeOf, servedAt, type Served } from '../../model/envoy-gateway-chains';
import { holdsForAll } from '../../model/envoy-gateway-policies';
import { record } from '../../model/fields';
import type { ApiGateway } from '../../model/gateway-api';
import type { CheckContext } from '../context';
import { targetsOf } from '../envoy-gateway';
import { ENVOY_GATEWAY, type Reference } from '../gateway-api';
import type { Manifest } from '../../model/manifest';
import type { Mesh } from '../../model/mesh';
import { placeText } from '../../trace/words/problems';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE831',
  name: 'client-policy-refused',
  severity: 'error',
  title: 'Envoy Gateway refuses a ClientTrafficPolicy for one of several listeners of a port',
  why: 'Listeners of plain HTTP on one port are one listener of Envoy, so that settings of the connection cannot be those of one of them: Envoy Gateway refuses the policy (Accepted: False), and none of its settings is in force.',
  fix: 'Target the Gateway without sectionName, or give the listener a port of its own.',
  see: 'https://gateway.envoyproxy.io/docs/tasks/traffic/client-traffic-policy/',
  reads: ['ClientTrafficPolicy'],
  footguns: ['Y22'],
  *check(context) {
    for (const policy of context.of(ENVOY_GATEWAY, 'ClientTrafficPolicy'))
      for (const [at, target] of targetsOf(policy).entries())
        yield* target.sectionName === undefined ? forGateway(context, policy, target, at) : forSection(context, policy, target, at); // prettier-ignore
  },
};

function* forSection(
  { mesh }: CheckContext,
  policy: Manifest,
  { kind, name = '', sectionName }: Reference,
  at: number,
): Generator<Hit> {
  if (kind !== 'Gateway' || sectionName === undefined) return;
  const gateway = mesh.gatewayApi.find(policy.namespace, name);
  if (gateway?.controller !== 'envoy-gateway') return;
  const single = record(record(policy.body).spec).targetRef !== undefined;
  const field = [...(single ? ['spec', 'targetRef'] : ['spec', 'targetRefs', at]), 'sectionName'];
  const own = gateway.listeners.find((listener) => listener.name === sectionName && listener.set === undefined);
  // That a listener is not there is another rule's.
  if (own?.protocol !== 'HTTP') return;
  const sharing = plainAt(mesh, gateway, own.port).filter(({ listener }) => listener !== own);
  if (sharing.length === 0) return;
  yield {
    manifest: policy,
    field,
    what: `listener ${own.name} of Gateway ${policy.namespace}/${name} shares port ${own.port} with ${sharing.map((one) => placeText(placeOf(one, gateway))).join(', ')}`,
  };
}

const plainAt = ({ gatewayApi }: Mesh, gateway: ApiGateway, port: number): readonly Served[] =>
  servedAt(gatewayApi, gateway, port).filter(({ listener }) => listener.protocol === 'HTTP');

/** Of a whole Gateway, whose proxies serve others as well (mergeGateways). */
function* forGateway(
  { mesh }: CheckContext,
  policy: Manifest,
  { kind, name = '' }: Reference,
  at: number,
): Generator<Hit> {
  const gateway = kind === 'Gateway' ? mesh.gatewayApi.find(policy.namespace, name) : undefined;
  if (gateway === undefined) return;
  for (const port of new Set(gateway.listeners.filter(({ protocol }) => protocol === 'HTTP').map((one) => one.port))) {
    const plain = plainAt(mesh, gateway, port);
    const own = plain.find((one) => one.gateway === gateway);
    if (own === undefined || holdsForAll(own, plain)) continue;
    const single = record(record(policy.body).spec).targetRef !== undefined;
    yield {
      manifest: policy,
      field: single ? ['spec', 'targetRef'] : ['spec', 'targetRefs', at],
      what: `Gateway ${policy.namespace}/${name} shares port ${port} of its proxies with ${plain
        .filter((one) => one.gateway !== gateway)
        .map((one) => placeText(placeOf(one, gateway)))
        .join(', ')}`,
      fix: 'Give the Gateway a port of its own, or take it out of the class whose Gateways are merged.',
    };
  }
}
