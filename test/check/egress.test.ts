import { ids, judge, NAMESPACES } from './judged';

describe('a name of a Service that is not written in full', () => {
  const yaml = (host: string): string => `${NAMESPACES}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: gw}
spec: {selector: {app: cart}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: app}
spec: {hosts: [cart.example.com], http: [{route: [{destination: {host: ${host}}}]}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: cart, namespace: app}
spec: {host: ${host}, trafficPolicy: {tls: {mode: DISABLE}}}`;

  it.each(['cart.gw', 'cart.gw.svc'])('is nothing to Istio, which completes names without a dot: %s', (host) => {
    const found = judge(yaml(host)).filter(({ id }) => id === 'EDGE210');
    expect(found.map(({ severity, field, fix }) => [severity, field, fix])).toEqual([
      ['error', 'spec.http[0].route[0].destination.host', 'Write cart.gw.svc.cluster.local: only a name without a dot is completed.'], // prettier-ignore
      ['warning', 'spec.host', 'Write cart.gw.svc.cluster.local: only a name without a dot is completed.'],
    ]);
  });

  it('is what it says when it is', () => {
    expect(ids(yaml('cart.gw.svc.cluster.local')).join()).not.toContain('EDGE210');
  });
});

describe('routes of the mesh', () => {
  const route = (parents: string): string => `${NAMESPACES}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: app}
spec: {selector: {app: cart}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: gw}
spec: {selector: {app: other}, ports: [{name: http, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart, namespace: app}
spec: {parentRefs: [${parents}], rules: [{backendRefs: [{name: other, namespace: gw, port: 80}]}]}`;

  it('need no ReferenceGrant; those of gateways do', () => {
    const mesh = '{group: "", kind: Service, name: cart, port: 80}';
    expect(ids(route(mesh))).not.toContain('EDGE803 error');
    expect(ids(route('{name: front}'))).toContain('EDGE803 error');
    expect(ids(route(`${mesh}, {name: front}`))).toContain('EDGE803 error');
  });
});

describe('a host without endpoints', () => {
  const db = `${NAMESPACES}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db, namespace: app}
spec:
  hosts: [db.example.com]
  addresses: [192.0.2.40]
  resolution: STATIC
  ports: [{number: 5432, name: tcp, protocol: TCP}]`;
  const rule = (match: string): string => `
---
apiVersion: v1
kind: Service
metadata: {name: pool, namespace: app}
spec: {selector: {app: pool}, ports: [{name: tcp, port: 5432}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: db, namespace: app}
spec:
  hosts: [db.example.com]
  tcp: [{match: [{${match}}], route: [{destination: {host: pool.app.svc.cluster.local, port: {number: 5432}}}]}]`;

  it('is no fault where rules lead some of its clients elsewhere, and holds the others', () => {
    expect(ids(db)).toContain('EDGE214 error');
    expect(ids(db + rule('port: 5432, sourceLabels: {app: books}'))).not.toContain('EDGE214 error');
    expect(ids(db + rule('port: 5433, sourceLabels: {app: books}'))).toContain('EDGE214 error');
    const selecting = db.replace('resolution: STATIC', 'resolution: STATIC\n  workloadSelector: {labels: {app: none}}');
    expect(selecting).not.toBe(db);
    expect(ids(selecting + rule('port: 5432, sourceLabels: {app: books}'))).toContain('EDGE214 error');
  });
});

describe('gateways of one name in both APIs', () => {
  it('are each followed by their own routes', () => {
    const both = `${NAMESPACES}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [front.example.org]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: front, namespace: app}
spec: {hosts: [front.example.org], gateways: [front], http: [{route: [{destination: {host: cart}}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: app}
spec: {selector: {app: cart}, ports: [{name: http, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}`;
    expect(ids(both).filter((id) => id.endsWith('error'))).toEqual([]);
  });
});

