import { whyNotAccepted } from '../../model/envoy-gateway';
import type { ApiListener } from '../../model/gateway-api';
import { sortOf } from '../../model/listener-problems';
import { listenerSets, whyNotTaken } from '../../model/listener-sets';
import type { Manifest } from '../../model/manifest';
import { listenerProblemWords, setProblemText } from '../../trace/words/listener-problems';
import { notAcceptedWords } from '../../trace/words/problems';
import { asSentence } from '../../trace/words/words';
import type { CheckContext } from '../context';
import { ROUTE_KINDS, routeSpec, GATEWAY_API } from '../gateway-api';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE841',
  name: 'listener-not-programmed',
  severity: 'error',
  title: 'A controller does not open a listener, and no route tells of it',
  why: 'A listener with a fault of its own is not opened, nor are those of a Gateway whose parametersRef or addresses are not taken, nor those of a ListenerSet that its Gateway does not admit: connections to their ports are closed, or end at another listener.',
  fix: "Mend what the controller does not take, or admit the set's namespace in allowedListeners of the Gateway.",
  see: 'https://gateway-api.sigs.k8s.io/reference/spec/#listenerconditionreason',
  reads: ['Gateway', 'ListenerSet', 'XListenerSet'],
  footguns: ['G19'],
  *check(context) {
    const { mesh } = context;
    const { gateways, unattached, input } = mesh.gatewayApi;
    const told = new Set<ApiListener>(unattached.flatMap(({ against }) => against.map(({ listener }) => listener)));
    for (const gateway of gateways) {
      const refused = gateway.controller === 'envoy-gateway' ? whyNotAccepted(gateway, mesh) : undefined;
      if (refused !== undefined) {
        const { what, fix } = notAcceptedWords(refused);
        const part = refused.is === 'address-of-other-type' ? ['addresses'] : ['infrastructure', 'parametersRef'];
        yield { manifest: gateway.config.manifest, field: ['spec', ...part], what: `Envoy Gateway opens none of its listeners: ${what}`, fix: asSentence(fix) }; // prettier-ignore
        continue;
      }
      for (const listener of gateway.listeners) {
        const { problem } = listener;
        if (problem === undefined || sortOf(problem) !== 'fault' || told.has(listener)) continue;
        const { what, fix } = listenerProblemWords(problem);
        yield {
          manifest: listener.set ?? gateway.config.manifest,
          field: ['spec', 'listeners', listener.index],
          what: `listener ${listener.name} is not programmed: ${what}`,
          fix: asSentence(fix),
        };
      }
    }
    for (const set of listenerSets(input)) {
      const gateway = gateways.find(({ config }) => `${config.namespace}/${config.name}` === set.gateway);
      const problem = gateway && whyNotTaken(set, gateway, input);
      if (problem?.is !== 'set-not-admitted' || !mesh.namespaces.has(set.manifest.namespace)) continue;
      if (isNamed(context, set.manifest)) continue;
      yield { manifest: set.manifest, field: ['spec', 'parentRef'], what: setProblemText(problem) };
    }
  },
};

/** Whether a route names the set, which another rule judges. */
function isNamed(context: CheckContext, { kind, namespace, name }: Manifest): boolean {
  return ROUTE_KINDS.flatMap((of) => context.of(GATEWAY_API, of)).some(
    (route) =>
    (routeSpec(route).parentRefs ?? []).some((parent) => parent.kind === kind && parent.name === name && (parent.namespace ?? route.namespace) === namespace), // prettier-ignore
  );
}
