import { Audience } from '../../src/mesh/audience';
import { MeshBoundary } from '../../src/mesh/mesh-boundary';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService, ExternalServiceProps } from '../../src/egress/external-service';
import { Resolution } from '../../src/egress/resolution';
import { refusals, rendered, world } from './world';

const https = ExternalPort.https();
const spec = (props: ExternalServiceProps) => rendered(new ExternalService(world(), 'S', props), 'ServiceEntry').spec;
const refused = (props: ExternalServiceProps) => {
  const chart = world();
  new ExternalService(chart, 'S', props);
  return refusals(chart);
};

describe('an external service', () => {
  it('is resolved by DNS, seen in its own namespace, and named after its id, when nothing else is said', () => {
    const object = rendered(
      new ExternalService(world(), 'EditionCnn', { hosts: ['edition.cnn.com'], ports: [https] }),
      'ServiceEntry',
    );
    expect(object.metadata).toEqual({ name: 'edition-cnn', namespace: 'default' });
    expect(object.spec).toEqual({
      hosts: ['edition.cnn.com'],
      ports: [{ number: 443, name: 'https', protocol: 'HTTPS' }],
      location: 'MESH_EXTERNAL',
      resolution: 'DNS',
      exportTo: ['.'],
    });
  });

  it('has port 443 with TLS that applications make, where no port is said', () => {
    expect(spec({ hosts: ['api.example.com'] })).toEqual(spec({ hosts: ['api.example.com'], ports: [https] }));
  });

  it('keeps the address that was dialled for wildcards and for IP ranges', () => {
    expect(spec({ hosts: ['*.example.com'], ports: [https] }).resolution).toBe('NONE');
    expect(
      spec({ hosts: ['net.example.com'], addresses: ['203.0.113.0/24'], ports: [ExternalPort.tcp(5432)] }).resolution,
    ).toBe('NONE');
  });

  it('renders each resolution with what it carries, and nothing else', () => {
    const of = (resolution: Resolution, hosts = ['a.example.com']) => {
      const { resolution: kind, endpoints, workloadSelector } = spec({ hosts, ports: [https], resolution });
      return { kind, endpoints, workloadSelector };
    };
    expect(of(Resolution.none())).toEqual({ kind: 'NONE' });
    expect(of(Resolution.dns({ address: 'b.example.com' }))).toEqual({
      kind: 'DNS',
      endpoints: [{ address: 'b.example.com' }],
    });
    expect(of(Resolution.dnsRoundRobin())).toEqual({ kind: 'DNS_ROUND_ROBIN' });
    expect(
      of(
        Resolution.static({
          address: '203.0.113.7',
          ports: { https: 8443 },
          locality: 'eu/a',
          weight: 3,
          labels: { v: '1' },
        }),
      ),
    ).toEqual({
      kind: 'STATIC',
      endpoints: [{ address: '203.0.113.7', ports: { https: 8443 }, locality: 'eu/a', weight: 3, labels: { v: '1' } }],
    });
    expect(of(Resolution.workloads({ app: 'db' }))).toEqual({
      kind: 'STATIC',
      workloadSelector: { labels: { app: 'db' } },
    });
    expect(of(Resolution.dynamicDns(), ['*.example.com'])).toEqual({ kind: 'DYNAMIC_DNS' });
  });

  it('names ports by protocol, and tells two of a protocol apart by number', () => {
    const { ports } = spec({
      hosts: ['a.example.com'],
      ports: [
        ExternalPort.http(),
        ExternalPort.http(8080),
        ExternalPort.tls(),
        ExternalPort.grpc(9000, { targetPort: 443 }),
      ],
    });
    expect(ports).toEqual([
      { number: 80, name: 'http-80', protocol: 'HTTP' },
      { number: 8080, name: 'http-8080', protocol: 'HTTP' },
      { number: 443, name: 'tls', protocol: 'TLS' },
      { number: 9000, name: 'grpc', protocol: 'GRPC', targetPort: 443 },
    ]);
  });

  it('is shown to the namespaces of its audience, to the mesh only when asked', () => {
    const of = (audience: Audience) =>
      spec({ hosts: ['a.example.com'], ports: [https], audience, namespace: 'shop' }).exportTo;
    expect(of(Audience.ownNamespace())).toEqual(['.']);
    expect(of(Audience.namespaces('web', 'api', 'shop'))).toEqual(['.', 'api', 'web']);
    expect(of(Audience.mesh())).toEqual(['*']);
  });

  it('asks Istio for an address by label', () => {
    const object = rendered(
      new ExternalService(world(), 'Db', {
        hosts: ['db.example.com'],
        ports: [ExternalPort.tcp(5432)],
        allocateAddress: true,
      }),
      'ServiceEntry',
    );
    expect(object.metadata.labels).toEqual({ 'networking.istio.io/enable-autoallocate-ip': 'true' });
  });
});

