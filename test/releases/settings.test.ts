/** Settings that no schema has: what each release does by them, and that check tells where an older one does not read them. */
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import { outcome, traceIn } from '../trace/text';

const SIDECARS = `
{apiVersion: v1, kind: Namespace, metadata: {name: app, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: sleep, namespace: app, labels: {app: sleep}}, spec: {containers: [{name: sleep, image: 'curl:8'}]}}
`;
const meshConfig = (text: string): string => `---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: '${text}'}
`;
const operator = (spec: string): string =>
  `---\n{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: {name: mesh, namespace: istio-system}, spec: {${spec}}}\n`;

describe('outboundTrafficPolicy with mode ALLOW_ANY_DYNAMIC_DNS', () => {
  const yaml = SIDECARS + meshConfig('{outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS}}');
  const way = (istioVersion: string, request: string, address?: string): string => {
    const told = traceIn(yaml, { istioVersion })(request, { from: 'app/sleep', ...(address === undefined ? {} : { address }) }); // prettier-ignore
    return `${told.hops[0]?.cluster ?? '-'}: ${outcome(told)}`;
  };

  it.each([
    ['1.29', 'PassthroughCluster: delivered to a.example.com:8080', 'PassthroughCluster: delivered to a.example.com:443'],
    ['1.30', 'BlackHoleCluster: BlackHoleCluster - at sidecar', 'BlackHoleCluster: BlackHoleCluster - at sidecar'],
    ['1.31', 'AllowAnyDynamicDNSCluster: delivered to a.example.com:8080', 'PassthroughCluster: delivered to a.example.com:443'],
  ])('is followed as Istio %s reads it', (release, http, tls) => {
    expect(way(release, 'http://a.example.com:8080/')).toBe(http);
    expect(way(release, 'https://a.example.com/')).toBe(tls);
  }); // prettier-ignore

  it('leads HTTP to what the Host says, whatever was dialled, and TCP to the address', () => {
    expect(way('1.31', 'http://a.example.com:81/', '192.0.2.9')).toBe('AllowAnyDynamicDNSCluster: delivered to a.example.com:81'); // prettier-ignore
    expect(way('1.31', 'tcp://192.0.2.9:5432')).toBe('PassthroughCluster: delivered to 192.0.2.9:5432');
  });

  it('is unknown where the sidecar originates TLS besides', () => {
    const tls = SIDECARS + meshConfig('{outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS, tls: {mode: SIMPLE}}}');
    const told = traceIn(tls, { istioVersion: '1.31' })('http://a.example.com/', { from: 'app/sleep' });
    expect(outcome(told)).toBe('unknown');
    expect(told.notes.join()).toContain('outboundTrafficPolicy.tls');
  });
});

describe('several providers of one workload', () => {
  const policies = ['one', 'two']
    .map(
      (name) =>
        `---\n{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: ${name}, namespace: app}, spec: {selector: {matchLabels: {app: web}}, action: CUSTOM, provider: {name: ${name}}, rules: [{to: [{operation: {paths: [/${name}]}}]}]}}\n`,
    )
    .join('');
  const web = `---\n{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: app, labels: {app: web}}, spec: {containers: [{name: web, image: 'web:1', ports: [{containerPort: 80}]}]}}
---\n{apiVersion: v1, kind: Service, metadata: {name: web, namespace: app}, spec: {selector: {app: web}, ports: [{name: http, port: 80}]}}\n`;
  const install = (env: string): string =>
    operator(
      `meshConfig: {extensionProviders: [{name: one, envoyExtAuthzHttp: {service: a.example.com, port: 80}}, {name: two, envoyExtAuthzGrpc: {service: b.example.com, port: 80}}]}, values: {pilot: {env: {${env}}}}`,
    );
  const told = (env: string, istioVersion: string, path = 'one'): string =>
    outcome(traceIn(SIDECARS + web + policies + install(env), { istioVersion })(`http://web.app/${path}`, { from: 'app/sleep' })); // prettier-ignore
  const SEVERAL = "PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS: 'true'";

  it('are asked from 1.30 on if istiod is told to, and deny else', () => {
    expect(told(SEVERAL, '1.30')).toBe('unknown');
    expect(told(SEVERAL, '1.29')).toBe('RBAC 403 at sidecar');
    expect(told('', '1.30')).toBe('RBAC 403 at sidecar');
    expect(told(SEVERAL, '1.30', 'other')).toBe('delivered to web.app.svc.cluster.local:80');
  });
});

describe('a BackendTLSPolicy that is for another controller', () => {
  const yaml = `${SIDECARS}---
{apiVersion: v1, kind: Namespace, metadata: {name: plain}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: plain, labels: {app: web}}, spec: {containers: [{name: web, image: 'web:1'}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: plain}, spec: {selector: {app: web}, ports: [{name: http, port: 80}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: BackendTLSPolicy, metadata: {name: web, namespace: plain, annotations: {istio.io/ignore-policy-attachment: 'true'}}, spec: {targetRefs: [{group: '', kind: Service, name: web}], validation: {hostname: web.example.com, wellKnownCACertificates: System}}}
`;
  const tls = (istioVersion: string): unknown =>
    traceIn(yaml, { istioVersion })('http://web.plain/', { from: 'app/sleep' }).hops[0]?.sends?.tls;

  it('is left to it from 1.30 on', () => {
    expect(tls('1.29')).toBe('SIMPLE');
    expect(tls('1.30')).toBe('NONE');
  });
});

