/** Random ServiceEntries and Gateways. */
import fc from 'fast-check';
import { anyHost, exportTo, maybe, namespace, pick, some } from './vocabulary';

const entryPort = pick(
  { number: 80, name: 'http', protocol: 'HTTP' },
  { number: 443, name: 'tls', protocol: 'TLS' },
  { number: 443, name: 'https', protocol: 'HTTPS' },
  { number: 8080, name: 'http-alt', protocol: 'HTTP' },
  { number: 8080, name: 'tcp-alt', protocol: 'TCP' },
  { number: 443, name: 'http-on-443', protocol: 'HTTP' },
  { number: 3306, name: 'tcp', protocol: 'TCP' },
  { number: 80, name: 'tcp-on-80', protocol: 'TCP' },
  { number: 9000, name: 'grpc', protocol: 'GRPC' },
  { number: 9000, name: 'any', protocol: '' },
  { number: 80, name: 'http-too', protocol: 'HTTP' },
  { number: 80, name: 'moved', protocol: 'HTTP', targetPort: 443 },
  { number: 8443, name: 'tls-alt', protocol: 'TLS' },
);

const addresses = maybe(
  pick(
    ['203.0.113.10'],
    ['203.0.113.11'],
    ['203.0.113.0/24'],
    ['203.0.113.10', '203.0.113.12'],
    ['10.0.0.0/8'],
    ['203.0.113.10/32'],
  ),
  1,
  3,
);
const endpoint = pick(
  { address: '198.51.100.1' },
  { address: '198.51.100.2', labels: { version: 'v1' } },
  { address: '198.51.100.3', ports: { http: 8081, tls: 8444 } },
  { address: 'backend.example.net' },
  // Services of the cluster: a gateway by its name and by its address, and a Service with a sidecar.
  { address: 'egw.edge.svc.cluster.local' },
  { address: '10.96.0.50', ports: { http: 80, tls: 443 } },
  { address: 'store.web.svc.cluster.local', ports: { http: 80 } },
  { address: 'unix:///var/run/api.sock' },
);

export const serviceEntry = fc
  .record({
    hosts: fc.uniqueArray(anyHost, { minLength: 1, maxLength: 3 }),
    ports: fc.uniqueArray(entryPort, { minLength: 1, maxLength: 3, selector: (port) => port.number }),
    resolution: fc.oneof(
      { arbitrary: pick('DNS', 'NONE', 'STATIC'), weight: 6 },
      { arbitrary: pick('DNS_ROUND_ROBIN', 'DYNAMIC_DNS'), weight: 1 },
    ),
    addresses,
    endpoints: maybe(some(endpoint, 1, 2), 1, 3),
    location: pick('MESH_EXTERNAL', 'MESH_EXTERNAL', 'MESH_INTERNAL'),
    exportTo,
    owner: namespace,
  })
  .map(({ owner, endpoints, ...made }) => {
    const isByName = made.ports.every((port) => port.protocol !== 'TCP' && port.protocol !== '');
    const hosts = isByName ? made.hosts : made.hosts.slice(0, 1);
    const isWild = hosts.some((host) => host.startsWith('*'));
    const isDns = made.resolution === 'DNS' || made.resolution === 'DNS_ROUND_ROBIN';
    const resolution =
      made.resolution === 'DYNAMIC_DNS' && !(isByName && hosts.every((host) => host.startsWith('*')))
        ? 'NONE'
        : isDns && isWild && endpoints === undefined
          ? 'NONE'
          : made.resolution;
    const named = resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN';
    const given =
      resolution === 'STATIC'
        ? (endpoints ?? [{ address: '198.51.100.9' }]).map((one) =>
            one.address.startsWith('1') || (one.address.startsWith('unix:') && made.ports.length === 1)
              ? one
              : { address: '198.51.100.7' },
          )
        : resolution === 'DNS'
          ? endpoints
          : resolution === 'DNS_ROUND_ROBIN'
            ? endpoints?.slice(0, 1)
            : undefined;
    const ports =
      resolution === 'NONE' || given === undefined
        ? made.ports.map((port) => (resolution === 'DYNAMIC_DNS' ? { ...port, targetPort: undefined } : port))
        : made.ports;
    return {
      owner,
      spec: {
        ...made,
        hosts,
        ports,
        resolution,
        endpoints: given,
        addresses:
          resolution === 'DYNAMIC_DNS'
            ? undefined
            : ports.some((port) => port.protocol === '')
              ? made.addresses?.slice(0, 1).filter((address) => !named || !address.includes('/'))
              : named
                ? made.addresses?.filter((address) => !address.includes('/'))
                : made.addresses,
      },
    };
  });

const serverPort = pick(
  { port: { number: 80, name: 'http', protocol: 'HTTP' } },
  { port: { number: 80, name: 'http2', protocol: 'HTTP2' } },
  { port: { number: 443, name: 'tls', protocol: 'TLS' }, tls: { mode: 'PASSTHROUGH' } },
  { port: { number: 443, name: 'https', protocol: 'HTTPS' }, tls: { mode: 'ISTIO_MUTUAL' } },
  { port: { number: 443, name: 'https-simple', protocol: 'HTTPS' }, tls: { mode: 'SIMPLE', credentialName: 'cert' } },
  { port: { number: 443, name: 'https-mutual', protocol: 'HTTPS' }, tls: { mode: 'MUTUAL', credentialName: 'cert' } },
  { port: { number: 443, name: 'tls-mesh', protocol: 'TLS' }, tls: { mode: 'ISTIO_MUTUAL' } },
  { port: { number: 443, name: 'https-pass', protocol: 'HTTPS' }, tls: { mode: 'PASSTHROUGH' } },
  { port: { number: 3306, name: 'tcp', protocol: 'TCP' } },
  { port: { number: 80, name: 'redirect', protocol: 'HTTP' }, tls: { httpsRedirect: true } },
  { port: { number: 8443, name: 'tls-alt', protocol: 'TLS' }, tls: { mode: 'SIMPLE', credentialName: 'cert' } },
  { port: { number: 443, name: 'auto', protocol: 'TLS' }, tls: { mode: 'AUTO_PASSTHROUGH' } },
);
const serverHost = fc.oneof(
  { arbitrary: anyHost, weight: 6 },
  {
    arbitrary: pick(
      '*',
      'app/*',
      './api.example.com',
      '*/www.example.com',
      'edge/*.example.com',
      'web/*.partner.io',
      'egw.edge.svc.cluster.local',
    ),
    weight: 2,
  },
);

export const gateway = fc.record({
  owner: namespace,
  selector: fc.oneof(
    { arbitrary: fc.constant<Record<string, string>>({ istio: 'egressgateway' }), weight: 3 },
    {
      arbitrary: pick<Record<string, string>>({ app: 'egw' }, { app: 'istio-egressgateway' }, { istio: 'nothing' }),
      weight: 1,
    },
  ),
  servers: some(
    fc.record({ base: serverPort, hosts: fc.uniqueArray(serverHost, { minLength: 1, maxLength: 3 }) }),
    1,
    3,
  ),
});
