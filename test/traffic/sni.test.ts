import { diff } from '../../src/diff/diff';
import { register } from '../../src/list/register';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { prove } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';
import { trace } from '../../src/trace/index';

/** A Service that takes TLS, whose sidecar asks for the SNI. */
const BASE = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: server, namespace: shop }
spec: { clusterIP: 10.0.0.1, selector: { app: server }, ports: [{ name: tls, port: 443 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: server, namespace: shop }
spec: { template: { metadata: { labels: { app: server } }, spec: { containers: [{ name: a }] } } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: server, namespace: shop }
spec: { selector: { matchLabels: { app: server } }, mtls: { mode: DISABLE } }
---
`;
const deny = (names: string): string => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: server, namespace: shop }
spec: { selector: { matchLabels: { app: server } }, action: DENY, rules: [{ when: [{ key: connection.sni, values: ${names} }] }] }
`;
const HOST = 'server.shop.svc.cluster.local';
const NAMED = deny(`[${HOST}]`);

/** Clients have to show a certificate to the one server, and not to the other, whose routes have the same Host. */
const GATEWAY = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: gw, namespace: istio-system }
spec: { template: { metadata: { labels: { istio: gw }, annotations: { inject.istio.io/templates: gateway } }, spec: { containers: [{ name: a }] } } }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: istio-system }
spec:
  selector: { istio: gw }
  servers:
    - { port: { number: 443, name: admin, protocol: HTTPS }, hosts: [admin.example.com], tls: { mode: MUTUAL, credentialName: a } }
    - { port: { number: 443, name: all, protocol: HTTPS }, hosts: ["*.example.com"], tls: { mode: SIMPLE, credentialName: b } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: admin, namespace: istio-system }
spec: { hosts: [admin.example.com], gateways: [edge], http: [{ route: [{ destination: { host: server.shop.svc.cluster.local, port: { number: 443 } } }] }] }
---
`;

describe('an SNI at a gateway that leads to another server than the Host', () => {
  const mesh = buildMesh(loadText(BASE.replace('name: tls,', 'name: http,') + GATEWAY).manifests);

  it('refutes that clients show a certificate', () => {
    const { rules } = readRules(
      'rules: [{ name: it, require: { from: outside, to: { hosts: [admin.example.com] }, authenticated: true } }]',
    );
    expect(prove(mesh, rules)[0]).toMatchObject({ verdict: 'refuted', counterexample: { sni: 'any.example.com' } });
  });

  it('is an entry of the register', () => {
    const entries = register(mesh, { from: 'outside' }).entries.filter(({ to }) => to.host === 'admin.example.com');
    expect(entries.map(({ requests, request }) => [requests, request.sni])).toEqual([
      ['every request with the SNI any.example.com', 'any.example.com'],
      ['every request', undefined],
    ]);
  });
});

describe('an SNI that is not the name that was dialled', () => {
  it('is followed by trace', () => {
    const mesh = buildMesh(loadText(BASE + NAMED).manifests);
    const request = { from: 'shop/web', request: `tls://${HOST}:443` };
    expect(trace(mesh, request).refusal?.code).toBe('RBAC');
    expect(trace(mesh, { ...request, sni: 'other.example' }).outcome).toBe('delivered');
  });

  it('refutes a rule that only the name itself keeps', () => {
    const { rules } = readRules(
      'rules: [{ name: it, forbid: { from: shop, to: { services: [shop/server], protocols: [https] } } }]',
    );
    const decide = (policy: string) => prove(buildMesh(loadText(BASE + policy).manifests), rules)[0];
    expect(decide(NAMED)).toMatchObject({ verdict: 'refuted', counterexample: { sni: 'never-registered.example' } });
    expect(decide(deny('["*"]'))?.verdict).toBe('proved');
  });

  it('is told of in a diff, once', () => {
    const between = (was: string, is: string) => diff(loadText(BASE + was).manifests, loadText(BASE + is).manifests);
    const opened = between(deny('["*"]'), NAMED);
    expect(opened.changes.map(({ effect, to }) => `${effect} ${to}`)).toContain(
      `widened https://${HOST}/ with the SNI never-registered.example`,
    );
    expect(opened.changes.every(({ request }) => request.sni !== undefined)).toBe(true);
    const all = between(NAMED, '');
    expect(new Set(all.changes.map(({ request }) => request.sni))).toEqual(new Set([undefined]));
    expect(between(NAMED, NAMED).complete).toBe(true);
  });
});
