import { outcome, traceIn } from './text';

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {clusterIP: 10.0.0.1, selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 9080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: app}
spec:
  selector: {matchLabels: {app: shop}}
  template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: shop, image: shop}]}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db, namespace: app}
spec: {hosts: [db.example.com], ports: [{number: 5432, name: tcp, protocol: TCP}], resolution: DNS}
`;
const meshConfig = (config: string): string => `
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    ${config}`;
const operator = (env: string): string => `
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec: {values: {pilot: {env: {${env}}}}}`;
const client = (annotations: string, labels = ''): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: sleep, namespace: app}
spec:
  selector: {matchLabels: {app: sleep}}
  template:
    metadata: {labels: {app: sleep${labels}}, annotations: {${annotations}}}
    spec: {containers: [{name: sleep, image: sleep}]}`;
const proxyConfig = (name: string, namespace: string, spec: string): string => `
---
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {name: ${name}, namespace: ${namespace}}
spec: {${spec}}`;

/** The listener that takes a connection to a host without an address tells whether the sidecar gave it one. */
const answersDns = (more: string): boolean =>
  traceIn(MESH + more)('tcp://db.example.com:5432').hops[0]?.envoy.listener?.startsWith('auto-ip-of:') === true;

const ON = 'ISTIO_META_DNS_CAPTURE: "true"';
const OFF = 'ISTIO_META_DNS_CAPTURE: "false"';
const annotation = (value: string): string => client(`proxy.istio.io/config: '{proxyMetadata: {${value}}}'`);

describe('what a sidecar is told', () => {
  it('is the mesh-wide default first', () => {
    expect(answersDns('')).toBe(false);
    expect(answersDns(meshConfig(`defaultConfig: {proxyMetadata: {${ON}}}`))).toBe(true);
  });

  it('is what ProxyConfigs of the root namespace and of its own say', () => {
    const root = proxyConfig('all', 'istio-system', `environmentVariables: {${ON}}`);
    expect(answersDns(root)).toBe(true);
    expect(answersDns(root + proxyConfig('own', 'app', `environmentVariables: {${OFF}}`))).toBe(false);
    expect(answersDns(proxyConfig('other', 'web', `environmentVariables: {${ON}}`))).toBe(false);
  });

  it('is what the annotation of its Pod says, and above it the ProxyConfig that selects the Pod', () => {
    expect(answersDns(annotation(ON))).toBe(true);
    expect(answersDns(proxyConfig('own', 'app', `environmentVariables: {${ON}}`) + annotation(OFF))).toBe(false);
    const selected = (label: string): string =>
      proxyConfig('pod', 'app', `selector: {matchLabels: {app: ${label}}}, environmentVariables: {${ON}}`);
    expect(answersDns(annotation(OFF) + selected('sleep'))).toBe(true);
    expect(answersDns(annotation(OFF) + selected('shop'))).toBe(false);
  });

  it('is of no use for addresses that istiod is told not to allocate', () => {
    const none = operator('PILOT_ENABLE_IP_AUTOALLOCATE: "false"');
    expect(answersDns(annotation(ON) + none)).toBe(false);
    expect(answersDns(annotation(`${ON}, ISTIO_META_DNS_AUTO_ALLOCATE: "true"`) + none)).toBe(true);
  });

  it.each([
    client('sidecar.istio.io/interceptionMode: NONE'),
    client(`proxy.istio.io/config: '{interceptionMode: NONE}'`),
    client('') + meshConfig('defaultConfig: {interceptionMode: NONE}'),
  ])('may be to intercept nothing: a client goes past it', (more) => {
    const told = traceIn(MESH + more)('http://unknown.example.com/');
    expect(outcome(told)).toBe('delivered to unknown.example.com:80');
    expect(told.hops.map(({ proxy }) => proxy.kind)).toEqual(['none']);
  });

  it('may be, for a gateway, to want a header that nothing shows', () => {
    const gateway = `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: app}
spec:
  selector: {matchLabels: {istio: edge}}
  template:
    metadata:
      labels: {istio: edge, sidecar.istio.io/inject: "true"}
      annotations: {inject.istio.io/templates: gateway, proxy.istio.io/config: '{gatewayTopology: {proxyProtocol: {}}}'}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: app}
spec: {selector: {istio: edge}, servers: [{hosts: ['*'], port: {number: 80, name: http, protocol: HTTP}}]}`;
    const asked = (yaml: string): string =>
      outcome(traceIn(MESH + yaml)('http://a.example.com/', { from: 'outside', at: 'app/edge' }));
    expect(asked(gateway)).toBe('unknown');
    expect(asked(gateway.replace('gatewayTopology: {proxyProtocol: {}}', ''))).not.toBe('unknown');
  });
});

