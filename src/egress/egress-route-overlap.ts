import { Construct, IConstruct } from 'constructs';
import { Problem, quote } from '../core/problem';
import { Audience } from '../mesh/audience';
import { IExternalService } from './external-service';

/** A route that clients' sidecars read, by a gateway or straight out. */
export interface MeshRoute extends Construct {
  readonly service: IExternalService;
  _routedHosts(): string[];
  _clients(): Audience;
}

/** A sidecar that sees two VirtualServices for a host obeys the older and ignores the other, without a word. */
export function hostsRoutedTwice(routes: readonly MeshRoute[]): Array<{ at: IConstruct; problem: Problem }> {
  const found: Array<{ at: IConstruct; problem: Problem }> = [];
  const byHost = new Map<string, MeshRoute[]>();
  for (const route of routes) {
    for (const host of route._routedHosts()) {
      const others = byHost.get(host) ?? [];
      const other = others.find((candidate) => shareClients(candidate, route));
      if (other) {
        found.push({
          at: route,
          problem: {
            what: `host ${quote(host)} is routed by both ${other.node.path} and ${route.node.path}`,
            why: 'a sidecar obeys the older VirtualService of a host and ignores the other',
            fix: 'keep one of them, or give the services audiences that do not overlap',
          },
        });
      }
      byHost.set(host, [...others, route]);
    }
  }
  return found;
}

function shareClients(a: MeshRoute, b: MeshRoute): boolean {
  const [seesA, seesB] = [a._clients(), b._clients()];
  if (seesA.isMesh || seesB.isMesh) return true;
  const inB = seesB._namespaces(b.service.namespace);
  return seesA._namespaces(a.service.namespace).some((namespace) => inB.includes(namespace));
}
