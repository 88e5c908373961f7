import { Construct } from 'constructs';
import { AccessTarget } from '../access/access-target';
import { AuthorizationAction, AuthorizationPolicy } from '../access/authorization-policy';
import { RequestAuthentication } from '../access/request-authentication';
import { IngressBackend } from '../ingress/ingress-backend';
import { IngressClass } from '../ingress/ingress-class';
import { PublishedService } from '../ingress/published-service';
import { SharedIngressGateway } from '../ingress/shared-ingress-gateway';
import { ScenarioChart } from './scenario';

const ISSUER = 'https://login.example.com';

/** Signed tokens (JWT) at Istio's own gateway: who shows none is refused, and who is in no group gets no further. */
export class IngressTokens extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'ingress-tokens', {
      title: "Tokens (JWT) at Istio's gateway",
      shows:
        "The gateway reads tokens of one issuer and asks for one on all paths but `/status/200`. `/admin` and what is below it is refused to every token that is not of the group `admins`. Istio's RequestAuthentication alone would let requests without a token pass.",
      outcomes: [
        { request: 'without a token', seen: '403; 200 for `/status/200`' },
        { request: 'with a bad token', seen: '401' },
        { request: 'with a good token', seen: '200; 403 for `/admin`, unless the token says `groups: [admins]`' },
      ],
      needs: ['`demo-httpbin`', 'an issuer `https://login.example.com` whose keys istiod can fetch'],
    });
    const ingress = new SharedIngressGateway(this, 'Tokens', {
      ingressClass: IngressClass.istio(),
      namespace: 'httpbin',
    });
    new PublishedService(this, 'Httpbin', {
      ingress,
      hostname: 'tokens.example.com',
      plainHttp: true,
      backend: IngressBackend.service('httpbin', 8000, { namespace: 'httpbin' }),
    });
    const target = AccessTarget.gateway(ingress.gateway);
    new RequestAuthentication(this, 'Login', {
      target,
      issuers: [{ issuer: ISSUER, jwksUri: `${ISSUER}/keys` }],
      openPaths: ['/status/200'],
    });
    new AuthorizationPolicy(this, 'Admins', {
      target,
      action: AuthorizationAction.deny(),
      rules: [
        { tokens: [`${ISSUER}/*`], exceptClaims: [{ path: ['groups'], values: ['admins'] }], paths: ['/admin*'] },
      ],
    });
  }
}