describe('TCP without addresses', () => {
  const tcp = (name: string, more = 'resolution: DNS'): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: app}
spec: {hosts: [${name}.example.com], ports: [{number: 5432, name: tcp, protocol: TCP}], ${more}}`;
  const proxyConfig = (namespace: string, selector = ''): string => `
---
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {name: dns, namespace: ${namespace}}
spec: {environmentVariables: {ISTIO_META_DNS_CAPTURE: "true"}${selector}}`;
  const sleep = (name: string): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: app}
spec:
  selector: {matchLabels: {app: ${name}}}
  template: {metadata: {labels: {app: ${name}}}, spec: {containers: [{name: c, image: c}]}}`;
  const values = `
---
istiod:
  meshConfig: {defaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}}}`;

  it('is told apart where every sidecar that sees it answers DNS, by whatever object says so', () => {
    const two = NAMESPACES + tcp('db') + tcp('events');
    expect(ids(two)).toContain('EDGE111 error');
    for (const capture of [proxyConfig('app'), proxyConfig('istio-system'), values])
      expect(ids(two + sleep('books') + capture)).toEqual([]);
    expect(ids(two + sleep('books') + proxyConfig('gw'))).toContain('EDGE111 error');
    const selected = proxyConfig('app', ', selector: {matchLabels: {app: books}}');
    expect(ids(two + sleep('books') + selected)).toEqual([]);
    expect(ids(two + sleep('books') + sleep('carts') + selected)).toContain('EDGE111 error');
  });

  it('is told apart by ztunnels, which answer DNS', () => {
    const two = tcp('db') + tcp('events');
    const ambient = (name: string): string =>
      `---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: {istio.io/dataplane-mode: ambient}}\n`;
    expect(ids(ambient('app') + two)).toEqual([]);
    expect(ids(ambient('app') + two + sleep('books'))).toEqual([]);
    const captured = sleep('books').replace('labels: {app: books}}, spec', 'labels: {app: books, sidecar.istio.io/inject: "true"}}, spec'); // prettier-ignore
    expect(ids(ambient('app') + two + captured)).toContain('EDGE111 error');
  });

  it.each([
    ['"TRUE"', true],
    ['"1"', true],
    ['"0"', false],
    ['"yes"', false],
  ])('is told apart where DNS capture is %s, as Go reads switches', (value, expected) => {
    const capture = proxyConfig('app').replace('"true"', value);
    expect(ids(NAMESPACES + tcp('db') + tcp('events') + sleep('books') + capture).length === 0).toBe(expected);
  });

  it('is told apart from one that has no address of its own, where DNS answers for the other', () => {
    const plain = tcp('db').replace('namespace: app}', 'namespace: app, labels: {networking.istio.io/enable-autoallocate-ip: "false"}}'); // prettier-ignore
    const none = tcp('vpn', 'resolution: NONE');
    for (const one of [plain, none]) {
      expect(ids(NAMESPACES + one + tcp('events') + sleep('books') + proxyConfig('app')).join()).not.toContain('EDGE111'); // prettier-ignore
      expect(ids(NAMESPACES + one + tcp('events') + sleep('books')).join()).toContain('EDGE111');
    }
    expect(ids(NAMESPACES + plain + none + sleep('books') + proxyConfig('app')).join()).toContain('EDGE111');
  });

  it('lets everything out with resolution NONE, which no DNS changes', () => {
    const [open] = judge(NAMESPACES + tcp('db', 'resolution: NONE') + proxyConfig('app'));
    expect([open?.id, open?.what]).toEqual([
      'EDGE110',
      'port 5432 is TCP, and db.example.com has no addresses: whatever is dialled on port 5432 gets out',
    ]);
  });

  it('takes no connection away from another where the older goes on to where the client dialled', () => {
    const severity = (yaml: string): unknown => judge(yaml).find(({ id }) => id === 'EDGE111')?.severity;
    expect(severity(NAMESPACES + tcp('db', 'resolution: NONE') + tcp('events', 'resolution: NONE'))).toBe('warning');
    expect(severity(NAMESPACES + tcp('db', 'resolution: NONE') + tcp('events'))).toBe('warning');
    expect(severity(NAMESPACES + tcp('db') + tcp('events', 'resolution: NONE'))).toBe('error');
  });
});

