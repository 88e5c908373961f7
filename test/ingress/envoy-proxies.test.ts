/** What Envoy Gateway's proxies are made of, and the code that they run: as rendered, as an API server of each release takes it, and as it is refused. */
import { ApiObject, type Chart, Duration } from 'cdk8s';
import {
  EnvoyExtension,
  EnvoyExtensionPolicy,
  EnvoyProxy,
  type EnvoyProxyProps,
  GatewayClass,
  IngressBackend,
  IngressClass,
  IngressGateway,
  IngressListener,
  PolicyTarget,
  ProcessedBody,
  ProxyServiceType,
} from '../../src';
import { check } from '../../src/check/check';
import { loadObjects } from '../../src/model/load';
import { chart, problems, rendered } from './synthesized';

const SHA = 'a'.repeat(64);

/** What the API server of a release refuses or drops of all that is rendered. */
function notAdmitted(of: Chart, envoyGatewayVersion: string): readonly string[] {
  const objects = of.node.findAll().filter((node): node is ApiObject => ApiObject.isApiObject(node));
  return check(loadObjects(objects.map((object) => object.toJson())), { envoyGatewayVersion })
    .findings.filter(({ id }) => /^EDGE00[234]$/.test(id))
    .map(({ what, field }) => `${field}: ${what}`);
}

describe('an EnvoyProxy', () => {
  const proxy = (props: EnvoyProxyProps): Chart => {
    const of = chart();
    new EnvoyProxy(of, 'Proxies', props);
    return of;
  };

  it('says of proxies what is said, and leaves the rest to Envoy Gateway', () => {
    expect(rendered(proxy({}), 'EnvoyProxy')[0]).toMatchObject({ metadata: { name: 'proxies', namespace: 'shop' } });
    expect(rendered(proxy({}), 'EnvoyProxy')[0]?.spec).toEqual({});
    expect(rendered(proxy({ mergeGateways: true, dialsServices: true }), 'EnvoyProxy')[0]?.spec).toEqual({ mergeGateways: true, routingType: 'Service' }); // prettier-ignore
  });

  it('has replicas, resources, a Service and an image, which each release takes', () => {
    const of = proxy({
      replicas: 3,
      requests: { cpu: '100m' },
      limits: { memory: '1Gi' },
      podLabels: { team: 'edge' },
      podAnnotations: { note: 'x' },
      serviceType: ProxyServiceType.CLUSTER_IP,
      serviceAnnotations: { lb: 'internal' },
      image: 'envoyproxy/envoy:v1.37.0',
      extraArgs: ['--disable-extensions x'],
      accessLogFields: { code: '%RESPONSE_CODE%' },
    });
    expect(rendered(of, 'EnvoyProxy')[0]?.spec).toEqual({
      provider: {
        type: 'Kubernetes',
        kubernetes: {
          envoyDeployment: {
            replicas: 3,
            pod: { labels: { team: 'edge' }, annotations: { note: 'x' } },
            container: {
              image: 'envoyproxy/envoy:v1.37.0',
              resources: { requests: { cpu: '100m' }, limits: { memory: '1Gi' } },
            },
          },
          envoyService: { type: 'ClusterIP', annotations: { lb: 'internal' } },
        },
      },
      extraArgs: ['--disable-extensions x'],
      telemetry: {
        accessLog: {
          settings: [
            {
              format: { type: 'JSON', json: { code: '%RESPONSE_CODE%' } },
              sinks: [{ type: 'File', file: { path: '/dev/stdout' } }],
            },
          ],
        },
      },
    });
    for (const release of ['1.6', '1.9']) expect(notAdmitted(of, release)).toEqual([]);
  });

  it('has an autoscaler from the fewest to the most', () => {
    const of = proxy({ replicas: 2, maxReplicas: 5, accessLogFormat: '%RESPONSE_CODE%' });
    expect(rendered(of, 'EnvoyProxy')[0]?.spec.provider.kubernetes).toEqual({ envoyHpa: { minReplicas: 2, maxReplicas: 5 } }); // prettier-ignore
    expect(rendered(of, 'EnvoyProxy')[0]?.spec.telemetry.accessLog.settings[0].format).toEqual({ type: 'Text', text: '%RESPONSE_CODE%\n' }); // prettier-ignore
    expect(notAdmitted(of, '1.9')).toEqual([]);
  });

  it('is named by a class', () => {
    const of = chart();
    const { parameters } = new EnvoyProxy(of, 'Proxies', { namespace: 'envoy-gateway-system' });
    new GatewayClass(of, 'Eg', { controllerName: 'gateway.envoyproxy.io/gatewayclass-controller', parameters });
    expect(rendered(of, 'GatewayClass')[0]?.spec.parametersRef).toEqual({ group: 'gateway.envoyproxy.io', kind: 'EnvoyProxy', name: 'proxies', namespace: 'envoy-gateway-system' }); // prettier-ignore
  });

  it('is refused where it cannot be', () => {
    expect(problems(proxy({ replicas: 3, maxReplicas: 2 }))).toContain('maxReplicas 2 is below replicas 3');
    expect(problems(proxy({ accessLogFormat: 'x', accessLogFields: {} }))).toContain('both `accessLogFormat` and `accessLogFields`'); // prettier-ignore
    expect(problems(proxy({ name: 'A b' }))).toContain('name "A b"');
  });
});