describe('an ingress listener of a Sidecar', () => {
  const sidecar = (listener: string): string => `
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: shop, namespace: app}
spec: {workloadSelector: {labels: {app: shop}}, ingress: [{port: {number: 9080, name: https, protocol: HTTPS}, ${listener}}]}`;
  const disabled = `
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: shop, namespace: app}
spec: {selector: {matchLabels: {app: shop}}, portLevelMtls: {9080: {mode: DISABLE}}}`;
  const originate = (mode: string): string => `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop, namespace: app}
spec: {host: shop.app.svc.cluster.local, trafficPolicy: {tls: {mode: ${mode}, sni: shop${mode === 'MUTUAL' ? ', clientCertificate: /c, privateKey: /k' : ''}}}}`;
  const reads = operator('ENABLE_TLS_ON_SIDECAR_INGRESS: "true"');
  const tls = sidecar('defaultEndpoint: 127.0.0.1:8080, tls: {mode: SIMPLE, credentialName: shop}');
  const asked = (more: string) => traceIn(MESH + more)('http://shop/');

  it('ends TLS of its own where istiod is told to read it and mutual TLS is off', () => {
    const told = asked(tls + disabled + originate('SIMPLE') + reads);
    expect(outcome(told)).toBe('delivered to shop.app.svc.cluster.local:80');
    expect(told.hops[1]?.receives).toMatchObject({ protocol: 'HTTP', tls: 'SIMPLE' });
    expect(told.hops[1]?.sends).toMatchObject({ tls: 'NONE', port: 8080 });
    expect(asked(tls + disabled + originate('SIMPLE')).hops[1]?.sends).toMatchObject({ tls: 'SIMPLE' });
  });

  it('takes neither plain text nor mutual TLS of the mesh then', () => {
    expect(outcome(asked(tls + disabled + originate('DISABLE') + reads))).toBe('NR 503 at sidecar');
    expect(outcome(asked(tls + disabled + originate('ISTIO_MUTUAL') + reads))).toBe('UF 503 at sidecar');
    expect(outcome(asked(tls + originate('ISTIO_MUTUAL') + reads))).toBe('delivered to shop.app.svc.cluster.local:80');
  });

  it('may demand a certificate', () => {
    const mutual = tls.replace('SIMPLE', 'MUTUAL') + disabled + reads;
    expect(outcome(asked(mutual + originate('SIMPLE')))).toBe('UF 503 at sidecar');
    expect(outcome(asked(mutual + originate('MUTUAL')))).toBe('delivered to shop.app.svc.cluster.local:80');
  });

  it('that binds to a port which is redirected too leaves open who takes a connection', () => {
    expect(outcome(asked(sidecar('captureMode: NONE, defaultEndpoint: 127.0.0.1:8080')))).toBe('unknown');
  });

  it('is what takes connections where nothing is intercepted', () => {
    const none = (listener: string): string =>
      MESH.replace('labels: {app: shop}}, spec', 'labels: {app: shop}, annotations: {sidecar.istio.io/interceptionMode: NONE}}, spec') + listener; // prettier-ignore
    const kinds = (listener: string): readonly string[] =>
      traceIn(none(listener))('http://shop/').hops.map(({ proxy }) => `${proxy.kind} ${proxy.workload}`);
    expect(kinds(sidecar('defaultEndpoint: 127.0.0.1:8080').replace('HTTPS', 'HTTP'))).toEqual([
      'sidecar sleep',
      'sidecar shop',
    ]);
    expect(kinds('')).toEqual(['sidecar sleep']);
  });
});

describe('a CUSTOM policy', () => {
  const custom = (provider: string, name = 'custom'): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: app}
spec: {selector: {matchLabels: {app: shop}}, action: CUSTOM, provider: {name: ${provider}}, rules: [{to: [{operation: {paths: [/admin*]}}]}]}`;
  const providers = `${meshConfig(
    'extensionProviders: [{name: opa, envoyExtAuthzGrpc: {service: opa.app.svc.cluster.local, port: 9191}}, {name: logs, envoyOtelAls: {}}]',
  )}
---
apiVersion: v1
kind: Service
metadata: {name: opa, namespace: app}
spec: {clusterIP: 10.96.0.99, selector: {app: opa}, ports: [{name: grpc, port: 9191}]}`;
  const asked = (path: string, more: string): string => outcome(traceIn(MESH + more)(`http://shop${path}`));
  const DENIED = 'RBAC 403 at sidecar';

  it('of a provider that the mesh does not have denies what it is about', () => {
    expect(asked('/admin', custom('opa'))).toBe('unknown');
    expect(asked('/admin', custom('opa') + providers)).toBe('unknown');
    expect(asked('/admin', custom('logs') + providers)).toBe(DENIED);
    expect(asked('/admin', custom('absent') + providers)).toBe(DENIED);
    expect(asked('/', custom('absent') + providers)).toBe('delivered to shop.app.svc.cluster.local:80');
  });

  it('beside one of another provider denies too: a workload has one', () => {
    expect(asked('/admin', custom('opa') + custom('opb', 'second'))).toBe(DENIED);
  });
});
