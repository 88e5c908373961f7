import type { Trace } from '../../src/trace';
import { traceIn, outcome } from './text';

/** A Gateway that asks clients for certificates, with listeners of its own and of a set of another namespace, whose names are the same. */
const mesh = (className: string, frontend: string, more = ''): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: v1
kind: Namespace
metadata: {name: envoy-gateway-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: v1
kind: Namespace
metadata: {name: app}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {clusterIP: 10.96.0.10, selector: {app: shop}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: app, labels: {app: shop}}
spec: {containers: [{name: shop, image: shop}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: edge}
spec:
  gatewayClassName: ${className}
  tls: {frontend: ${frontend}}
  allowedListeners: {namespaces: {from: All}}
  listeners:
    - {name: https, port: 443, protocol: HTTPS, hostname: www.example.com, allowedRoutes: {namespaces: {from: All}}, tls: {certificateRefs: [{name: www}]}}
    - {name: partners, port: 8443, protocol: HTTPS, hostname: www.example.com, allowedRoutes: {namespaces: {from: All}}, tls: {certificateRefs: [{name: www}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: team, namespace: app}
spec:
  parentRef: {name: edge, namespace: edge}
  listeners: [{name: https, port: 443, protocol: HTTPS, hostname: team.example.com, tls: {certificateRefs: [{name: team}]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: app}
spec:
  parentRefs: [{name: edge, namespace: edge}, {kind: ListenerSet, name: team}]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
${more}`;
const grant = (kind: string, from: string): string => `---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: ${kind.toLowerCase()}, namespace: edge}
spec: {from: [{group: gateway.networking.k8s.io, kind: ${kind}, namespace: ${from}}], to: [{group: '', kind: ConfigMap}]}`;
const policy = (target: string, spec: string): string => `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: clients, namespace: app}
spec: {targetRefs: [{group: gateway.networking.k8s.io, ${target}}], ${spec}}`;

const ca = (more = '', namespace = ''): string =>
  `{validation: {caCertificateRefs: [{group: '', kind: ConfigMap, name: clients${namespace}}]${more}}}`;
const all = `{default: ${ca()}}`;
const CLIENTS = (data: string): string => `---
apiVersion: v1
kind: ConfigMap
metadata: {name: clients, namespace: edge}
data: ${data}
`;
const TWO =
  "{default: {validation: {caCertificateRefs: [{group: example.org, kind: Vault, name: clients}, {group: '', kind: ConfigMap, name: clients}]}}}";
const MODE = ', mode: AllowInsecureFallback';
const exceptPartners = `{default: ${ca()}, perPort: [{port: 8443, tls: {}}]}`;
const partnersAlone = `{default: {}, perPort: [{port: 8443, tls: ${ca()}}]}`;

const DELIVERED = 'delivered to shop.app.svc.cluster.local:80';
/** A client outside is one that has a certificate: that it has to show it is told by the TLS that the gateway takes, and by an assumption. */
const WITH_CERTIFICATE = `${DELIVERED}, MUTUAL`;
const traced = (yaml: string, url: string, options = {}): Trace =>
  traceIn(yaml, options)(url, { from: 'outside', at: 'edge/edge' });
const ask = (yaml: string, url: string, options = {}): string => {
  const told = traced(yaml, url, options);
  const assumed = told.noted.some(({ kind }) => kind === 'client-certificate');
  const isMutual = told.hops[0]?.receives.tls === 'MUTUAL';
  if (isMutual !== assumed) return `MUTUAL: ${isMutual}, assumed: ${assumed}`;
  return `${outcome(told)}${isMutual ? ', MUTUAL' : ''}`;
};
const WWW = 'https://www.example.com/';
const PARTNERS = 'https://www.example.com:8443/';
const TEAM = 'https://team.example.com/';

describe('certificates that a Gateway asks clients for', () => {
  it.each<[string, string, string, string, string, object]>([
    ['all ports', 'istio', all, WITH_CERTIFICATE, WITH_CERTIFICATE, {}],
    ['all ports', 'eg', all, WITH_CERTIFICATE, WITH_CERTIFICATE, {}],
    ['all ports but one', 'istio', exceptPartners, WITH_CERTIFICATE, DELIVERED, {}],
    ['all ports but one', 'eg', exceptPartners, WITH_CERTIFICATE, DELIVERED, {}],
    ['one port', 'istio', partnersAlone, DELIVERED, WITH_CERTIFICATE, {}],
    ['one port', 'eg', partnersAlone, DELIVERED, WITH_CERTIFICATE, {}],
    ['nobody', 'istio', `{default: ${ca(MODE)}}`, DELIVERED, DELIVERED, {}],
    ['nobody', 'eg', `{default: ${ca(MODE)}}`, DELIVERED, DELIVERED, {}],
    ['all, where istiod does not read the mode', 'istio', `{default: ${ca(MODE)}}`, WITH_CERTIFICATE, WITH_CERTIFICATE, { istioVersion: '1.30' }],
    ['nobody, where Envoy Gateway does not read it', 'eg', all, DELIVERED, DELIVERED, { envoyGatewayVersion: '1.7' }],
  ])('are asked of %s at %s', (_, className, frontend, www, partners, options) => {
    const yaml = mesh(className, frontend);
    expect(ask(yaml, WWW, options)).toBe(www);
    expect(ask(yaml, PARTNERS, options)).toBe(partners);
  }); // prettier-ignore

  it.each([
    ['a Service', `{default: ${ca().replace('ConfigMap', 'Service')}}`, '', 'closed', 'closed'],
    ['an empty ConfigMap', all, CLIENTS('{}'), 'closed', 'closed'],
    ['the only key of a ConfigMap', all, CLIENTS('{roots.pem: x}'), 'closed', WITH_CERTIFICATE],
    ['ca.crt', all, CLIENTS('{ca.crt: x, more: y}'), WITH_CERTIFICATE, WITH_CERTIFICATE],
    ['cacert', all, CLIENTS('{cacert: x, more: y}'), WITH_CERTIFICATE, 'closed'],
    ['a kind that is not known, beside a ConfigMap', TWO, CLIENTS('{ca.crt: x}'), 'closed', WITH_CERTIFICATE],
  ])('open no listener where nobody can read the CA: %s', (_, frontend, more, istio, eg) => {
    const end = (className: string): string => {
      const told = ask(mesh(className, frontend, more), WWW);
      return told.startsWith(DELIVERED) ? told : 'closed';
    };
    expect([end('istio'), end('eg')]).toEqual([istio, eg]);
  });

  it('are asked at the listeners of sets too, whose names may be those of the Gateway', () => {
    expect(ask(mesh('eg', all), TEAM)).toBe(WITH_CERTIFICATE);
    expect(ask(mesh('istio', all), TEAM)).toBe(WITH_CERTIFICATE);
    expect(ask(mesh('eg', '{default: {}}'), TEAM)).toBe(DELIVERED);
    expect(ask(mesh('istio', '{default: {}}'), TEAM)).toBe(DELIVERED);
  });

  it.each([
    ['OPTIONAL_MUTUAL', '1.30', DELIVERED],
    ['OPTIONAL_MUTUAL', '1.29', WITH_CERTIFICATE],
    ['MUTUAL', '1.30', WITH_CERTIFICATE],
    ['SIMPLE', '1.30', WITH_CERTIFICATE],
  ])(
    'are asked as an option of the listener says (%s), where Istio %s lets it outweigh',
    (option, istioVersion, expected) => {
      const options = `options: {gateway.istio.io/tls-terminate-mode: ${option}}`;
      const yaml = mesh('istio', all).replaceAll('tls: {certificateRefs', `tls: {${options}, certificateRefs`);
      expect(ask(yaml, WWW, { istioVersion })).toBe(expected);
    },
  );

  it.each([
    ['1.31', 'a Secret of its own', 'clients', WITH_CERTIFICATE],
    ['1.30', 'a Secret of its own', 'clients', 'UF - at ingress-gateway'],
    ['1.30', 'the Secret of the certificate', 'www', WITH_CERTIFICATE],
  ])(
    'are judged, by Istio %s, by a CA in %s only where the gateway is given it',
    (istioVersion, _where, name, expected) => {
      const secret = `{default: {validation: {caCertificateRefs: [{group: '', kind: Secret, name: ${name}}]}}}`;
      expect(ask(mesh('istio', secret), WWW, { istioVersion })).toBe(expected);
      expect(ask(mesh('eg', secret), WWW, { istioVersion })).toBe(WITH_CERTIFICATE);
    },
  );

  it('need a grant for a CA of another namespace: to the Gateway, and with Istio to a set by itself', () => {
    const named = `{default: ${ca('', ', namespace: edge')}}`;
    expect(ask(mesh('eg', named), TEAM)).toBe(WITH_CERTIFICATE);
    expect(ask(mesh('istio', named), TEAM)).toBe('NR - at ingress-gateway');
    expect(ask(mesh('istio', named, grant('Gateway', 'edge')), TEAM)).toBe('NR - at ingress-gateway');
    expect(ask(mesh('istio', named, grant('ListenerSet', 'app')), TEAM)).toBe(WITH_CERTIFICATE);
  });

  it('give way to what a ClientTrafficPolicy says of them', () => {
    const optional = 'tls: {clientValidation: {optional: true, caCertificateRefs: [{name: clients}]}}';
    const ofSet = policy('kind: ListenerSet, name: team', optional);
    expect(ask(mesh('eg', all, ofSet), TEAM)).toBe(DELIVERED);
    expect(ask(mesh('eg', all, policy('kind: ListenerSet, name: team', 'tls: {minVersion: "1.3"}')), TEAM)).toBe(WITH_CERTIFICATE); // prettier-ignore
    expect(ask(mesh('eg', all, ofSet), WWW)).toBe(WITH_CERTIFICATE);
  });
});

describe('policies about ListenerSets', () => {
  const denies = (name: string, target: string, namespace = 'app'): string => `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: {targetRefs: [{group: gateway.networking.k8s.io, ${target}}], authorization: {defaultAction: Deny}}`;
  const none = '{default: {}}';
  const DENIED = 'RBAC 403 at envoy-gateway';

  it.each<[string, string, string, string]>([
    ['a set', denies('set', 'kind: ListenerSet, name: team'), DENIED, DELIVERED],
    ['a listener of a set', denies('set', 'kind: ListenerSet, name: team, sectionName: https'), DENIED, DELIVERED],
    ['the Gateway', denies('gateway', 'kind: Gateway, name: edge', 'edge'), DENIED, DENIED],
    [
      'a listener of the Gateway of the same name',
      denies('gateway', 'kind: Gateway, name: edge, sectionName: https', 'edge'),
      DELIVERED,
      DENIED,
    ],
  ])('are in force for %s', (_, policies, team, www) => {
    const yaml = mesh('eg', none, policies);
    expect(ask(yaml, TEAM)).toBe(team);
    expect(ask(yaml, WWW)).toBe(www);
  });
});
