import { outcome, traceIn } from './text';

const edge = (endpoints: string, more = ''): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: eg }
spec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }
---
apiVersion: v1
kind: Namespace
metadata: { name: app }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: app }
spec: { gatewayClassName: eg, listeners: [{ name: http, port: 80, protocol: HTTP }, { name: tcp, port: 90, protocol: TCP }] }
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: { name: api, namespace: app }
spec: { endpoints: [${endpoints}]${more} }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: api, namespace: app }
spec: { parentRefs: [{ name: edge, sectionName: http }], rules: [{ backendRefs: [{ group: gateway.envoyproxy.io, kind: Backend, name: api }] }] }
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: { name: api, namespace: app }
spec: { parentRefs: [{ name: edge, sectionName: tcp }], rules: [{ backendRefs: [{ group: gateway.envoyproxy.io, kind: Backend, name: api }] }] }
`;
const ask = (yaml: string, request = 'http://web.example.com/') => traceIn(yaml)(request, { from: 'outside', at: 'app/edge' }); // prettier-ignore

describe('the cluster of a Backend', () => {
  it('has all of its endpoints, of which the first is followed', () => {
    const told = ask(edge('{ ip: { address: 192.0.2.1, port: 81 } }, { ip: { address: 192.0.2.2, port: 82 } }'));
    expect(told.hops[0]?.envoy.endpoints).toEqual(['192.0.2.1:81', '192.0.2.2:82']);
    expect(outcome(told)).toBe('delivered to 192.0.2.1:81');
  });

  it('puts the Host of a request into its TLS, and no name into that of a connection', () => {
    const yaml = edge('{ fqdn: { hostname: api.example.net, port: 443 } }', ', tls: { insecureSkipVerify: true }');
    expect(ask(yaml).hops[0]?.sends).toMatchObject({ tls: 'SIMPLE', sni: 'web.example.com' });
    expect(ask(yaml, 'tcp://web.example.com:90').hops[0]?.sends).toMatchObject({ tls: 'SIMPLE', sni: null });
  });

  it('is refused with a problem that programs read, and its words', () => {
    const told = ask(edge('{ fqdn: { hostname: api, port: 443 } }'));
    expect(told.refusal?.reason).toEqual({
      kind: 'backend-not-accepted',
      backend: 'app/api',
      problem: { is: 'name-without-dot', name: 'api' },
      detail: 'api is a name without a dot',
      cure: 'write a name with a dot, or the address under ip',
    });
  });
});
