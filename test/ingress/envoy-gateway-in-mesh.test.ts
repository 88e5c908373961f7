import { OutputFile } from '../../src/app/output-file';
import { EnvoyGatewayInMesh } from '../../src/ingress/envoy-gateway-in-mesh';
import { ProxyServiceType } from '../../src/ingress/envoy-proxy-pods';
import { RateLimitRedis } from '../../src/ingress/global-rate-limit';
import { RolloutRestart } from '../../src/ingress/rollout-restart';
import { MeshMembership } from '../../src/mesh/mesh-membership';
import { chart, problems, rendered } from './synthesized';

describe('Envoy Gateway in the mesh', () => {
  it('says of the control plane Service that 18000 is TLS, and nothing of its other ports', () => {
    const edge = chart();
    new EnvoyGatewayInMesh(edge, 'Gateway');
    expect(rendered(edge, 'Service')).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'envoy-gateway', namespace: 'envoy-gateway-system' },
        spec: { ports: [{ name: 'grpc', port: 18000, protocol: 'TCP', appProtocol: 'tls' }] },
      },
    ]);
  });

  it('keeps the sidecar off the way in, and sends to Service addresses', () => {
    const edge = chart();
    new EnvoyGatewayInMesh(edge, 'Gateway');
    const { spec } = rendered(edge, 'EnvoyProxy')[0];
    expect(spec.routingType).toBe('Service');
    expect(spec.provider.kubernetes.envoyDeployment.pod.annotations).toEqual({
      'traffic.sidecar.istio.io/includeInboundPorts': '',
    });
  });

  it('has two proxies, of which one stays up, unless told otherwise', () => {
    const edge = chart();
    new EnvoyGatewayInMesh(edge, 'Gateway');
    const { kubernetes } = rendered(edge, 'EnvoyProxy')[0].spec.provider;
    expect(kubernetes).toMatchObject({ envoyDeployment: { replicas: 2 }, envoyPDB: { minAvailable: 1 } });
  });

  it('adds labels, annotations, resources and the Service to its own settings', () => {
    const edge = chart();
    new EnvoyGatewayInMesh(edge, 'Gateway', {
      proxies: {
        maxReplicas: 5,
        requests: { cpu: '200m' },
        podLabels: { team: 'edge' },
        podAnnotations: { note: 'ours' },
        serviceType: ProxyServiceType.CLUSTER_IP,
      },
    });
    const { kubernetes } = rendered(edge, 'EnvoyProxy')[0].spec.provider;
    expect(kubernetes.envoyDeployment.pod).toEqual({
      labels: { team: 'edge' },
      annotations: { note: 'ours', 'traffic.sidecar.istio.io/includeInboundPorts': '' },
    });
    expect(kubernetes.envoyDeployment.container.resources.requests).toEqual({ cpu: '200m' });
    expect(kubernetes.envoyHpa).toEqual({ minReplicas: 2, maxReplicas: 5 });
    expect(kubernetes.envoyService.type).toBe('ClusterIP');
  });

  it('refuses settings that would undo its own, all at once', () => {
    const edge = chart();
    new EnvoyGatewayInMesh(edge, 'Gateway', {
      membership: MeshMembership.none(),
      proxies: {
        podLabels: { 'sidecar.istio.io/inject': 'false' },
        podAnnotations: { 'traffic.sidecar.istio.io/includeInboundPorts': '*' },
        minAvailable: 2,
      },
    });
    const said = problems(edge);
    expect(said).toContain('namespace "envoy-gateway-system" gets no sidecars');
    expect(said).toContain('pod label sidecar.istio.io/inject is "false"');
    expect(said).toContain('includeInboundPorts is "*"');
    expect(said).toContain('minAvailable 2 of 2 replicas');
  });

  it('names its EnvoyProxy in the GatewayClass, which belongs to no namespace', () => {
    const edge = chart();
    new EnvoyGatewayInMesh(edge, 'Gateway', { gatewayClassName: 'teg', envoyProxyName: 'data-plane-sidecars' });
    expect(rendered(edge, 'GatewayClass')[0]).toMatchObject({
      metadata: { name: 'teg' },
      spec: {
        controllerName: 'gateway.envoyproxy.io/gatewayclass-controller',
        parametersRef: { name: 'data-plane-sidecars', namespace: 'envoy-gateway-system' },
      },
    });
    expect(rendered(edge, 'GatewayClass')[0].metadata.namespace).toBeUndefined();
  });

  it('lets the API server reach the webhook under STRICT, and leaves the mode to the mesh', () => {
    const edge = chart();
    new EnvoyGatewayInMesh(edge, 'Gateway');
    expect(rendered(edge, 'PeerAuthentication')[0].spec).toEqual({
      selector: { matchLabels: { 'control-plane': 'envoy-gateway' } },
      mtls: { mode: 'UNSET' },
      portLevelMtls: { 9443: { mode: 'DISABLE' } },
    });
  });

  it('with a store for rate limits, tells the chart of it, and the mesh that the rate-limit service speaks TLS', () => {
    const edge = chart();
    const redis = new RateLimitRedis(edge, 'Redis', { namespace: 'envoy-gateway-system' });
    const gateway = new EnvoyGatewayInMesh(edge, 'Gateway', { rateLimitStore: redis });
    const [service] = rendered(edge, 'Service', 'envoy-ratelimit');
    expect(service.spec.ports).toEqual([{ name: 'http', port: 8081, protocol: 'TCP', appProtocol: 'tls' }]);
    const values = gateway.node.findChild('Values') as OutputFile;
    expect(values.content).toContain('url: redis.envoy-gateway-system.svc.cluster.local:6379');
    expect(rendered(edge, 'AuthorizationPolicy')[0].spec.rules[0].from[0].source.principals).toEqual([
      'cluster.local/ns/envoy-gateway-system/sa/envoy-ratelimit',
    ]);
  });
});