describe('what an external service refuses', () => {
  it.each<[string, ExternalServiceProps, RegExp]>([
    ['no host', { hosts: [], ports: [https] }, /names no host/],
    [
      'a host that is not set',
      { hosts: [undefined as unknown as string], ports: [https] },
      /hosts\[0\] is undefined, and no text/,
    ],
    [
      'an address that is no text',
      { hosts: ['a.example.com'], addresses: [5 as unknown as string], ports: [https] },
      /addresses\[0\] is 5, and no text/,
    ],
    ['no port', { hosts: ['a.example.com'], ports: [] }, /names no port/],
    [
      'a URL, and guesses the host',
      { hosts: ['https://API.example.com/v1'], ports: [https] },
      /did you mean "api\.example\.com"/,
    ],
    ['a host with a port', { hosts: ['a.example.com:443'], ports: [https] }, /did you mean "a\.example\.com"/],
    ['an IP address as host', { hosts: ['203.0.113.7'], ports: [https] }, /is an IP address/],
    ['a host with capitals', { hosts: ['A.example.com'], ports: [https] }, /did you mean "a\.example\.com"/],
    ['a short name', { hosts: ['stripe'], ports: [https] }, /has no dot/],
    ['everything', { hosts: ['*'], ports: [https] }, /whole internet/],
    [
      'a wildcard in the middle',
      { hosts: ['a.*.example.com'], ports: [https] },
      /wildcard that is not its whole first label/,
    ],
    ['a host twice', { hosts: ['a.example.com', 'a.example.com'], ports: [https] }, /listed twice/],
    ['a label that is none', { hosts: ['-a.example.com'], ports: [https] }, /"-a", which is not a DNS label/],
    [
      'a wildcard with DNS',
      { hosts: ['*.example.com'], ports: [https], resolution: Resolution.dns() },
      /wildcard host "\*\.example\.com" with DNS resolution/,
    ],
    [
      'two protocols on a port',
      { hosts: ['a.example.com'], ports: [https, ExternalPort.tls()] },
      /port 443 is declared both HTTPS and TLS/,
    ],
    [
      'a port twice',
      { hosts: ['a.example.com'], ports: [https, ExternalPort.https(443, { name: 'other' })] },
      /port 443 is declared twice/,
    ],
    [
      'two ports of a name',
      {
        hosts: ['a.example.com'],
        ports: [ExternalPort.https(443, { name: 'x' }), ExternalPort.http(80, { name: 'x' })],
      },
      /two ports are named "x"/,
    ],
    [
      'a port out of range',
      { hosts: ['a.example.com'], ports: [ExternalPort.https(70000)] },
      /port 70000 is not a port number/,
    ],
    [
      'a target port out of range',
      { hosts: ['a.example.com'], ports: [ExternalPort.http(80, { targetPort: 0 })] },
      /targetPort 0 is not a port number/,
    ],
    [
      'a port name that is none',
      { hosts: ['a.example.com'], ports: [ExternalPort.http(80, { name: 'HTTP_port' })] },
      /port name "HTTP_port"/,
    ],
    ['plain HTTP on 443', { hosts: ['a.example.com'], ports: [ExternalPort.http(443)] }, /port 443 is declared HTTP/],
    [
      "a port of the proxy's own",
      { hosts: ['a.example.com'], ports: [ExternalPort.http(15001)] },
      /port 15001 is one that the proxy keeps/,
    ],
    [
      'static resolution of nothing',
      { hosts: ['a.example.com'], ports: [https], resolution: Resolution.static() },
      /names no endpoint/,
    ],
    [
      'static resolution of a name',
      { hosts: ['a.example.com'], ports: [https], resolution: Resolution.static({ address: 'b.example.com' }) },
      /"b\.example\.com" of a static resolution is not an IP/,
    ],
    [
      'DNS of names mixed with addresses',
      {
        hosts: ['a.example.com'],
        ports: [https],
        resolution: Resolution.dns({ address: 'b.example.com' }, { address: '203.0.113.7' }),
      },
      /mixes names with IP addresses/,
    ],
    [
      'DNS of an address',
      { hosts: ['a.example.com'], ports: [https], resolution: Resolution.dns({ address: '203.0.113.7' }) },
      /DNS resolution of the IP address/,
    ],
    [
      'an endpoint port that the service has not',
      {
        hosts: ['a.example.com'],
        ports: [https],
        resolution: Resolution.static({ address: '203.0.113.7', ports: { web: 1 } }),
      },
      /maps port "web", which the service has not/,
    ],
    [
      'DYNAMIC_DNS of one host',
      { hosts: ['a.example.com'], ports: [https], resolution: Resolution.dynamicDns() },
      /host "a\.example\.com" with DYNAMIC_DNS/,
    ],
    [
      'DYNAMIC_DNS of TCP',
      { hosts: ['*.example.com'], ports: [ExternalPort.tcp(5432)], resolution: Resolution.dynamicDns() },
      /TCP port 5432 with DYNAMIC_DNS/,
    ],
    [
      'an IP range with DNS',
      { hosts: ['a.example.com'], addresses: ['203.0.113.0/24'], ports: [https], resolution: Resolution.dns() },
      /IP range "203\.0\.113\.0\/24" with DNS/,
    ],
    [
      'an address that is none',
      { hosts: ['a.example.com'], addresses: ['203.0.113'], ports: [https] },
      /"203\.0\.113" is neither an IP address nor a range/,
    ],
    [
      'several hosts on TCP',
      { hosts: ['a.example.com', 'b.example.com'], addresses: ['203.0.113.7'], ports: [ExternalPort.tcp(5432)] },
      /2 hosts share TCP port 5432/,
    ],
    [
      'TCP without an address',
      { hosts: ['a.example.com'], ports: [ExternalPort.tcp(5432)] },
      /TCP port 5432 has no address/,
    ],
    ['a namespace that is none', { hosts: ['a.example.com'], ports: [https], namespace: 'My_NS' }, /namespace "My_NS"/],
    [
      'an audience that is none',
      { hosts: ['a.example.com'], ports: [https], audience: Audience.namespaces('Web') },
      /audience "Web"/,
    ],
  ])('%s', (_, props, expected) => {
    const found = refused(props);
    expect(found.join('\n')).toMatch(expected);
    for (const text of found) expect(text).toMatch(/^\[world\/S\] .+\n\s+why: .+\n\s+fix: .+/);
  });

  it('is everything at once', () => {
    const found = refused({
      hosts: ['*.example.com', 'http://x.example.com'],
      ports: [https, ExternalPort.tls(), ExternalPort.http(99999)],
      resolution: Resolution.dns(),
    });
    expect(found).toHaveLength(4);
  });
});

