import { Chart, Testing } from 'cdk8s';
import { AccessTarget } from '../../src/access/access-target';
import { ExtensionCode } from '../../src/access/extension-code';
import {
  ExtensionPhase,
  ExtensionSide,
  TrafficExtension,
  type TrafficExtensionProps,
} from '../../src/access/traffic-extension';
import { IngressClass } from '../../src/ingress/ingress-class';
import { IngressGateway } from '../../src/ingress/ingress-gateway';
import { IngressListener } from '../../src/ingress/ingress-listener';
import { MeshTarget } from '../../src/mesh/mesh-target';
import { Workloads } from '../../src/mesh/workloads';
import { findings, traceOf } from '../egress/judged';
import { problems, rendered } from '../ingress/synthesized';

const orders = AccessTarget.workloads(Workloads.in('shop', { app: 'orders' }));
const LUA = ExtensionCode.lua('function envoy_on_request(handle) end');
/** The workload whose proxies are meant. */
const WORKLOAD = `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: orders, namespace: shop, labels: {app: orders}}, spec: {containers: [{name: orders, image: 'orders:1'}]}}
---
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: cnn, namespace: shop}, spec: {hosts: [cnn.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}]}}
`;
const newChart = (): Chart => new Chart(Testing.app(), 'edge', { namespace: 'shop' });

function extend(props: Partial<TrafficExtensionProps>, chart = newChart()): Chart {
  new TrafficExtension(chart, 'Headers', { target: orders, code: LUA, ...props });
  return chart;
}

describe('a TrafficExtension', () => {
  it('runs Lua in the proxies of its target', () => {
    const chart = extend({});
    expect(rendered(chart, 'TrafficExtension')).toEqual([
      {
        apiVersion: 'extensions.istio.io/v1alpha1',
        kind: 'TrafficExtension',
        metadata: { name: 'headers', namespace: 'shop' },
        spec: {
          selector: { matchLabels: { app: 'orders' } },
          lua: { inlineCode: 'function envoy_on_request(handle) end' },
        },
      },
    ]);
    expect(findings(chart, WORKLOAD)).toEqual([]);
  });

  it('runs a module of WebAssembly, at a place and for the traffic that are said', () => {
    const url = 'oci://registry.example.com/waf:1.4';
    const code = ExtensionCode.wasm({ url, sha256: 'a'.repeat(64), imagePullSecret: 'pull', config: { mode: 'block' }, failOpen: true, readsTcp: true }); // prettier-ignore
    const chart = extend({
      code,
      phase: ExtensionPhase.AUTHN,
      priority: 10,
      side: ExtensionSide.SERVER,
      ports: [8080],
    });
    expect(rendered(chart, 'TrafficExtension')).toMatchObject([
      {
        spec: {
          wasm: { url, sha256: 'a'.repeat(64), imagePullSecret: 'pull', pluginConfig: { mode: 'block' }, failStrategy: 'FAIL_OPEN', type: 'NETWORK' },
          phase: 'AUTHN',
          priority: 10,
          match: [{ mode: 'SERVER', ports: [{ number: 8080 }] }],
        },
      },
    ]); // prettier-ignore
    expect(findings(chart, WORKLOAD)).toEqual([]);
  });

  it("names one of Istio's gateways, and is refused for one of Envoy Gateway's", () => {
    const gateway = (chart: Chart, ingressClass: IngressClass): AccessTarget =>
      AccessTarget.gateway(new IngressGateway(chart, 'Edge', { namespace: 'shop', ingressClass, listeners: [IngressListener.http()] })); // prettier-ignore
    const chart = newChart();
    extend({ target: gateway(chart, IngressClass.istio()) }, chart);
    expect(rendered(chart, 'TrafficExtension')).toMatchObject([
      { spec: { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' }] } },
    ]);
    const other = newChart();
    extend({ target: gateway(other, IngressClass.envoyGatewayInMesh('eg')) }, other);
    expect(problems(other)).toContain("is Envoy Gateway's");
  });

  it.each<[string, Partial<TrafficExtensionProps>, string]>([
    ['a script without a word', { code: ExtensionCode.lua(' ') }, 'a script of 1 characters'],
    ['a script that is too long', { code: ExtensionCode.lua('x'.repeat(65_537)) }, 'ExtensionCode.wasm'],
    ['a module of no scheme that proxies have', { code: ExtensionCode.wasm({ url: 's3://bucket/a.wasm' }) }, '"s3://bucket/a.wasm"'],
    ['a checksum that is none', { code: ExtensionCode.wasm({ url: 'oci://a/b', sha256: 'ABC' }) }, '`sha256` is "ABC"'],
    ['a port that is none', { ports: [0] }, '`ports` is 0'],
    ['a port twice', { ports: [80, 80] }, '`ports` is 80, 80'],
    ['half a priority', { priority: 1.5 }, '`priority` is 1.5'],
  ])('is refused with %s', (_, props, said) => {
    expect(problems(extend(props))).toContain(said);
  }); // prettier-ignore

  it('is refused for a release of Istio that has none', () => {
    const chart = newChart();
    new MeshTarget({ istio: '1.29' }).applyTo(chart);
    expect(problems(extend({}, chart))).toContain('needs Istio 1.30');
  });

  it('leaves unknown what becomes of requests that it reads', () => {
    const ask = traceOf(extend({ side: ExtensionSide.CLIENT }), WORKLOAD);
    expect(ask('http://cnn.com/', { from: 'shop/orders' }).outcome).toBe('unknown');
    expect(ask('https://cnn.com/', { from: 'shop/orders' }).outcome).toBe('delivered');
  });
});
