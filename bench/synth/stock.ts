// Stock cdk8s: the same manifests from raw ApiObjects, as one writes them by hand. `node stock.cjs HOSTS CHARTS FOLDER`
import { ApiObject, App, Chart } from 'cdk8s';

const [hosts, charts] = process.argv.slice(2, 4).map(Number);
const app = new App({ outdir: process.argv[4] });
const owners = Array.from({ length: charts }, (_, i) => new Chart(app, i === 0 ? 'edge' : `team-${i - 1}`));
const apiVersion = 'networking.istio.io/v1';
const namespace = 'istio-system';
const gatewayHost = 'istio-egressgateway.istio-system.svc.cluster.local';
const gateway = 'istio-system/istio-egressgateway';

new ApiObject(owners[0], 'Gateway', {
  apiVersion,
  kind: 'Gateway',
  metadata: { name: 'istio-egressgateway', namespace },
  spec: {
    selector: { istio: 'egressgateway' },
    servers: [
      { port: { number: 80, name: 'https', protocol: 'HTTPS' }, hosts: ['default/*'], tls: { mode: 'ISTIO_MUTUAL' } },
      { port: { number: 443, name: 'tls', protocol: 'TLS' }, hosts: ['default/*'], tls: { mode: 'PASSTHROUGH' } },
    ],
  },
});
new ApiObject(owners[0], 'Hop', {
  apiVersion,
  kind: 'DestinationRule',
  metadata: { name: 'istio-egressgateway-hop', namespace },
  spec: {
    host: gatewayHost,
    exportTo: ['.', 'default'],
    subsets: [
      {
        name: 'mutual-tls',
        trafficPolicy: {
          portLevelSettings: [{ port: { number: 80 }, tls: { mode: 'ISTIO_MUTUAL', sni: gatewayHost } }],
        },
      },
      { name: 'passthrough' },
    ],
  },
});
for (let i = 0; i < hosts; i++) {
  const scope = owners[i % charts];
  const host = `h${i}.example.com`;
  new ApiObject(scope, `se${i}`, {
    apiVersion,
    kind: 'ServiceEntry',
    metadata: { name: `h${i}`, namespace: 'default' },
    spec: {
      hosts: [host],
      ports: [
        { number: 80, name: 'http', protocol: 'HTTP' },
        { number: 443, name: 'https', protocol: 'HTTPS' },
      ],
      location: 'MESH_EXTERNAL',
      resolution: 'DNS',
      exportTo: ['.', namespace],
    },
  });
  const toGateway = (subset: string, number: number) => [
    { destination: { host: gatewayHost, subset, port: { number } } },
  ];
  new ApiObject(scope, `vs${i}`, {
    apiVersion,
    kind: 'VirtualService',
    metadata: { name: `h${i}-through-istio-egressgateway`, namespace: 'default' },
    spec: {
      hosts: [host],
      gateways: [gateway, 'mesh'],
      exportTo: ['.', namespace],
      http: [
        { match: [{ gateways: ['mesh'], port: 80 }], route: toGateway('mutual-tls', 80) },
        {
          match: [{ gateways: [gateway], port: 80 }],
          route: [{ destination: { host, subset: 'originate-tls', port: { number: 443 } } }],
        },
      ],
      tls: [
        { match: [{ gateways: ['mesh'], port: 443, sniHosts: [host] }], route: toGateway('passthrough', 443) },
        {
          match: [{ gateways: [gateway], port: 443, sniHosts: [host] }],
          route: [{ destination: { host, port: { number: 443 } } }],
        },
      ],
    },
  });
  new ApiObject(scope, `dr${i}`, {
    apiVersion,
    kind: 'DestinationRule',
    metadata: { name: `originate-tls-for-h${i}-example-com`, namespace: 'default' },
    spec: {
      host,
      exportTo: ['.', namespace],
      trafficPolicy: { loadBalancer: { simple: 'ROUND_ROBIN' } },
      subsets: [
        {
          name: 'originate-tls',
          trafficPolicy: {
            loadBalancer: { simple: 'ROUND_ROBIN' },
            portLevelSettings: [
              {
                port: { number: 443 },
                tls: { caCertificates: 'system', mode: 'SIMPLE', sni: host, subjectAltNames: [host] },
              },
            ],
          },
        },
      ],
    },
  });
}
app.synth();
