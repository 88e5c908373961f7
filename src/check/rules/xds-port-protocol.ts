import type { Rule } from '../rule';
import { isInjected, serviceSpec } from '../workloads';

export const rule: Rule = {
  id: 'EDGE811',
  name: 'xds-port-protocol',
  severity: 'error',
  title: "Envoy Gateway's control port is not declared TLS to the mesh",
  why: 'The port is named grpc and carries TLS of its own: sidecars take it for plain HTTP/2, and the proxies never get their configuration.',
  fix: 'Write appProtocol: tls for port 18000 of the Service envoy-gateway.',
  see: 'https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/',
  reads: ['Service'],
  footguns: ['Y05'],
  *check(context) {
    for (const manifest of context.of('', 'Service')) {
      if (isInjected(context, manifest.namespace) !== true) continue;
      for (const [at, { port, name = '', appProtocol }] of (serviceSpec(manifest).ports ?? []).entries()) {
        if (port !== 18000 || !/^(grpc|http)/.test(name) || /^(tls|https|tcp)$/i.test(appProtocol ?? '')) continue;
        if (
          !/envoy-gateway/.test(
            `${manifest.name} ${manifest.labels['app.kubernetes.io/name'] ?? ''} ${manifest.labels['control-plane'] ?? ''}`,
          )
        )
          continue;
        yield {
          manifest,
          field: ['spec', 'ports', at],
          what: `port 18000 is named ${name}${appProtocol ? `, with appProtocol ${appProtocol}` : ', without appProtocol'}, in a namespace with sidecars`,
        };
      }
    }
  },
};
