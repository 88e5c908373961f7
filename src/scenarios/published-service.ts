import { Construct } from 'constructs';
import { IngressBackend } from '../ingress/ingress-backend';
import { IngressClass } from '../ingress/ingress-class';
import { PublishedService } from '../ingress/published-service';
import { SharedIngressGateway } from '../ingress/shared-ingress-gateway';
import { ScenarioChart } from './scenario';

/** A Service at a host name, by one word: listener, certificate, redirect, route and DNS annotation. */
export class PublishedServices extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'published-service', {
      title: 'A Service published at a host name',
      shows:
        'One gateway (class `istio`: istiod makes the proxy) on which services are published. Each host gets a listener with its certificate, a redirect from plain HTTP, a route beside its Service, and the annotation by which external-dns makes it known. `PublishedService` says the same for Envoy Gateway and for the classic API of Istio.',
      outcomes: [
        { request: '`curl http://httpbin.example.com/get`', seen: '301 to https://httpbin.example.com/get' },
        { request: '`curl https://httpbin.example.com/get`', seen: "200 from httpbin's `/get`, by mutual TLS" },
        { request: '`curl https://httpbin.example.com/tools/get`', seen: "200 from httpbin's `/get`" },
      ],
      needs: ['`demo-httpbin`', 'the Secret `httpbin-example-com` of type `kubernetes.io/tls` in `httpbin`'],
    });
    const ingress = new SharedIngressGateway(this, 'Edge', {
      ingressClass: IngressClass.istio(),
      namespace: 'httpbin',
    });
    const backend = IngressBackend.service('httpbin', 8000, { namespace: 'httpbin' });
    new PublishedService(this, 'Httpbin', {
      ingress,
      hostname: 'httpbin.example.com',
      backend,
      paths: [{ prefix: '/tools', rewritePrefix: '/', backend }],
    });
  }
}
