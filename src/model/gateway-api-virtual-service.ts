import type { Config } from './objects';
import type { VirtualService } from './virtual-services';

/** The VirtualService that Istio makes of routes of the Gateway API for one host. */
export function routedVirtualService(
  base: Config,
  host: string,
  gateway: string,
  rules: Partial<Pick<VirtualService, 'http' | 'tls' | 'tcp'>>,
): VirtualService {
  return {
    config: base,
    namespace: base.namespace,
    name: base.name,
    created: base.created,
    semantics: 'gateway-api',
    hosts: [host],
    gateways: [gateway],
    http: [],
    tls: [],
    tcp: [],
    visibility: 'public',
    ...rules,
  };
}