describe('services of one mesh', () => {
  const declare = (first: Partial<ExternalServiceProps>, second: Partial<ExternalServiceProps>, apart = false) => {
    const chart = world();
    const base = { hosts: ['a.example.com'], ports: [https] };
    const other = apart ? new ExternalService(chart, 'A', { ...base, ...first }) : undefined;
    if (other) MeshBoundary.at(other);
    else new ExternalService(chart, 'A', { ...base, ...first });
    new ExternalService(chart, 'B', { ...base, ...second });
    return refusals(chart).join('\n');
  };

  it('declare a host once, and both sides are named', () => {
    expect(declare({}, {})).toMatch(/host "a\.example\.com" is declared by both world\/A and world\/B/);
  });

  it('agree on the protocol of a host and port', () => {
    expect(declare({}, { ports: [ExternalPort.tls()] })).toMatch(/port 443 is HTTPS in world\/A and TLS in world\/B/);
  });

  it('may declare a host each, where no proxy sees both', () => {
    expect(declare({ namespace: 'one' }, { namespace: 'two' })).toBe('');
    expect(declare({ namespace: 'one', audience: Audience.namespaces('two') }, { namespace: 'two' })).not.toBe('');
    expect(declare({ namespace: 'one', audience: Audience.mesh() }, { namespace: 'two' })).not.toBe('');
  });

  it('do not share a TCP address and port', () => {
    const db = { ports: [ExternalPort.tcp(5432)], addresses: ['203.0.113.7'] };
    expect(declare({ ...db, hosts: ['a.example.com'] }, { ...db, hosts: ['b.example.com'] })).toMatch(
      /203\.0\.113\.7:5432 belongs to both world\/A and world\/B/,
    );
    expect(
      declare({ ...db, hosts: ['a.example.com'] }, { ...db, hosts: ['b.example.com'], addresses: ['203.0.113.8'] }),
    ).toBe('');
  });
});
