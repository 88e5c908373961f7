// Ask for a token before a workload, and look at its claims
//
// Istio's sidecar verifies it. Without a token: 403; with a bad one: 401.
//
//     shop/web http://orders.shop.svc.cluster.local:8080/healthz delivered
//     shop/web http://orders.shop.svc.cluster.local:8080/orders refused
import type { Chart } from 'cdk8s';
import { AccessTarget, AuthorizationPolicy, RequestAuthentication, Workloads } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  const target = AccessTarget.workloads(Workloads.in('shop', { app: 'orders' }));
  const issuer = 'https://login.example.com';
  new RequestAuthentication(chart, 'Tokens', {
    target,
    issuers: [{ issuer, jwksUri: 'https://login.example.com/keys' }],
    openPaths: ['/healthz'],
  });
  new AuthorizationPolicy(chart, 'Clerks', {
    target,
    rules: [{ paths: ['/healthz'] }, { tokens: [`${issuer}/*`], claims: [{ path: ['role'], values: ['clerk'] }] }],
  });
}
