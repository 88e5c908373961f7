import { Construct } from 'constructs';
import { ClassicIngress } from '../ingress/classic-ingress';
import { HttpIngressRoute } from '../ingress/http-ingress-route';
import { HttpMatch } from '../ingress/http-match';
import { IngressBackend } from '../ingress/ingress-backend';
import { IngressClass } from '../ingress/ingress-class';
import { IngressGateway } from '../ingress/ingress-gateway';
import { IngressListener } from '../ingress/ingress-listener';
import { ScenarioChart } from './scenario';

/** Document 000, first picture: Istio's own ingress gateway, in both API styles. */
export class IstioIngressPath extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'istio-ingress-path', {
      title: "Istio's own ingress gateway, to lay beside",
      shows:
        "The same way in without Envoy Gateway: once by Gateway API (class `istio`: istiod makes the proxy), once by Istio's Gateway and VirtualService (for an ingress gateway that istioctl or Helm installed). The gateway is itself a proxy of the mesh: no sidecar beside it, and no host to rewrite.",
      outcomes: [
        {
          request: '`GET /httpbin/get`, `Host: www.example.com`, at either',
          seen: "200 from httpbin's `/get`, by mutual TLS",
        },
      ],
      needs: ['`demo-httpbin`', 'for the second, pods labelled `istio: ingressgateway` in `istio-system`'],
    });
    const gateway = new IngressGateway(this, 'apps-istio', {
      namespace: 'httpbin',
      ingressClass: IngressClass.istio(),
      listeners: [IngressListener.http()],
    });
    new HttpIngressRoute(this, 'httpbin-istio', {
      namespace: 'httpbin',
      gateway,
      hostnames: ['www.example.com'],
      rules: [
        {
          matches: [HttpMatch.prefix('/httpbin/')],
          rewrite: { prefix: '/' },
          backends: [IngressBackend.service('httpbin', 8000)],
        },
      ],
    });
    new ClassicIngress(this, 'apps-classic', {
      namespace: 'httpbin',
      hosts: ['www.example.com'],
      paths: [{ prefix: '/httpbin/', rewritePrefix: '/', backend: IngressBackend.service('httpbin', 8000) }],
    });
  }
}