describe('a store for rate limits in another namespace than Envoy Gateway', () => {
  const principals = (edge: ReturnType<typeof chart>) =>
    rendered(edge, 'AuthorizationPolicy')[0].spec.rules[0].from[0].source.principals;

  it('admits the rate-limit service of each Envoy Gateway that it is given to', () => {
    const edge = chart();
    const rateLimitStore = new RateLimitRedis(edge, 'Redis', { namespace: 'edge' });
    new EnvoyGatewayInMesh(edge, 'Gateway', { rateLimitStore });
    expect(principals(edge)).toEqual(['cluster.local/ns/envoy-gateway-system/sa/envoy-ratelimit']);
  });

  it('admits the client that is named, and nobody else', () => {
    const edge = chart();
    const client = 'corp.example/ns/limits/sa/envoy-ratelimit';
    new EnvoyGatewayInMesh(edge, 'Gateway', { rateLimitStore: new RateLimitRedis(edge, 'Redis', { client }) });
    expect(principals(edge)).toEqual([client]);
  });
});

describe('a rollout restart', () => {
  it('is one annotation of each Pod template, which changes with its cause', () => {
    const edge = chart();
    new RolloutRestart(edge, 'Restart', { namespace: 'x', deployments: ['b', 'a', 'b'], cause: 'istio 1.29.1' });
    expect(rendered(edge, 'Deployment').map(({ metadata, spec }) => [metadata.name, spec])).toEqual(
      ['a', 'b'].map((name) => [
        name,
        { template: { metadata: { annotations: { 'mesh-edge/restarted-for': 'istio 1.29.1' } } } },
      ]),
    );
  });

  it('is refused where it names no Deployment', () => {
    const edge = chart();
    new RolloutRestart(edge, 'Restart', { deployments: [], cause: 'x' });
    expect(problems(edge)).toContain('[edge/Restart] names no Deployment');
  });
});
