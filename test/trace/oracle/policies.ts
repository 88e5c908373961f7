/** Random DestinationRules, Sidecars and PeerAuthentications. */
import fc from 'fast-check';
import { anyHost, exportTo, gatewayHost, maybe, namespace, pick } from './vocabulary';

const clientTls = pick(
  { mode: 'SIMPLE' },
  { mode: 'SIMPLE', sni: 'sni.example.com' },
  { mode: 'DISABLE' },
  { mode: 'ISTIO_MUTUAL' },
  { mode: 'ISTIO_MUTUAL', sni: 'api.example.com' },
  { mode: 'ISTIO_MUTUAL', sni: 'www.example.com' },
  { mode: 'MUTUAL', credentialName: 'client' },
  { mode: 'SIMPLE', credentialName: 'ca' },
  {
    mode: 'MUTUAL',
    clientCertificate: '/c.pem',
    privateKey: '/k.pem',
    caCertificates: '/ca.pem',
    sni: 'db.partner.io',
  },
);
const policy = fc.oneof(
  clientTls.map((tls) => ({ tls })),
  fc.constant({ loadBalancer: { simple: 'ROUND_ROBIN' } }),
  fc
    .tuple(pick(80, 443), clientTls, maybe(clientTls, 1, 2))
    .map(([number, tls, outer]) => ({ tls: outer, portLevelSettings: [{ port: { number }, tls }] })),
  pick({
    portLevelSettings: [{ port: { number: 443 }, loadBalancer: { simple: 'ROUND_ROBIN' } }],
    tls: { mode: 'SIMPLE' },
  }),
  pick({ loadBalancer: { simple: 'PASSTHROUGH' } }),
);
export const destinationRule = fc
  .record({
    owner: namespace,
    host: fc.oneof(
      { arbitrary: gatewayHost, weight: 3 },
      { arbitrary: anyHost, weight: 3 },
      { arbitrary: pick('*.svc.cluster.local', '*.local', '*'), weight: 1 },
    ),
    trafficPolicy: maybe(policy, 1, 2),
    subsets: maybe(
      fc.uniqueArray(
        fc.record({
          name: pick('s1', 's2', 'out'),
          trafficPolicy: maybe(policy),
          labels: maybe(pick({ version: 'v1' }), 1, 6),
        }),
        { minLength: 1, maxLength: 2, selector: (subset) => subset.name },
      ),
      2,
      1,
    ),
    exportTo,
    workloadSelector: maybe(
      pick({ matchLabels: { app: 'sleep' } }, { matchLabels: { app: 'other' } }, { matchLabels: { app: 'egw' } }),
      1,
      8,
    ),
  })
  .map(({ owner, ...spec }) => ({
    owner,
    spec: { ...spec, exportTo: spec.workloadSelector === undefined ? spec.exportTo : undefined },
  }));

const sidecarHost = pick(
  '*/*',
  './*',
  'app/*',
  'edge/*',
  'istio-system/*',
  '*/*.example.com',
  '*/api.example.com',
  'web/*',
  '*/egw.edge.svc.cluster.local',
  '~/*',
  'edge/api.example.com',
);
const egress = fc.record({
  port: maybe(
    pick(
      { number: 80, protocol: 'HTTP', name: 'http' },
      { number: 443, protocol: 'TLS', name: 'tls' },
      { number: 3306, protocol: 'TCP', name: 'tcp' },
      { number: 9999, protocol: 'HTTP', name: 'odd' },
    ),
    1,
    3,
  ),
  hosts: fc.uniqueArray(sidecarHost, { minLength: 1, maxLength: 3 }),
});
export const sidecar = fc
  .record({
    owner: pick('app', 'web', 'istio-system'),
    egress: fc
      .tuple(
        fc.uniqueArray(
          egress.filter((one) => one.port !== undefined),
          { maxLength: 1, selector: (one) => one.port?.number },
        ),
        maybe(
          egress.map((one) => ({ hosts: one.hosts })),
          4,
          1,
        ),
      )
      .map(([own, all]) =>
        all === undefined && own.length === 0 ? [{ hosts: ['*/*'] }] : all === undefined ? own : [...own, all],
      ),
    outboundTrafficPolicy: maybe(pick({ mode: 'REGISTRY_ONLY' }, { mode: 'ALLOW_ANY' })),
    workloadSelector: maybe(pick({ labels: { app: 'sleep' } }, { labels: { app: 'other' } }), 1, 2),
  })
  .map(({ owner, ...spec }) => ({
    owner,
    spec: owner === 'istio-system' ? { ...spec, workloadSelector: undefined } : spec,
  }));

export const peerAuthentication = fc
  .record({
    owner: pick('app', 'web', 'edge', 'istio-system'),
    mode: pick('STRICT', 'PERMISSIVE', 'DISABLE', 'UNSET'),
    selector: maybe(pick({ matchLabels: { app: 'shop' } }, { matchLabels: { app: 'store' } }), 1, 2),
    ports: maybe(pick({ 8080: { mode: 'DISABLE' } }, { 8443: { mode: 'STRICT' } }), 1, 2),
  })
  .map(({ owner, mode, selector, ports }) => ({
    owner,
    spec:
      selector === undefined || owner === 'istio-system'
        ? { mtls: { mode } }
        : { mtls: { mode }, selector, portLevelMtls: ports },
  }));
