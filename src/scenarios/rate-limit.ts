import { Construct } from 'constructs';
import { BackendTrafficPolicy } from '../ingress/backend-traffic-policy';
import { EnvoyGatewayInMesh } from '../ingress/envoy-gateway-in-mesh';
import { RateLimitRedis } from '../ingress/global-rate-limit';
import { HttpIngressRoute } from '../ingress/http-ingress-route';
import { HttpMatch } from '../ingress/http-match';
import { IngressBackend } from '../ingress/ingress-backend';
import { IngressListener } from '../ingress/ingress-listener';
import { PolicyTarget } from '../ingress/policy-target';
import { RateLimit, RateLimitUnit } from '../ingress/rate-limit';
import { addAppsGateway } from './apps-gateway';
import { TEG } from './envoy-gateway-names';
import { ScenarioChart } from './scenario';

/** Document 000 names it in passing: limits on requests, for each proxy and for all of them. */
export class RateLimits extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'rate-limit', {
      title: 'Rate limits, local and global',
      shows:
        "`www.example.com` is limited in each proxy by itself; `shared.example.com` for all proxies together, counted in Redis by Envoy Gateway's rate-limit service. Its Service names its port `http` and speaks TLS on it, so a part of it, for server-side apply, says `appProtocol: tls`: else the sidecars parse it, and no request is ever limited.",
      outcomes: [
        { request: '`GET /httpbin/get` for `www.example.com`, up to 3 times an hour', seen: '200' },
        { request: 'the same once more', seen: '429, from the proxy itself' },
        { request: '`GET /httpbin/get` for `shared.example.com`, up to 3 times an hour', seen: '200' },
        { request: 'the same once more', seen: '429, on the word of the rate-limit service' },
      ],
      needs: [
        '`demo-httpbin`',
        "Envoy Gateway by its chart with this scenario's `install/envoy-gateway.values`, which tells it of Redis",
      ],
    });
    const redis = new RateLimitRedis(this, 'teg-redis', { namespace: 'envoy-gateway-system' });
    new EnvoyGatewayInMesh(this, 'EnvoyGateway', { ...TEG, rateLimitStore: redis });
    const limit = [{ requests: 3, unit: RateLimitUnit.HOUR }];
    const own = addAppsGateway(this, IngressListener.http());
    new BackendTrafficPolicy(this, 'httpbin-local', {
      target: PolicyTarget.route(own),
      rateLimit: RateLimit.local(limit),
    });
    const shared = new HttpIngressRoute(this, 'httpbin-shared', {
      namespace: 'httpbin',
      gateway: own.gateway,
      hostnames: ['shared.example.com'],
      rules: [
        {
          matches: [HttpMatch.prefix('/httpbin/')],
          rewrite: { prefix: '/' },
          backends: [IngressBackend.service('httpbin', 8000)],
        },
      ],
    });
    new BackendTrafficPolicy(this, 'httpbin-global', {
      target: PolicyTarget.route(shared),
      rateLimit: RateLimit.global(limit),
    });
  }
}
