import { ApiObject, App, Chart, JsonPatch, Testing } from 'cdk8s';
import { EdgeApp, EnvoyGatewayInMesh, IngressBackend, IngressClass, IngressGateway, IngressListener, MeshTarget, type MeshTargetProps, TlsIngressRoute } from '../../src'; // prettier-ignore
import { RELEASES } from '../../imports/releases';
import { COMPONENT_NAMES, releaseNames } from '../../src/model/releases';

function charted(
  target: MeshTargetProps | undefined,
  fill: (chart: Chart) => void,
): readonly Record<string, unknown>[] {
  const app = new App();
  if (target !== undefined) new MeshTarget(target).applyTo(app);
  const chart = new Chart(app, 'chart', { namespace: 'shop' });
  fill(chart);
  return Testing.synth(chart) as Record<string, unknown>[];
}

/** What a synth is refused for. */
function refusal(target: MeshTargetProps | undefined, fill: (chart: Chart) => void): string {
  const app = new App();
  if (target !== undefined) new MeshTarget(target).applyTo(app);
  const chart = new Chart(app, 'chart', { namespace: 'shop' });
  fill(chart);
  return app.node
    .findAll()
    .flatMap((node) => node.node.validate())
    .join('\n');
}

function passthrough(chart: Chart): void {
  const gateway = new IngressGateway(chart, 'Edge', {
    namespace: 'shop',
    ingressClass: IngressClass.named('envoy'),
    listeners: [IngressListener.tlsPassthrough({ hostname: 'ledger.example.com' })],
  });
  new TlsIngressRoute(chart, 'Ledger', { gateway, hostnames: ['ledger.example.com'], backends: [IngressBackend.service('ledger', 443, { namespace: 'books' })] }); // prettier-ignore
}

const raw =
  (apiVersion: string, kind: string, spec: object) =>
  (chart: Chart): void => {
    const object = new ApiObject(chart, 'raw', { apiVersion, kind, metadata: { name: 'a' } });
    object.addJsonPatch(JsonPatch.add('/spec', spec));
  };
const ROUTE = 'gateway.networking.k8s.io/v1';
const RETRY = raw(ROUTE, 'HTTPRoute', { rules: [{ retry: { attempts: 2 } }] });
const CORS = raw(ROUTE, 'HTTPRoute', { rules: [{ filters: [{ type: 'CORS', cors: {} }] }] });
const STICKY = raw(ROUTE, 'HTTPRoute', { rules: [{ sessionPersistence: { type: 'Cookie' } }] });
const DOMAINS = raw('security.istio.io/v1', 'AuthorizationPolicy', { rules: [{ from: [{ source: { trustDomains: ['a'] } }] }] }); // prettier-ignore
const MERGED = raw('gateway.envoyproxy.io/v1alpha1', 'SecurityPolicy', { mergeType: 'StrategicMerge' });
const SET = raw(ROUTE, 'ListenerSet', { parentRef: { name: 'edge' }, listeners: [] });

describe('the releases that manifests are written for', () => {
  it.each<[string, MeshTargetProps | undefined, string, string]>([
    ['the newest', undefined, 'v1', 'v1'],
    ['the standard channel of 1.5', { gatewayApi: '1.5' }, 'v1', 'v1'],
    ['the experimental channel of 1.4', { gatewayApi: '1.4/experimental' }, 'v1alpha3', 'v1beta1'],
    ['the experimental channel of 1.3', { gatewayApi: '1.3/experimental' }, 'v1alpha2', 'v1beta1'],
  ])('serve for %s TLSRoutes and grants in these versions', (_, target, route, grant) => {
    const versions = Object.fromEntries(charted(target, passthrough).map(({ kind, apiVersion }) => [kind, apiVersion]));
    expect(versions).toMatchObject({
      TLSRoute: `gateway.networking.k8s.io/${route}`,
      ReferenceGrant: `gateway.networking.k8s.io/${grant}`,
    });
  });

  it.each<[string, MeshTargetProps | undefined, (chart: Chart) => void, string]>([
    ['a TLSRoute', { gatewayApi: '1.4' }, passthrough, 'is a TLSRoute v1, which needs Gateway API 1.5'],
    ['retries', { gatewayApi: '1.6' }, RETRY, 'has spec.rules[0].retry, which needs Gateway API 1.7'],
    ['CORS', { gatewayApi: '1.4' }, CORS, 'has spec.rules[0].filters[0].type: CORS, which needs Gateway API 1.5'],
    ['sessions', undefined, STICKY, 'has spec.rules[0].sessionPersistence, which needs the experimental channel of Gateway API 1.7'],
    ['trust domains', { istio: '1.29' }, DOMAINS, 'has spec.rules[0].from[0].source.trustDomains, which needs Istio 1.30'],
    ['mergeType', { envoyGateway: '1.7' }, MERGED, 'has spec.mergeType, which needs Envoy Gateway 1.8'],
    ['a ListenerSet', { gatewayApi: '1.4/experimental' }, SET, 'is a ListenerSet v1, which needs the experimental channel of Gateway API 1.5'],
  ])('refuse %s that they lack, with the release that has it', (_, target, fill, said) => {
    expect(refusal(target ?? {}, fill)).toContain(said);
  }); // prettier-ignore

  it.each<[string, MeshTargetProps, (chart: Chart) => void]>([
    ['retries', { gatewayApi: '1.7' }, RETRY],
    ['retries of the experimental channel', { gatewayApi: '1.3/experimental' }, RETRY],
    ['CORS', { gatewayApi: '1.5' }, CORS],
    ['sessions', { gatewayApi: '1.7/experimental' }, STICKY],
    ['trust domains', { istio: '1.30' }, DOMAINS],
    ['mergeType', { envoyGateway: '1.8' }, MERGED],
    ['a ListenerSet', { gatewayApi: '1.5' }, SET],
  ])('take %s that they have', (_, target, fill) => {
    expect(refusal(target, fill)).toBe('');
  });

  it('are said of an app, or of a part of one', () => {
    const app = new EdgeApp({ target: new MeshTarget({ istio: '1.30.2', gatewayApi: 'v1.4.1/experimental' }) });
    expect(MeshTarget.of(app)).toMatchObject({ istio: '1.30', gatewayApi: '1.4/experimental', envoyGateway: '1.9' });
    const old = new Chart(app, 'old');
    new MeshTarget({ istio: '1.28' }).applyTo(old);
    expect(MeshTarget.of(old).istio).toBe('1.28');
    expect(MeshTarget.of(new Chart(app, 'other')).istio).toBe('1.30');
  });

  it('are refused where nobody knows them', () => {
    expect(() => new MeshTarget({ envoyGateway: '2.0' })).toThrow('envoyGateway is "2.0", which is none that is known: 1.9, 1.8, 1.7, 1.6'); // prettier-ignore
  });

  it('are those that the reading half knows', () => {
    expect(RELEASES).toEqual(
      Object.fromEntries(COMPONENT_NAMES.map((component) => [component, releaseNames(component)])),
    );
  });

  it('keep what EnvoyGatewayInMesh renders as it is', () => {
    const fill = (chart: Chart): void => void new EnvoyGatewayInMesh(chart, 'Mesh');
    expect(charted({ envoyGateway: '1.6' }, fill)).toEqual(charted(undefined, fill));
  });
});
