import { Construct } from 'constructs';
import { HttpIngressRoute } from '../ingress/http-ingress-route';
import { HttpMatch } from '../ingress/http-match';
import { IngressBackend } from '../ingress/ingress-backend';
import { IngressGateway } from '../ingress/ingress-gateway';
import { IngressListener } from '../ingress/ingress-listener';
import { ListenerCertificate } from '../ingress/listener-certificate';
import { teg } from './envoy-gateway-names';
import { ScenarioChart } from './scenario';

const NEEDS = ['`envoy-gateway-in-mesh` and `demo-httpbin`'];

/** Adds document 000's Gateway `apps`, and its route to httpbin. */
export function addAppsGateway(scope: Construct, listener: IngressListener): HttpIngressRoute {
  const gateway = new IngressGateway(scope, 'apps', {
    namespace: 'httpbin',
    ingressClass: teg(),
    listeners: [listener],
  });
  return new HttpIngressRoute(scope, 'httpbin', {
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
}

/** Document 000: plain HTTP through Envoy Gateway to an application of the mesh. */
export class AppsGatewayHttp extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'apps-gateway-http', {
      title: 'HTTP through Envoy Gateway into the mesh',
      shows:
        "The route takes the prefix off, and writes the Service's own name into the Host header: by it the proxy's sidecar finds the Service and speaks mutual TLS to it. The host that the client asked for goes along in `x-forwarded-host`.",
      outcomes: [
        {
          request: '`GET /httpbin/get`, `Host: www.example.com`',
          seen: "200 from httpbin's `/get`, by mutual TLS: httpbin sees the proxy's certificate in `x-forwarded-client-cert`",
        },
        {
          request: '`GET /httpbin`, without the slash',
          seen: '404 from httpbin: the match takes it in, the rewrite leaves it as it is',
        },
        { request: '`GET /httpbin/get` for any other host', seen: '404 from the gateway' },
      ],
      needs: NEEDS,
    });
    addAppsGateway(this, IngressListener.http());
  }
}

/** Document 000: the same by HTTPS. */
export class AppsGatewayHttps extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'apps-gateway-https', {
      title: 'HTTPS through Envoy Gateway into the mesh',
      shows:
        'The Gateway `apps` again, with HTTPS in the place of HTTP. The certificate is a reference to the Secret `httpbin-credential`; `ListenerCertificate.certManager` would render a Certificate in its place.',
      outcomes: [
        { request: '`GET https://www.example.com/httpbin/get`, checked with the CA of the example', seen: '200' },
      ],
      needs: [...NEEDS, 'the Secret `httpbin-credential` (`tls.crt`, `tls.key`) in `httpbin`'],
    });
    addAppsGateway(this, IngressListener.https(ListenerCertificate.secret('httpbin-credential')));
  }
}
