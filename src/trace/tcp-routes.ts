import { subsetOf } from '../model/destination-rules';
import { number, record, text } from '../model/fields';
import type { Mesh } from '../model/mesh';
import type { ProxyScope } from '../model/sidecar-scope';
import type { L4Rule } from '../model/virtual-services';
import type { TcpTarget } from './envoy';
import { clusterName, destinationCluster, weighted } from './http-routes';
import type { Decision } from './types';

export interface ProxyLabels {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ProxyView {
  readonly mesh: Mesh;
  readonly scope: ProxyScope;
  readonly proxy: ProxyLabels;
}

/** The CONNECT tunnel that a DestinationRule asks for: of the subset where there is one, else of the rule as a whole. */
function tunnelOf(
  view: ProxyView,
  host: string,
  subset: string,
): { tunnel: string | null; decidedBy: readonly Decision[] } {
  const rule = view.scope.destinationRule(host, view.proxy.labels);
  const policy = subset === '' ? rule?.policy : subsetOf(rule, subset)?.policy;
  const settings = record(policy?.policy.tunnel);
  if (policy === undefined || text(settings.targetHost) === '') return { tunnel: null, decidedBy: [] };
  const { kind, namespace, name } = policy.config;
  return {
    tunnel: `${text(settings.targetHost)}:${number(settings.targetPort)}`,
    decidedBy: [{ kind, namespace, name, field: `${policy.field}.tunnel` }],
  };
}

export function targetOfRule(view: ProxyView, rule: L4Rule, listenPort: number): TcpTarget {
  const clusters = weighted(rule.route, (destination) =>
    destinationCluster(destination, view.scope.service(destination.host), listenPort),
  );
  const first = rule.route[0];
  const tunnel =
    first === undefined
      ? { tunnel: null, decidedBy: [] }
      : tunnelOf(view, first.host, rule.route.length === 1 ? first.subset : '');
  return { clusters: clusters.map(({ cluster, weight }) => ({ cluster, weight })), route: rule.ref, ...tunnel };
}

export function targetOfService(view: ProxyView, host: string, port: number): TcpTarget {
  return { clusters: [{ cluster: clusterName(host, '', port), weight: 0 }], route: null, ...tunnelOf(view, host, '') };
}
