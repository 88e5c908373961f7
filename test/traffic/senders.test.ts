/** Who sends the requests that `check` follows: workloads that configuration may reach in different ways are told apart. */
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { senders } from '../../src/traffic/senders';

const deployment = (name: string, app: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: shop }
spec: { template: { metadata: { labels: { app: ${app} } }, spec: { containers: [{ name: a }] } } }
---`;

const SHOP = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---${deployment('web', 'web')}${deployment('shop', 'shop')}${deployment('payments', 'payments')}`;

function from(more: string): readonly string[] {
  return senders(buildMesh(loadText(SHOP + more).manifests)).map((sender) => sender.from);
}

describe('the workloads whose requests check follows', () => {
  it('are one for all that nothing tells apart', () => {
    expect(from('')).toEqual(['shop/web']);
  });

  it.each([
    [
      'sourceLabels of a route of another namespace that all see',
      `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: pay, namespace: routes }
spec: { hosts: [pay.example.com], http: [{ match: [{ sourceLabels: { app: payments }, sourceNamespace: shop }], route: [{ destination: { host: pay.example.com } }] }] }`,
    ],
    [
      'the selector of an EnvoyFilter',
      `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { name: pay, namespace: shop }
spec: { workloadSelector: { labels: { app: payments } }, configPatches: [] }`,
    ],
    [
      'the selector of a Sidecar',
      `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: pay, namespace: shop }
spec: { workloadSelector: { labels: { app: payments } }, egress: [{ hosts: ["./*"] }] }`,
    ],
  ])('are two where %s chooses one of them', (_, object) => {
    const all = from(object).filter((name) => name.startsWith('shop/'));
    expect(all).toEqual(['shop/web', 'shop/payments']);
  });

  it('are one where the selectors are of Telemetries and NetworkPolicies, of which each workload may have its own', () => {
    const telemetry = `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: pay, namespace: shop }
spec: { selector: { matchLabels: { app: payments } }, accessLogging: [{ disabled: true }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: pay, namespace: shop }
spec: { podSelector: { matchLabels: { app: payments } }, policyTypes: [Ingress], ingress: [{}] }`;
    expect(from(telemetry)).toEqual(['shop/web']);
  });

  it('are those of another namespace only where a route is for them', () => {
    const route = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: pay, namespace: routes }
spec: { hosts: [pay.example.com], http: [{ match: [{ sourceLabels: { app: payments }, sourceNamespace: bank }], route: [{ destination: { host: pay.example.com } }] }] }`;
    expect(from(route).filter((name) => name.startsWith('shop/'))).toEqual(['shop/web']);
  });
});
