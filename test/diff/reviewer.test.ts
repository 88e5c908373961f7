/** Pull requests as reviewers meet them, and the words that a diff has for each. */
import { diff } from '../../src/diff/diff';
import type { Change } from '../../src/diff/types';
import { loadText } from '../../src/model/load';

const BASE = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout, namespace: shop}
spec:
  selector: {matchLabels: {app: checkout}}
  template:
    metadata: {labels: {app: checkout}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: checkout, namespace: shop}
spec: {selector: {app: checkout}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  meshConfig: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}
  components: {ingressGateways: [{name: istio-ingressgateway, enabled: true}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: stripe, namespace: shop}
spec: {hosts: [api.stripe.com], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS, exportTo: ["."]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: [shop.example.com], tls: {mode: SIMPLE, credentialName: shop}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: public, namespace: shop}
spec:
  hosts: [shop.example.com]
  gateways: [public]
  http: [{route: [{destination: {host: checkout, port: {number: 80}}}]}]
`;

const more = (text: string): string => `${BASE}---\n${text}`;
const STRICT = 'apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: default, namespace: istio-system}\nspec: {mtls: {mode: STRICT}}\n'; // prettier-ignore

function changes(was: string, is: string): readonly Change[] {
  return diff(loadText(was).manifests, loadText(is).manifests).changes;
}

function told(was: string, is: string): readonly string[] {
  return changes(was, is).map(
    ({ effect, from, to, was: before, is: after }) =>
      `${effect}: ${from.join(', ')} to ${to}: ${before.text} -> ${after.text}`,
  );
}

const CHECKOUT = 'any workload without a sidecar to http://checkout.shop.svc.cluster.local/';

describe('a diff', () => {
  it('says whom STRICT mutual TLS shuts out, and whom its end lets in', () => {
    const plain = 'directly, with no proxy; reaches port 80 in plain text';
    const shut = 'refused, connection closed by the sidecar of shop/checkout: it takes mutual TLS of the mesh only (istio-system/default)'; // prettier-ignore
    expect(told(BASE, more(STRICT))).toEqual([`narrowed: ${CHECKOUT}: ${plain} -> ${shut}`]);
    expect(told(more(STRICT), BASE)).toEqual([`widened: ${CHECKOUT}: ${shut} -> ${plain}`]);
  });

  it('has callers without an identity for a policy that asks for one', () => {
    const policy = 'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: known, namespace: shop}\nspec: {rules: [{from: [{source: {principals: ["*"]}}]}]}\n'; // prettier-ignore
    const [change, ...others] = told(BASE, more(policy));
    expect(others).toEqual([]);
    expect(change).toMatch(/^narrowed: any workload without a sidecar to .* denied by an AuthorizationPolicy/);
  });

  it('says that clients from outside need a certificate, or need none any more', () => {
    const mutual = BASE.replace('mode: SIMPLE', 'mode: MUTUAL');
    const [asked] = changes(BASE, mutual);
    expect(asked).toMatchObject({ effect: 'rerouted', from: ['outside, at shop/public'] });
    expect(asked?.is.text).toContain('which demands a client certificate');
    expect(changes(mutual, BASE)[0]).toMatchObject({ effect: 'weakened' });
  });

  it('follows what an Ingress leads in', () => {
    const ingress = (path: string): string =>
      more(`apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: istio
  rules: [{host: web.example.com, http: {paths: [{path: ${path}, pathType: Prefix, backend: {service: {name: checkout, port: {number: 80}}}}]}}]
`);
    expect(changes(BASE, ingress('/cart'))).toContainEqual(
      expect.objectContaining({
        effect: 'widened',
        from: ['outside, at Ingress shop/web'],
        to: 'http://web.example.com/cart',
      }),
    );
    expect(changes(ingress('/cart'), ingress('/')).map(({ effect, to }) => [effect, to])).toEqual([
      ['widened', 'http://web.example.com/'],
    ]);
  });

  it('says what share of the requests goes where', () => {
    const one = 'destination: {host: checkout, port: {number: 80}}';
    const split = BASE.replace(`{${one}}`, `{${one}, weight: 95}, {destination: {host: next, port: {number: 80}}, weight: 5}`); // prettier-ignore
    expect(changes(BASE, split)[0]?.is.text).toContain(
      'split: 95 % to checkout.shop.svc.cluster.local:80, 5 % to next.shop.svc.cluster.local:80',
    );
  });

  it('says that nothing listens on a port, and which NetworkPolicy cuts', () => {
    const http = BASE.replace('servers: [', 'servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}, '); // prettier-ignore
    expect(changes(BASE, http)[0]?.was.text).toContain('nothing listens on that port');
    const policy = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: inside, namespace: shop}\nspec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}]}]}\n'; // prettier-ignore
    expect(changes(BASE, more(policy))[0]?.is.text).toContain('cut by a NetworkPolicy (shop/inside)');
  });

  it('never says the same of before and after', () => {
    const moved = BASE.replace(
      'hosts: [api.stripe.com], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS',
      'hosts: [api.stripe.com], ports: [{number: 443, name: tls, protocol: TLS}], resolution: NONE',
    );
    const [change] = changes(BASE, moved);
    expect(change?.was.text).toContain('at api.stripe.com, as the proxy resolves it');
    expect(change?.is.text).toContain('at the address that the client dials');
  });
});
