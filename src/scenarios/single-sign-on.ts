import { Construct } from 'constructs';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { IngressListener } from '../ingress/ingress-listener';
import { ListenerCertificate } from '../ingress/listener-certificate';
import { PolicyTarget } from '../ingress/policy-target';
import { SecurityPolicy } from '../ingress/security-policy';
import { addAppsGateway } from './apps-gateway';
import { ScenarioChart } from './scenario';

/** Document 000 names it in passing: people log in before they get to httpbin. */
export class SingleSignOn extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'single-sign-on', {
      title: 'Single sign-on by OpenID Connect',
      shows:
        'The SecurityPolicy sends browsers without a session to the provider. The proxy itself turns the code into tokens, through its sidecar, so the provider is registered where the proxies run: it works under `REGISTRY_ONLY`. Both endpoints are said rather than discovered, because a route is open to everyone while Envoy Gateway fails to discover them.',
      outcomes: [
        {
          request: '`GET https://www.example.com/httpbin/get`, no session',
          seen: '302 to `https://login.example.com/authorize`',
        },
        { request: 'the same, after logging in', seen: '200' },
        { request: 'the same with a made-up session cookie', seen: '302 again' },
      ],
      needs: [
        '`envoy-gateway-in-mesh` and `demo-httpbin`; the Secret `httpbin-credential`, as for `apps-gateway-https`',
        'a client `httpbin` at the provider, with its secret in the Secret `httpbin-oidc-client` (key `client-secret`) in `httpbin`',
      ],
    });
    const route = addAppsGateway(this, IngressListener.https(ListenerCertificate.secret('httpbin-credential')));
    const provider = new ExternalService(this, 'login', {
      namespace: 'envoy-gateway-system',
      hosts: ['login.example.com'],
      ports: [ExternalPort.https()],
    });
    new SecurityPolicy(this, 'httpbin-login', {
      target: PolicyTarget.route(route),
      oidc: {
        provider: {
          issuer: 'https://login.example.com',
          authorizationEndpoint: 'https://login.example.com/authorize',
          tokenEndpoint: 'https://login.example.com/token',
          service: provider,
        },
        clientId: 'httpbin',
        clientSecretName: 'httpbin-oidc-client',
        redirectUrl: 'https://www.example.com/httpbin/oauth2/callback',
        logoutPath: '/httpbin/logout',
      },
    });
  }
}