describe('an EnvoyExtensionPolicy', () => {
  const policy = (...extensions: EnvoyExtension[]): Chart => {
    const of = chart();
    const ingressClass = IngressClass.named('eg');
    const gateway = new IngressGateway(of, 'Public', { ingressClass, listeners: [IngressListener.http()] });
    new EnvoyExtensionPolicy(of, 'Own', { target: PolicyTarget.gateway(gateway), extensions });
    return of;
  };
  const auth = IngressBackend.service('processor', 9000);

  it('runs Lua, modules and services, each in their order, which each release takes', () => {
    const of = policy(
      EnvoyExtension.lua('function envoy_on_request(handle) end'),
      EnvoyExtension.wasmImage('registry.example.com/filter:1.0', {
        name: 'filter',
        rootId: 'main',
        sha256: SHA,
        imagePullSecret: 'pull',
        config: { a: 1 },
        failOpen: true,
      }),
      EnvoyExtension.luaFrom('scripts'),
      EnvoyExtension.wasmFile('https://example.com/filter.wasm', { sha256: SHA }),
      EnvoyExtension.externalProcessor(auth, {
        request: { body: ProcessedBody.BUFFERED, attributes: ['request.path'] },
        response: {},
        messageTimeout: Duration.seconds(2),
        failOpen: true,
      }),
    );
    expect(rendered(of, 'EnvoyExtensionPolicy')[0]).toMatchObject({ metadata: { name: 'own', namespace: 'shop' } });
    expect(rendered(of, 'EnvoyExtensionPolicy')[0]?.spec).toEqual({
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'public' }],
      lua: [
        { type: 'Inline', inline: 'function envoy_on_request(handle) end' },
        { type: 'ValueRef', valueRef: { group: '', kind: 'ConfigMap', name: 'scripts' } },
      ],
      wasm: [
        {
          name: 'filter',
          rootID: 'main',
          code: {
            type: 'Image',
            image: { url: 'registry.example.com/filter:1.0', sha256: SHA, pullSecretRef: { name: 'pull' } },
          },
          config: { a: 1 },
          failOpen: true,
        },
        { code: { type: 'HTTP', http: { url: 'https://example.com/filter.wasm', sha256: SHA } } },
      ],
      extProc: [
        {
          backendRefs: [{ kind: 'Service', name: 'processor', port: 9000 }],
          processingMode: { request: { body: 'Buffered', attributes: ['request.path'] }, response: {} },
          messageTimeout: '2s',
          failOpen: true,
        },
      ],
    });
    for (const release of ['1.6', '1.9']) expect(notAdmitted(of, release)).toEqual([]);
  });

  it('has the leave rendered that a service in another namespace takes', () => {
    const elsewhere = IngressBackend.service('processor', 9000, { namespace: 'platform' });
    const [grant] = rendered(policy(EnvoyExtension.externalProcessor(elsewhere)), 'ReferenceGrant');
    expect(grant).toMatchObject({
      metadata: { namespace: 'platform' },
      spec: {
        from: [{ kind: 'EnvoyExtensionPolicy', namespace: 'shop' }],
        to: [{ kind: 'Service', name: 'processor' }],
      },
    });
    expect(rendered(policy(EnvoyExtension.externalProcessor(auth)), 'ReferenceGrant')).toEqual([]);
  });

  it('is refused where nothing runs, or nothing could', () => {
    expect(problems(policy())).toContain('runs nothing');
    expect(problems(policy(EnvoyExtension.lua(' ')))).toContain('a script without a word');
    expect(problems(policy(EnvoyExtension.wasmFile('oci://x/y')))).toContain('a module at "oci://x/y"');
    expect(problems(policy(EnvoyExtension.wasmImage('a b')))).toContain('a module at "a b"');
    expect(problems(policy(EnvoyExtension.wasmImage('x', { sha256: 'A1' })))).toContain('`sha256` is "A1"');
  });
});
