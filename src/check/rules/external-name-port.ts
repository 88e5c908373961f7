import type { Rule } from '../rule';
import { serviceSpec } from '../workloads';

export const rule: Rule = {
  id: 'EDGE904',
  name: 'external-name-port',
  severity: 'warning',
  title: 'An ExternalName Service has a port without a protocol in its name',
  why: 'Istio takes a port without a protocol for TCP, and a TCP port of a Service without an address takes connections of others.',
  fix: 'Name the port after its protocol, such as http or https-api, or set appProtocol.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0150/',
  reads: ['Service'],
  footguns: ['M04'],
  *check(context) {
    for (const manifest of context.of('', 'Service')) {
      const { type, ports = [] } = serviceSpec(manifest);
      if (type !== 'ExternalName') continue;
      for (const [at, { name = '', port, appProtocol }] of ports.entries()) {
        if (appProtocol || /^(http|https|http2|grpc|grpc-web|tls|mongo|redis|mysql|tcp|udp)(-|$)/.test(name)) continue;
        yield {
          manifest,
          field: ['spec', 'ports', at, 'name'],
          what: `port ${port} of ${manifest.namespace}/${manifest.name} is named ${JSON.stringify(name)}`,
        };
      }
    }
  },
};