describe('one host in several entries', () => {
  it('is an error where sidecars answer DNS with the address of one of them at random', () => {
    const part = (port: number, protocol: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pay-${port}, namespace: app}
spec: {hosts: [pay.example.net], ports: [{number: ${port}, name: p, protocol: ${protocol}}], resolution: DNS}`;
    const capture = `
---
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {name: dns, namespace: istio-system}
spec: {environmentVariables: {ISTIO_META_DNS_CAPTURE: "true"}}`;
    expect(ids(NAMESPACES + part(446, 'TLS') + part(448, 'TLS'))).toEqual(['EDGE113 warning']);
    expect(ids(NAMESPACES + part(446, 'TLS') + part(448, 'TLS') + capture)).toEqual(['EDGE113 error']);
    expect(ids(NAMESPACES + part(80, 'HTTP') + part(81, 'HTTP') + capture)).toEqual(['EDGE113 warning']);
  });
});

describe('a DestinationRule for every host', () => {
  const star = `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: every, namespace: istio-system}
spec: {host: '*', trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}`;
  const entry = (host: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${host.split('.')[0]}, namespace: app}
spec: {hosts: [${host}], ports: [{number: 443, name: tls, protocol: TLS}], resolution: DNS}`;
  const own = (host: string, namespace: string): string => `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: own, namespace: ${namespace}}
spec: {host: '${host}', trafficPolicy: {tls: {mode: DISABLE}}}`;
  const severity = (yaml: string): unknown => judge(yaml).find(({ id }) => id === 'EDGE411')?.severity;

  it('is an error as long as a host outside the mesh gets its settings', () => {
    const one = NAMESPACES + star + entry('web.example.org');
    expect(severity(one)).toBe('error');
    expect(severity(one + own('web.example.org', 'app'))).toBe('info');
    expect(severity(one + own('*.example.org', 'app'))).toBe('info');
    expect(severity(one + entry('mail.example.net') + own('web.example.org', 'app'))).toBe('error');
    // A rule in a third namespace is not found by a client.
    expect(severity(one + own('web.example.org', 'gw'))).toBe('error');
  });
});

describe('names that are not what they seem', () => {
  it('are wider in sniHosts than the entry that a rule for sidecars leads to', () => {
    const yaml = (host: string, sni: string): string => `${NAMESPACES}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: queue, namespace: app}
spec: {hosts: ["${host}"], ports: [{number: 443, name: tls, protocol: TLS}], resolution: ${host.startsWith('*') ? 'NONE' : 'DNS'}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: queue, namespace: app}
spec:
  hosts: ["${sni}"]
  tls: [{match: [{port: 443, sniHosts: ["${sni}"]}], route: [{destination: {host: "${host}", port: {number: 443}}}]}]`;
    expect(ids(yaml('queue.cloud.example', '*.cloud.example'))).toContain('EDGE514 warning');
    expect(ids(yaml('queue.cloud.example', 'queue.cloud.example'))).not.toContain('EDGE514 warning');
    expect(ids(yaml('*.cloud.example', '*.cloud.example'))).not.toContain('EDGE514 warning');
  });

  it('are those of a Service where a route or a DestinationRule writes a host without a dot', () => {
    const yaml = (host: string): string => `${NAMESPACES}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bin, namespace: app}
spec: {hosts: [${host}], addresses: [203.0.113.9], ports: [{number: 8443, name: tcp, protocol: TCP}], resolution: STATIC, endpoints: [{address: 203.0.113.9}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: bin, namespace: app}
spec: {host: ${host}, trafficPolicy: {tls: {mode: DISABLE}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bin, namespace: app}
spec: {hosts: [www.example.org], tcp: [{route: [{destination: {host: ${host}}}]}]}`;
    expect(ids(yaml('bin'))).toEqual(expect.arrayContaining(['EDGE210 warning', 'EDGE210 error']));
    expect(ids(yaml('bin.example.org')).join()).not.toContain('EDGE210');
  });

  it('lead nowhere where a route names an ExternalName Service', () => {
    const yaml = (host: string): string => `${NAMESPACES}
---
apiVersion: v1
kind: Service
metadata: {name: stock, namespace: app}
spec: {type: ExternalName, externalName: stock.example.org}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: stock, namespace: app}
spec: {hosts: [stock.example.org], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: stock, namespace: app}
spec: {hosts: [stock.example.org], http: [{route: [{destination: {host: ${host}}}]}]}`;
    expect(ids(yaml('stock'))).toContain('EDGE210 error');
    expect(ids(yaml('stock.example.org'))).not.toContain('EDGE210 error');
  });
});

describe('a way through a gateway', () => {
  const mesh = ({ address = '198.51.100.33', subnet = '10.0.0.0/8', seenBy = "['*']" } = {}): string => `${NAMESPACES}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: sleep, namespace: app}
spec:
  selector: {matchLabels: {app: sleep}}
  template: {metadata: {labels: {app: sleep}}, spec: {containers: [{name: a, image: a}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: out, namespace: gw}
spec:
  selector: {matchLabels: {istio: egress}}
  template:
    metadata: {labels: {istio: egress}, annotations: {inject.istio.io/templates: gateway}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Service
metadata: {name: out, namespace: gw}
spec: {selector: {istio: egress}, ports: [{name: tcp, port: 3306, targetPort: 3306}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: out, namespace: gw}
spec: {selector: {istio: egress}, servers: [{port: {number: 3306, name: tcp, protocol: TCP}, hosts: ['*']}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db, namespace: gw}
spec: {hosts: [db.example.com], addresses: [${address}], exportTo: ${seenBy}, resolution: DNS, ports: [{number: 3306, name: tcp, protocol: TCP}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: db, namespace: app}
spec:
  hosts: [db.example.com]
  gateways: [mesh, gw/out]
  tcp:
    - match: [{gateways: [mesh], port: 3306, destinationSubnets: [${subnet}]}]
      route: [{destination: {host: out.gw.svc.cluster.local, port: {number: 3306}}}]
    - match: [{gateways: [gw/out], port: 3306}]
      route: [{destination: {host: db.example.com, port: {number: 3306}}}]`;

  it('that misses the address of its host is bypassed, however the address is written', () => {
    for (const address of ['198.51.100.33', '198.51.100.33/32']) {
      const [found] = judge(mesh({ address })).filter(({ id }) => id === 'EDGE201');
      expect([address, found?.field]).toEqual([address, 'spec.tcp[0].match[0]']);
      expect(found?.fix).toContain('destinationSubnets of tcp[0]');
      expect(ids(mesh({ address, subnet: '198.51.100.0/24' }))).not.toContain('EDGE201 error');
    }
  });

  it('needs no more than the gateway to see where it ends', () => {
    const unseen = (yaml: string): readonly string[] =>
      judge(yaml).flatMap(({ id, what }) => (id === 'EDGE210' ? [what] : []));
    const kept = mesh({ subnet: '198.51.100.0/24', seenBy: "['.']" });
    expect(unseen(kept)).toEqual([]);
    expect(unseen(kept.replace('host: out.gw.svc.cluster.local', 'host: db.example.com'))).not.toEqual([]);
  });
});

describe('two routes of the Gateway API for TLS to one host', () => {
  const route = (namespace: string, name: string, day: number, port = 443): string => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: ${name}, namespace: ${namespace}, creationTimestamp: "2026-01-0${day}T00:00:00Z"}
spec:
  parentRefs: [{group: networking.istio.io, kind: ServiceEntry, name: site, namespace: gw, port: ${port}}]
  hostnames: [site.example.com]
  rules: [{backendRefs: [{name: out, namespace: gw, port: 443}]}]`;
  const site = `${NAMESPACES}
---
apiVersion: v1
kind: Service
metadata: {name: out, namespace: gw}
spec: {selector: {app: out}, ports: [{name: tls, port: 443}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: site, namespace: gw}
spec: {hosts: [site.example.com], resolution: DNS, ports: [{number: 443, name: tls, protocol: TLS}, {number: 8443, name: alt, protocol: TLS}]}`;
  const found = (...routes: readonly string[]): readonly string[] =>
    judge(site + routes.join('')).flatMap(({ id, severity, object }) =>
      id === 'EDGE806' ? [`${severity} ${object?.namespace}/${object?.name}`] : [],
    );

  it('are an error in one namespace, whose clients take the older', () => {
    expect(found(route('app', 'old', 1), route('app', 'new', 2))).toEqual(['error app/new']);
    expect(found(route('app', 'new', 2), route('app', 'old', 1))).toEqual(['error app/new']);
  });

  it('are a warning in two, since clients of every other take the older', () => {
    expect(found(route('app', 'old', 1), route('gw', 'new', 2))).toEqual(['warning gw/new']);
  });

  it('are none on two ports', () => {
    expect(found(route('app', 'old', 1), route('app', 'new', 2, 8443))).toEqual([]);
  });
});

describe('a Gateway that no manifest shows', () => {
  const route = (name: string, gateway: string): string => `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}, namespace: app}
spec: {hosts: [${name}.example.com], gateways: [${gateway}], http: [{redirect: {uri: /}}]}`;

  it('is assumed once, however many VirtualServices name it', () => {
    const yaml = NAMESPACES + route('a', 'infra/front') + route('b', 'infra/front') + route('c', 'infra/back');
    const found = judge(yaml).filter(({ id }) => id === 'EDGE204');
    expect(found.map(({ severity, what }) => `${severity}: ${what}`)).toEqual([
      'info: there is no Gateway infra/front among the manifests: assumed of 2 VirtualServices that it is elsewhere',
      'info: there is no Gateway infra/back among the manifests',
    ]);
  });
});

describe('an entry whose address clients know, since an endpoint has it', () => {
  const through = (address: string, hosts: string): string => `${NAMESPACES}
---
apiVersion: v1
kind: Service
metadata: {name: istio-egressgateway, namespace: istio-system}
spec: {selector: {istio: egressgateway}, ports: [{name: http2, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: gitlab, namespace: app}
spec: {hosts: [gitlab.egress], addresses: [${address}], location: MESH_EXTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 203.0.113.7}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: egress, namespace: istio-system}
spec: {selector: {istio: egressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: gitlab, namespace: app}
spec:
  hosts: [${hosts}]
  gateways: [mesh, istio-system/egress]
  http:
    - {match: [{gateways: [mesh]}], route: [{destination: {host: istio-egressgateway.istio-system.svc.cluster.local, port: {number: 80}}}]}
    - {match: [{gateways: [istio-system/egress]}], route: [{destination: {host: gitlab.egress, port: {number: 80}}}]}`;

  it.each(['203.0.113.7', '203.0.113.7/32'])('is warned of where the gateway knows it by name alone: %s', (address) => {
    const found = judge(through(address, 'gitlab.egress')).filter(({ id }) => id === 'EDGE207');
    expect(found.map(({ severity, object, what }) => [severity, object?.kind, what.split(' from ')[0]])).toEqual([
      ['warning', 'Gateway', 'http://203.0.113.7:80/'],
    ]);
  });

  it.each([
    ['the routes are for the address too', '203.0.113.7', 'gitlab.egress, 203.0.113.7'],
    ['the address is one of the mesh alone', '240.0.0.9', 'gitlab.egress'],
  ])('is not where %s', (_what, address, hosts) => {
    expect(ids(through(address, hosts)).join()).not.toContain('EDGE207');
  });
});
