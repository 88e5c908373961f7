/** What each scenario is to show on the real mesh. */
import { HIJACKED, siteAddress } from '../lab/internet';
import { credential, NGINX, NGINX_POD, PROXY, withNginx, withProxyAddress } from './arrangements';
import {
  type Case,
  HOP,
  type Scenario,
  asClient,
  http,
  https,
  refusedHttp,
  refusedTls,
  straight,
  through,
} from './scenario';

const cdn = 'en.cdn.example.com';
const EGRESS = 'egress.istio-egress.svc.cluster.local';

export const SCENARIOS: readonly Scenario[] = [
  {
    id: 'outbound-policy',
    fixtures: ['explorer.yaml'],
    cases: [
      { title: 'HTTP to a host nobody registered', request: { url: 'http://edition.cnn.com/' }, seen: refusedHttp },
      { title: 'HTTPS to it', request: { url: 'https://edition.cnn.com/' }, seen: refusedTls },
      {
        title: 'HTTP from the workload that may reach anything',
        request: { url: 'http://edition.cnn.com/', from: 'default/explorer' },
        seen: straight('PassthroughCluster', http('edition.cnn.com')),
      },
      {
        title: 'HTTPS from it',
        request: { url: 'https://edition.cnn.com/', from: 'default/explorer' },
        seen: straight('PassthroughCluster', https('edition.cnn.com')),
      },
    ],
  },
  {
    id: 'sidecar-http',
    cases: [
      {
        title: 'HTTP to a listed host',
        request: { url: 'http://www.aliyun.com/' },
        seen: straight('outbound|80||www.aliyun.com', http('www.aliyun.com')),
      },
      {
        title: 'HTTP to the other listed host',
        request: { url: 'http://hbchen.com/' },
        seen: straight('outbound|80||hbchen.com', http('hbchen.com')),
      },
      {
        title: 'HTTPS to a listed host, whose port 443 is not registered',
        request: { url: 'https://www.aliyun.com/' },
        seen: refusedTls,
      },
      { title: 'HTTP to a host that is not listed', request: { url: 'http://edition.cnn.com/' }, seen: refusedHttp },
    ],
  },
  {
    id: 'sidecar-http-https',
    cases: [
      {
        title: 'HTTP to a listed host',
        request: { url: 'http://www.aliyun.com/' },
        seen: straight('outbound|80||www.aliyun.com', http('www.aliyun.com')),
      },
      {
        title: 'HTTPS to it',
        request: { url: 'https://www.aliyun.com/' },
        seen: straight('outbound|443||www.aliyun.com', https('www.aliyun.com')),
      },
      {
        title: 'HTTPS to the other listed host',
        request: { url: 'https://hbchen.com/' },
        seen: straight('outbound|443||hbchen.com', https('hbchen.com')),
      },
      { title: 'HTTPS to a host that is not listed', request: { url: 'https://edition.cnn.com/' }, seen: refusedTls },
    ],
  },
  {
    id: 'sidecar-tls-origination',
    cases: [
      {
        title: 'HTTP leaves the sidecar as TLS',
        request: { url: 'http://www.aliyun.com/' },
        seen: straight('outbound|443|originate-tls|www.aliyun.com', https('www.aliyun.com')),
      },
      {
        title: 'HTTPS by the application passes untouched',
        request: { url: 'https://www.aliyun.com/' },
        seen: straight('outbound|443||www.aliyun.com', https('www.aliyun.com')),
      },
      {
        title: 'HTTP to the host without the rule stays HTTP',
        request: { url: 'http://hbchen.com/' },
        seen: straight('outbound|80||hbchen.com', http('hbchen.com')),
      },
    ],
  },
  {
    id: 'gateway-http',
    cases: [
      {
        title: 'HTTP goes through the gateway',
        request: { url: 'http://edition.cnn.com/politics' },
        seen: through(`outbound|80|cnn|${HOP}`, 'outbound|80||edition.cnn.com', http('edition.cnn.com')),
      },
      {
        title: 'HTTPS goes straight',
        request: { url: 'https://edition.cnn.com/politics' },
        seen: straight('outbound|443||edition.cnn.com', https('edition.cnn.com')),
      },
      { title: 'HTTP to another host', request: { url: 'http://www.aliyun.com/' }, seen: refusedHttp },
    ],
  },
  {
    id: 'gateway-tls-passthrough',
    cases: [
      {
        title: "the application's TLS goes through the gateway by its SNI",
        request: { url: 'https://edition.cnn.com/politics' },
        seen: {
          status: 200,
          sidecar: { upstream_cluster: `outbound|443|cnn|${HOP}`, requested_server_name: 'edition.cnn.com' },
          gateway: { upstream_cluster: 'outbound|443||edition.cnn.com', requested_server_name: 'edition.cnn.com' },
          site: https('edition.cnn.com'),
        },
      },
      {
        title: 'another SNI to the same address',
        request: {
          url: 'https://www.aliyun.com/',
          args: ['--connect-to', 'www.aliyun.com:443:edition.cnn.com:443'],
        },
        seen: refusedTls,
      },
      {
        title: 'plain HTTP, whose port is not registered',
        request: { url: 'http://edition.cnn.com/' },
        seen: refusedHttp,
      },
    ],
  },
  {
    id: 'gateway-tls-origination',
    cases: [
      {
        title: 'HTTP leaves the gateway as TLS',
        request: { url: 'http://edition.cnn.com/politics' },
        seen: through(`outbound|80|cnn|${HOP}`, 'outbound|443||edition.cnn.com', https('edition.cnn.com')),
      },
      {
        title: 'HTTPS by the application goes straight, in its own TLS alone',
        request: { url: 'https://edition.cnn.com/politics' },
        seen: straight('outbound|443||edition.cnn.com', https('edition.cnn.com')),
      },
    ],
  },
  {
    id: 'gateway-tls-origination-subset',
    cases: [
      {
        title: 'HTTP leaves the gateway as TLS, by a subset',
        request: { url: 'http://www.aliyun.com/' },
        seen: through(
          `outbound|80|aliyun|${HOP}`,
          'outbound|443|originate-tls|www.aliyun.com',
          https('www.aliyun.com'),
        ),
      },
      {
        title: 'HTTPS by the application goes straight, in its own TLS alone',
        request: { url: 'https://www.aliyun.com/' },
        seen: straight('outbound|443||www.aliyun.com', https('www.aliyun.com')),
      },
    ],
  },
  {
    id: 'resilient-service',
    cases: [
      {
        title: 'HTTP leaves the gateway as TLS',
        request: { url: 'http://httpbin.org/get' },
        seen: through(`outbound|80|mutual-tls|${HOP}`, 'outbound|80||httpbin.org', https('httpbin.org')),
      },
      {
        title: 'what the site answers with 503 is tried again, and then given up by the gateway',
        request: { url: 'http://httpbin.org/unavailable' },
        seen: {
          status: 503,
          sidecar: { upstream_cluster: `outbound|80|mutual-tls|${HOP}`, response_code: 503, response_flags: '-' },
          gateway: {
            upstream_cluster: 'outbound|80||httpbin.org',
            response_code: 503,
            response_flags: 'URX',
            response_code_details: 'via_upstream',
          },
          site: { ...https('httpbin.org'), uri: '/unavailable', status: '503' },
        },
      },
      {
        title: 'what the site answers too slowly ends after the timeout, at the gateway',
        request: { url: 'http://httpbin.org/slow' },
        seen: {
          status: 504,
          sidecar: { upstream_cluster: `outbound|80|mutual-tls|${HOP}`, response_code: 504, response_flags: '-' },
          gateway: { upstream_cluster: 'outbound|80||httpbin.org', response_code: 504, response_flags: 'UT' },
        },
      },
    ],
  },
  {
    id: 'gateway-mutual-tls-origination',
    arrange: withNginx,
    cases: [
      {
        title: 'HTTP reaches the server that demands a client certificate',
        request: { url: `http://${NGINX}/`, server: NGINX_POD },
        seen: {
          status: 200,
          body: expect.stringContaining('nginx'),
          sidecar: { upstream_cluster: `outbound|443|nginx|${HOP}` },
          gateway: { upstream_cluster: `outbound|443||${NGINX}`, requested_server_name: NGINX },
          site: asClient(NGINX, 'client.example.com'),
        },
      },
    ],
  },
  {
    id: 'external-mutual-tls-server',
    arrange: withNginx,
    cases: [
      {
        title: 'a request with no client certificate',
        request: { url: `https://${NGINX}/`, from: 'legacy/plain', args: ['--insecure'], server: NGINX_POD },
        seen: {
          status: 400,
          site: { status: '400', client: '' },
          body: expect.stringContaining('No required SSL certificate was sent'),
        },
      },
    ],
  },
  {
    id: 'external-https-proxy',
    arrange: withProxyAddress,
    cases: [
      {
        title: 'HTTPS by CONNECT through the proxy',
        request: { url: 'https://en.wikipedia.org/', args: PROXY.args },
        seen: straight('outbound|3128||my-company-proxy.com', https('en.wikipedia.org')),
      },
      { title: 'the same without the proxy', request: { url: 'https://en.wikipedia.org/' }, seen: refusedTls },
    ],
  },
  {
    id: 'external-https-proxy-transparent',
    arrange: withProxyAddress,
    cases: [
      {
        title: 'HTTPS that the sidecar tunnels through the proxy',
        request: { url: 'https://en.wikipedia.org/' },
        seen: straight('outbound|3128|to-en-wikipedia-org-443|my-company-proxy.com', https('en.wikipedia.org')),
      },
      {
        title: 'HTTPS that the gateway tunnels through the proxy',
        request: { url: 'https://edition.cnn.com/' },
        seen: {
          status: 200,
          sidecar: { upstream_cluster: `outbound|443|passthrough|${HOP}` },
          gateway: { upstream_cluster: 'outbound|3128|to-edition-cnn-com-443|my-company-proxy.com' },
          site: https('edition.cnn.com'),
        },
      },
      { title: 'HTTPS to a site that is not tunnelled', request: { url: 'https://hbchen.com/' }, seen: refusedTls },
      {
        title: 'the proxy itself, asked by the application',
        request: { url: 'https://en.wikipedia.org/', args: PROXY.args },
        seen: { status: 0, sidecar: { upstream_cluster: 'BlackHoleCluster' }, gateway: null, site: null },
      },
    ],
  },
  {
    id: 'egress-traffic-policy-credentials',
    fixtures: ['policy-callers.yaml'],
    arrange: async (mesh, objects) => [
      ...objects,
      ...(await Promise.all(
        ['payments', 'orders'].map((name) =>
          credential(mesh, 'partner.example.com', `${name}-credential`, 'istio-system'),
        ),
      )),
    ],
    cases: [
      ...[
        ['payments', 'payments-credential-03c812'],
        ['orders', 'orders-credential-d88a0c'],
      ].map(([name, subset]) => ({
        title: `HTTP of ${name} leaves with the certificate of ${name}`,
        request: { url: 'http://partner.example.com/', from: `shop/${name}` },
        seen: through(
          `outbound|80|mutual-tls|${HOP}`,
          `outbound|80|${subset}|partner.example.com`,
          asClient('partner.example.com', `${name}-credential`),
        ),
      })),
      {
        title: 'HTTP of another namespace',
        request: { url: 'http://partner.example.com/', from: 'rogue/snoop' },
        seen: { ...refusedHttp, status: 502 },
      },
    ],
  },
  {
    id: 'egress-wildcards',
    cases: [
      {
        title: 'HTTP to a host of the domain, from the sidecar',
        request: { url: 'http://en.wikipedia.org/' },
        seen: straight('outbound|80||*.wikipedia.org', http('en.wikipedia.org')),
      },
      {
        title: 'HTTPS to another, from the sidecar',
        request: { url: 'https://www.wikipedia.org/' },
        seen: straight('outbound|443||*.wikipedia.org', https('www.wikipedia.org')),
      },
      {
        title: 'HTTP that the gateway makes TLS of',
        request: { url: `http://${cdn}/` },
        seen: {
          status: 200,
          sidecar: { upstream_cluster: `outbound|80|mutual-tls|${HOP}` },
          gateway: { upstream_cluster: 'outbound|80||*.cdn.example.com' },
          site: { ...https(cdn), server: `${siteAddress('edge.cdn.example.com')}:443` },
        },
      },
      ...['eu.mirror.example.com', 'us.mirror.example.com'].map((host) => ({
        title: 'HTTP that the gateway makes TLS of, to the name that it resolves itself',
        request: { url: `http://${host}/` },
        seen: {
          status: 200,
          sidecar: { upstream_cluster: `outbound|80|mutual-tls|${HOP}` },
          gateway: { upstream_cluster: 'outbound|80||*.mirror.example.com' },
          site: { ...https(host), server: `${siteAddress(host)}:443` },
        },
      })),
      {
        title: 'HTTP that the gateway makes TLS of, to a name whose server has no certificate for it',
        request: { url: `http://${HIJACKED}/` },
        seen: {
          status: 503,
          sidecar: { upstream_cluster: `outbound|80|mutual-tls|${HOP}` },
          gateway: { upstream_cluster: 'outbound|80||*.mirror.example.com' },
          site: null,
        },
      },
      {
        title: 'HTTP with a port in the Host header, which the gateway would dial',
        request: {
          url: 'http://eu.mirror.example.com/',
          args: ['-H', 'Host: eu.mirror.example.com:80'],
        },
        seen: {
          status: 403,
          sidecar: { upstream_cluster: `outbound|80|mutual-tls|${HOP}` },
          gateway: { response_code: 403 },
          site: null,
        },
      },
      ...[
        [cdn, 'edge.cdn.example.com'],
        ['eu.mirror.example.com', 'eu.mirror.example.com'],
        ['us.mirror.example.com', 'us.mirror.example.com'],
      ].map(([host, server]): Case => ({
        title: 'HTTPS through the gateway',
        request: { url: `https://${host}/` },
        seen: {
          status: 200,
          sidecar: { upstream_cluster: `outbound|443|tls-443-from-default-9fd8df|${HOP}` },
          site: { ...https(host!), server: `${siteAddress(server!)}:443` },
        },
        unrecorded: true,
      })),
      { title: 'HTTP to another domain', request: { url: 'http://hbchen.com/' }, seen: refusedHttp },
      { title: 'HTTPS to another domain', request: { url: 'https://hbchen.com/' }, seen: refusedTls },
    ],
  },
  {
    id: 'direct-ip-ranges',
    cases: [
      {
        title: 'an address of the excluded range, past the sidecar',
        request: { url: 'http://203.0.113.10/', from: 'default/sleep' },
        seen: { status: 200, sidecar: null, gateway: null, site: { scheme: 'http', host: '203.0.113.10' } },
      },
      {
        title: 'an address outside it',
        request: { url: 'http://198.51.100.7/', from: 'default/sleep' },
        seen: refusedHttp,
      },
      {
        title: 'the excluded range from a workload without the annotation',
        request: { url: 'http://203.0.113.10/' },
        seen: refusedHttp,
      },
    ],
  },
  {
    id: 'many-hosts',
    gateway: 'istio-egress/egress',
    arrange: async (mesh, objects) => [
      ...objects,
      await credential(mesh, 'partner.example.com', 'partner-credential', 'istio-egress'),
      await credential(mesh, 'bank.example.com', 'bank-credential', 'istio-egress'),
    ],
    cases: [
      ...['edition.cnn.com', 'httpbin.org'].map((host) => ({
        title: `HTTP to ${host}`,
        request: { url: `http://${host}/` },
        seen: through(`outbound|80|mutual-tls|${EGRESS}`, `outbound|80||${host}`, http(host), EGRESS),
      })),
      ...['www.wikipedia.org', 'api.github.com', 'www.aliyun.com', cdn].map((host) => ({
        title: `HTTPS to ${host}`,
        request: { url: `https://${host}/` },
        seen: through(
          `outbound|443|passthrough|${EGRESS}`,
          host === cdn ? 'outbound|443||*.cdn.example.com' : `outbound|443||${host}`,
          https(host),
          host,
        ),
      })),
      {
        title: 'HTTP to www.aliyun.com leaves as TLS',
        request: { url: 'http://www.aliyun.com/' },
        seen: through(
          `outbound|80|mutual-tls|${EGRESS}`,
          'outbound|443|originate-tls|www.aliyun.com',
          https('www.aliyun.com'),
          EGRESS,
        ),
      },
      {
        title: 'HTTP to hbchen.com leaves as TLS',
        request: { url: 'http://hbchen.com/' },
        seen: through(`outbound|80|mutual-tls|${EGRESS}`, 'outbound|80||hbchen.com', https('hbchen.com'), EGRESS),
      },
      ...['partner', 'bank'].map((name) => ({
        title: `HTTP to ${name}.example.com leaves as mutual TLS with a certificate of its own`,
        request: { url: `http://${name}.example.com/` },
        seen: through(
          `outbound|80|mutual-tls|${EGRESS}`,
          `outbound|80||${name}.example.com`,
          asClient(`${name}.example.com`, `${name}-credential`),
          EGRESS,
        ),
      })),
      {
        title: 'TCP to db.example.com, in mutual TLS to the gateway',
        request: { url: 'telnet://db.example.com:5432' },
        seen: {
          body: expect.stringContaining('hello'),
          sidecar: { upstream_cluster: `outbound|443|tcp-5432-db-example-com|${EGRESS}` },
          gateway: {
            upstream_cluster: 'outbound|5432||db.example.com',
            requested_server_name: 'tcp-5432.db.example.com',
          },
          site: { scheme: 'tcp' },
        },
      },
      { title: 'HTTP to a host that is not listed', request: { url: 'http://en.wikipedia.org/' }, seen: refusedHttp },
      { title: 'HTTPS to a host that is not listed', request: { url: 'https://en.wikipedia.org/' }, seen: refusedTls },
    ],
  },
];
