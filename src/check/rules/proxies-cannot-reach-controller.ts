import { controllerNamespace } from '../../model/envoy-gateway';
import { assumedWorkload, type Workload } from '../../model/workloads';
import { wordsOf } from '../../trace';
import { networkVerdict } from '../../trace/network-policy';
import type { CheckContext } from '../context';
import { envoyGateways } from '../envoy-gateway';
import { findDecided } from '../paths/decided';
import type { Rule } from '../rule';

/** Where proxies fetch their configuration. */
const XDS = 18000;

export const rule: Rule = {
  id: 'EDGE826',
  name: 'proxies-cannot-reach-controller',
  severity: 'error',
  title: "NetworkPolicies keep Envoy Gateway's proxies from their controller",
  why: 'Proxies fetch their configuration from Envoy Gateway on port 18000. Without it they never become ready, and nothing is served.',
  fix: "Allow the proxies egress to Envoy Gateway's pods on port 18000, and those pods ingress from the proxies.",
  see: 'https://gateway.envoyproxy.io/docs/tasks/operations/gateway-namespace-mode/',
  reads: ['NetworkPolicy'],
  footguns: ['Y20'],
  *check(context) {
    const gateways = context.index(envoyGateways);
    if (gateways.length === 0) return;
    const controller = controllerPods(context);
    const said = new Set<unknown>();
    for (const { gateway, workload } of gateways) {
      const { namespace, serviceAccount, labels } = workload;
      const from = { namespace, serviceAccount, labels, address: null, workload, inMesh: false };
      const verdict = networkVerdict(context.mesh, { from, port: XDS, address: null }, controller);
      if (verdict.is !== 'denied' || !verdict.by) continue;
      const at = findDecided(context, verdict.by);
      if (!at || said.has(at.manifest)) continue;
      said.add(at.manifest);
      yield {
        ...at,
        what: `the proxies of Gateway ${gateway.config.namespace}/${gateway.config.name} do not reach Envoy Gateway: ${wordsOf(verdict.reason).what}`,
      };
    }
  },
};

/** Envoy Gateway's own pods, as its chart labels them where no manifest shows them. */
function controllerPods({ mesh }: CheckContext): Workload {
  const namespace = controllerNamespace(mesh);
  const shown = mesh.workloads
    .inNamespace(namespace)
    .find(({ name, labels }) => name === 'envoy-gateway' || labels['control-plane'] === 'envoy-gateway');
  if (shown) return shown;
  return assumedWorkload({
    namespace,
    name: 'envoy-gateway',
    labels: {
      'control-plane': 'envoy-gateway',
      'app.kubernetes.io/name': 'gateway-helm',
      'app.kubernetes.io/instance': 'eg',
    },
    serviceAccount: 'envoy-gateway',
    namedPorts: new Map([['grpc', XDS]]),
    membership: 'none',
  });
}