describe('a waypoint with a canary', () => {
  const waypoint = (name: string): string =>
    `---\n{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: ${name}, namespace: app}, spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}}\n`;
  const mesh = (weight: string, canary = 'next', asks: 'service' | 'namespace' = 'service'): string => {
    const labels = `istio.io/use-waypoint: first, istio.io/use-waypoint-canary: ${canary}`;
    const annotations = `annotations: {istio.io/use-waypoint-canary-weight: '${weight}'}`;
    const [ofNamespace, ofService] = asks === 'namespace' ? [`labels: {istio.io/dataplane-mode: ambient, ${labels}}, ${annotations}`, ''] : ['labels: {istio.io/dataplane-mode: ambient}', `, labels: {${labels}}, ${annotations}`]; // prettier-ignore
    return `{apiVersion: v1, kind: Namespace, metadata: {name: app, ${ofNamespace}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: app, labels: {app: web}}, spec: {containers: [{name: web, image: 'web:1'}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: sleep, namespace: app, labels: {app: sleep}}, spec: {containers: [{name: sleep, image: 'curl:8'}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: app${ofService}}, spec: {selector: {app: web}, ports: [{name: http, port: 80}]}}
${waypoint('first')}${waypoint('next')}`;
  };
  const told = (yaml: string, istioVersion: string): string =>
    outcome(traceIn(yaml, { istioVersion })('http://web.app/', { from: 'app/sleep' }));
  const DELIVERED = 'delivered to web.app.svc.cluster.local:80';

  it('leaves open which of the two a connection takes, from 1.31 on', () => {
    expect(told(mesh('10'), '1.30')).toBe(DELIVERED);
    expect(told(mesh('10'), '1.31')).toBe('unknown');
    expect(told(mesh('10', 'next', 'namespace'), '1.31')).toBe('unknown');
  });

  it('is as good as none with no share, with one that is no number, and where it is the first one or not there', () => {
    for (const [weight, canary] of [['0', 'next'], ['x', 'next'], ['101', 'next'], ['10', 'first'], ['10', 'gone']] as const)
      expect(told(mesh(weight, canary), '1.31')).toBe(DELIVERED); // prettier-ignore
  });
});

describe('a setting that a release does not read', () => {
  const policy = (annotation: string): string =>
    `{apiVersion: gateway.networking.k8s.io/v1, kind: BackendTLSPolicy, metadata: {name: web, namespace: app, annotations: {${annotation}: 'true'}}, spec: {targetRefs: [{group: '', kind: Service, name: web}], validation: {hostname: web.example.com, wellKnownCACertificates: System}}}\n`;
  const cases: readonly (readonly [string, string, string, string])[] = [
    ['1.31', 'the outbound mode', meshConfig('{outboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS}}'), 'data.mesh'],
    ['1.31', 'limits of the mesh', operator('meshConfig: {defaultTrafficPolicy: {connectionPool: {tcp: {maxConnections: 100}}}}'), 'spec.meshConfig.defaultTrafficPolicy'],
    ['1.31', 'who sees entries', meshConfig('{serviceEntryVisibility: {applyToSidecars: true}}'), 'data.mesh'],
    ['1.31', 'settings of listeners', operator('meshConfig: {defaultConfig: {connectionSettings: {profile: EDGE}}}'), 'spec.meshConfig.defaultConfig.connectionSettings'],
    ['1.31', 'a canary of a waypoint', '{apiVersion: v1, kind: Namespace, metadata: {name: app, labels: {istio.io/use-waypoint-canary: next}}}\n', 'metadata.labels["istio.io/use-waypoint-canary"]'],
    ['1.30', 'several providers', operator("values: {pilot: {env: {PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS: 'true'}}}"), ''],
    ['1.30', 'a policy for another controller', policy('istio.io/ignore-policy-attachment'), 'metadata.annotations["istio.io/ignore-policy-attachment"]'],
    ['1.30', 'how addresses are tried', "{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: a, namespace: app, annotations: {istio.io/connect-strategy: RACE_FIRST_TCP_CONNECT}}, spec: {hosts: [a.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}}\n", 'metadata.annotations["istio.io/connect-strategy"]'],
    ['1.30', 'the client that a waypoint tells', "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: w, namespace: app, annotations: {ambient.istio.io/xfcc-include-client-identity: 'true'}}, spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}}\n", 'metadata.annotations["ambient.istio.io/xfcc-include-client-identity"]'],
  ]; // prettier-ignore

  it.each(cases)('needs Istio %s: %s', (needs, _, yaml, field) => {
    const older = needs === '1.31' ? '1.30' : '1.29';
    const found = (istioVersion: string): readonly string[] =>
      check(loadText(yaml), { istioVersion })
        .findings.filter(({ id }) => id === 'EDGE032')
        .map(({ field: at, what, why }) => `${at}: ${what}. ${why}`);
    const [said, ...others] = found(older);
    expect(others).toEqual([]);
    expect(said).toContain(`${field}: `);
    expect(said).toContain(`needs Istio ${needs}. Istio ${older} `);
    expect(found(needs)).toEqual([]);
  });
});
