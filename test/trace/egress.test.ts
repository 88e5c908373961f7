import type { Trace } from '../../src/trace';
import { outcome, traceIn } from './text';

const NAMESPACE = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
`;
const entry = (name: string, spec: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: app}
spec: {${spec}}`;
const TCP_443 = 'ports: [{number: 443, name: tcp, protocol: TCP}]';

describe('resolution NONE', () => {
  it('goes to the host that the client dialled, whatever host the entry names, and says so', () => {
    const trace = traceIn(NAMESPACE + entry('ledger', `hosts: [ledger.example.net], resolution: NONE, ${TCP_443}`));
    const told = trace('https://elsewhere.example.org/');
    expect(outcome(told)).toBe('delivered to elsewhere.example.org:443');
    expect(told.hops[0]?.cluster).toBe('outbound|443||ledger.example.net');
    expect(told.notes?.join()).toContain('sends connections on to the address that the client dialled');
    expect(outcome(trace('tcp://203.0.113.77:443'))).toBe('delivered to 203.0.113.77:443');
    const own = trace('https://ledger.example.net/');
    expect(outcome(own)).toBe('delivered to ledger.example.net:443');
    expect(own.notes?.join()).not.toContain('sends connections on');
  });

  it('goes where the client dialled also by the route of a VirtualService', () => {
    const trace = traceIn(
      `${NAMESPACE}${entry('http', 'hosts: [plain.example.net, other.example.net], resolution: NONE, ports: [{number: 80, name: http, protocol: HTTP}]')}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: plain, namespace: app}
spec: {hosts: [plain.example.net], http: [{route: [{destination: {host: other.example.net}}]}]}`,
    );
    const told = trace('http://plain.example.net/');
    expect(told.hops[0]?.cluster).toBe('outbound|80||other.example.net');
    expect(outcome(told)).toBe('delivered to plain.example.net:80');
  });

  it('leaves other resolutions at the host of the entry', () => {
    const trace = traceIn(NAMESPACE + entry('ledger', `hosts: [ledger.example.net], resolution: DNS, ${TCP_443}`));
    expect(outcome(trace('https://elsewhere.example.org/'))).toBe('delivered to ledger.example.net:443');
  });
});

describe('an ExternalName Service', () => {
  const alias = (ports: string): string => `
---
apiVersion: v1
kind: Service
metadata: {name: stock, namespace: app}
spec: {type: ExternalName, externalName: stock.example.org${ports}}`;
  const target = entry(
    'stock',
    'hosts: [stock.example.org], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]',
  );
  const route = `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: stock, namespace: app}
spec:
  hosts: [stock.app.svc.cluster.local]
  http: [{route: [{destination: {host: stock.app.svc.cluster.local, port: {number: 80}}}]}]`;

  it('keeps its shorter names where a VirtualService takes the full one', () => {
    const trace = traceIn(NAMESPACE + alias('') + target + route);
    for (const name of ['stock', 'stock.app', 'stock.app.svc']) {
      const told = trace(`http://${name}/`);
      expect([name, outcome(told), told.hops[0]?.envoy.virtualHost]).toEqual([
        name,
        'delivered to stock.example.org:80',
        'stock.example.org:80',
      ]);
    }
    const full = trace('http://stock.app.svc.cluster.local/');
    expect([outcome(full), full.hops[0]?.envoy.virtualHost]).toEqual([
      'NC 503 at sidecar',
      'stock.app.svc.cluster.local:80',
    ]);
  });
});

describe('a NetworkPolicy', () => {
  it('has no say in what a gateway sends to its own loopback', () => {
    const trace = traceIn(`${NAMESPACE}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: out, namespace: edge}
spec:
  selector: {matchLabels: {istio: egress}}
  template:
    metadata: {labels: {istio: egress}, annotations: {inject.istio.io/templates: gateway}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Service
metadata: {name: out, namespace: edge}
spec: {selector: {istio: egress}, ports: [{name: tls, port: 443, targetPort: 8443}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: rest, namespace: edge}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 8443}]}]
  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}], ports: [{port: 443}]}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: inner, namespace: edge}
spec:
  hosts: [inner.example.internal]
  exportTo: ['.']
  resolution: STATIC
  ports: [{number: 21000, name: tcp, protocol: TCP}]
  endpoints: [{address: 127.0.0.1}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank, namespace: edge}
spec: {hosts: [bank.example.com], resolution: DNS, ports: [{number: 443, name: tls, protocol: TLS}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: out, namespace: edge}
spec:
  selector: {istio: egress}
  servers:
    - {port: {number: 443, name: tls, protocol: TLS}, hosts: [bank.example.com], tls: {mode: PASSTHROUGH}}
    - {port: {number: 21000, name: inner, protocol: TLS}, bind: 127.0.0.1, hosts: [bank.example.com], tls: {mode: PASSTHROUGH}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bank, namespace: edge}
spec:
  hosts: [bank.example.com]
  gateways: [mesh, edge/out]
  tls:
    - match: [{gateways: [mesh], port: 443, sniHosts: [bank.example.com]}]
      route: [{destination: {host: out.edge.svc.cluster.local, port: {number: 443}}}]
    - match: [{gateways: [edge/out], port: 443, sniHosts: [bank.example.com]}]
      route: [{destination: {host: inner.example.internal, port: {number: 21000}}}]
    - match: [{gateways: [edge/out], port: 21000, sniHosts: [bank.example.com]}]
      route: [{destination: {host: bank.example.com, port: {number: 443}}}]`);
    const told = trace('https://bank.example.com/');
    expect(told.hops.map(({ cluster }) => cluster)).toEqual([
      'outbound|443||out.edge.svc.cluster.local',
      'outbound|21000||inner.example.internal',
      'outbound|443||bank.example.com',
    ]);
    expect(outcome(told)).toBe('delivered to bank.example.com:443');
  });
});

describe('rules for some clients of a host alone', () => {
  const db = entry(
    'db',
    'hosts: [db.example.com], addresses: [192.0.2.40], resolution: STATIC, ports: [{number: 5432, name: tcp, protocol: TCP}]',
  );
  const web = entry('web', "hosts: [web.example.com], resolution: DNS, exportTo: ['~'], ports: [{number: 443, name: tls, protocol: TLS}]"); // prettier-ignore
  const rules = `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: db, namespace: app}
spec:
  hosts: [db.example.com]
  tcp: [{match: [{port: 5432, sourceLabels: {app: books}}], route: [{destination: {host: proxy.app.svc.cluster.local}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: app}
spec:
  hosts: [web.example.com]
  tls: [{match: [{port: 443, sniHosts: [web.example.com], sourceLabels: {app: books}}], route: [{destination: {host: proxy.app.svc.cluster.local}}]}]`;

  it('are the reason that the others are refused, and no door is opened to all of them', () => {
    const trace = traceIn(NAMESPACE + db + web + rules);
    const held = trace('tcp://192.0.2.40:5432', { labels: { app: 'cart' } });
    expect(outcome(held)).toBe('UH - at sidecar');
    expect(held.refusal?.by).toMatchObject({ kind: 'VirtualService', name: 'db' });
    expect(held.refusal?.fix).toContain('add it to the match of VirtualService app/db');
    const hidden = trace('https://web.example.com/', { labels: { app: 'cart' } });
    expect(outcome(hidden)).toBe('BlackHoleCluster - at sidecar');
    expect(hidden.refusal?.by).toMatchObject({ kind: 'VirtualService', name: 'web' });
    expect(hidden.refusal?.what).toContain('app=books');
  });
});

describe('two gateways of one name', () => {
  const trace = traceIn(`${NAMESPACE}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: [front.example.org]}, {port: {number: 81, name: more, protocol: HTTP}, hosts: [front.example.org]}]
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
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}, {name: more, port: 81, protocol: HTTP}]}`);
  const enter = (port: number, atGroup?: 'networking.istio.io'): ReturnType<typeof trace> =>
    trace(`http://front.example.org:${port}/`, { from: 'outside', at: 'app/front', ...(atGroup ? { atGroup } : {}) });

  it('are told apart by the port, and by their API where both serve it', () => {
    expect(outcome(enter(8080))).toBe('delivered to cart.app.svc.cluster.local:80');
    expect(outcome(enter(80))).toBe('NR 404 at ingress-gateway');
    const both = enter(81);
    expect(outcome(both)).toBe('NR 404 at ingress-gateway');
    expect(both.notes?.join()).toContain('each have a Gateway app/front');
    expect(outcome(enter(81, 'networking.istio.io'))).toBe('delivered to cart.app.svc.cluster.local:80');
  });
});

describe('a host of several ServiceEntries, where the sidecar answers DNS', () => {
  const CAPTURE = `
---
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {name: dns, namespace: app}
spec: {environmentVariables: {ISTIO_META_DNS_CAPTURE: "true"}}`;
  const part = (port: number, protocol: string, status = ''): string =>
    entry(
      `pay-${port}`,
      `hosts: [pay.example.net], resolution: DNS, ports: [{number: ${port}, name: p, protocol: ${protocol}}]`,
    ) + (status === '' ? '' : `\nstatus: {addresses: [{host: pay.example.net, value: ${status}}]}`);
  const parts = part(446, 'TLS') + part(448, 'TLS') + part(8470, 'HTTP');

  it('is unknown where only the address of one of them takes the port, and says which', () => {
    const told = traceIn(NAMESPACE + CAPTURE + parts)('https://pay.example.net:448/');
    expect(told.outcome).toBe('unknown');
    expect(told.hops.map(({ cluster }) => cluster)).toEqual(['outbound|448||pay.example.net']);
    expect(told.notes?.[0]).toContain('that of ServiceEntry app/pay-448: delivered');
    expect(told.notes?.[0]).toContain('that of ServiceEntry app/pay-446: refused (BlackHoleCluster)');
  });

  it('is as unknown with the addresses that Istio gave them', () => {
    const given = part(446, 'TLS', '240.240.0.7') + part(448, 'TLS', '240.240.0.8');
    expect(traceIn(NAMESPACE + CAPTURE + given)('https://pay.example.net:448/').outcome).toBe('unknown');
    const one = traceIn(NAMESPACE + CAPTURE + given)('https://pay.example.net:448/', { address: '240.240.0.8' });
    expect(outcome(one)).toBe('delivered to pay.example.net:448');
  });

  it('is delivered where it matters not which: for HTTP, without capture, in one entry, or by the older way of allocation', () => {
    expect(outcome(traceIn(NAMESPACE + CAPTURE + parts)('http://pay.example.net:8470/'))).toBe('delivered to pay.example.net:8470'); // prettier-ignore
    expect(outcome(traceIn(NAMESPACE + parts)('https://pay.example.net:448/'))).toBe('delivered to pay.example.net:448'); // prettier-ignore
    const together = entry('pay', 'hosts: [pay.example.net], resolution: DNS, ports: [{number: 446, name: a, protocol: TLS}, {number: 448, name: b, protocol: TLS}]'); // prettier-ignore
    expect(outcome(traceIn(NAMESPACE + CAPTURE + together)('https://pay.example.net:448/'))).toBe('delivered to pay.example.net:448'); // prettier-ignore
    const older = `
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  values: {pilot: {env: {PILOT_ENABLE_IP_AUTOALLOCATE: "false"}}}
  meshConfig: {defaultConfig: {proxyMetadata: {ISTIO_META_DNS_AUTO_ALLOCATE: "true"}}}`;
    expect(outcome(traceIn(NAMESPACE + CAPTURE + older + parts)('https://pay.example.net:448/'))).toBe('delivered to pay.example.net:448'); // prettier-ignore
  });
});

describe('an endpoint that is a Service of the cluster', () => {
  const WORLD = `${NAMESPACE}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: out, namespace: edge}
spec:
  selector: {matchLabels: {istio: egress}}
  template:
    metadata: {labels: {istio: egress}, annotations: {inject.istio.io/templates: gateway}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Service
metadata: {name: out, namespace: edge}
spec: {clusterIP: 10.96.0.9, selector: {istio: egress}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: out, namespace: edge}
spec: {selector: {istio: egress}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [news.example.com]}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: news, namespace: edge}
spec: {hosts: [news.example.com], exportTo: ['.'], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}`;
  const ROUTE = `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: news, namespace: edge}
spec: {hosts: [news.example.com], gateways: [out], http: [{route: [{destination: {host: news.example.com, port: {number: 80}}}]}]}`;
  const through = (address: string, resolution = 'DNS'): string =>
    entry(
      'news',
      `hosts: [news.example.com], resolution: ${resolution}, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: ${address}}]`,
    );

  it.each([
    ['out.edge.svc.cluster.local', 'DNS'],
    ['out.edge', 'DNS'],
    ['10.96.0.9', 'STATIC'],
    ['10.96.0.9', 'DNS'],
  ])('is followed into the gateway: %s, %s', (address, resolution) => {
    const lost = traceIn(WORLD + through(address, resolution))('http://news.example.com/');
    expect([outcome(lost), lost.hops.length]).toEqual(['NR 404 at egress-gateway', 2]);
    const told = traceIn(WORLD + ROUTE + through(address, resolution))('http://news.example.com/');
    expect([outcome(told), told.hops.length]).toEqual(['delivered to news.example.com:80', 2]);
    expect(told.hops[0]?.endpointsOf).toEqual({ kind: 'ServiceEntry', namespace: 'app', name: 'news' });
  });

  it('ends where no Service has its name, and is unknown in a namespace that no manifest shows', () => {
    expect(outcome(traceIn(WORLD + through('gone.edge.svc.cluster.local'))('http://news.example.com/'))).toBe('UH 503 at sidecar'); // prettier-ignore
    expect(outcome(traceIn(WORLD + through('gone.far.svc.cluster.local'))('http://news.example.com/'))).toBe('unknown');
  });

  it('is of no Service where it is outside', () => {
    const told = traceIn(WORLD + through('mirror.example.org'))('http://news.example.com/');
    expect(outcome(told)).toBe('delivered to news.example.com:80');
    expect(told.hops[0]?.envoy.endpoints).toEqual(['mirror.example.org:80']);
  });
});

describe('a Pod that is there already', () => {
  const pod = (mark: string, containers = '{name: c, image: c}', more = ''): string => `${NAMESPACE}
---
apiVersion: v1
kind: Pod
metadata: {name: sleep, namespace: app, labels: {app: sleep}${mark}}
spec: {containers: [${containers}]${more}}`;
  const reaches = (yaml: string): string => traceIn(yaml)('https://any.example.com/').hops[0]?.proxy.kind ?? '';

  it('has the containers that it has, whatever its namespace says by now', () => {
    expect(reaches(pod(''))).toBe('sidecar');
    expect(reaches(`${pod('')}\nstatus: {podIP: 10.1.0.9}`)).toBe('sidecar');
    expect(reaches(`${pod('')}\nstatus: {phase: Running, podIP: 10.1.0.9}`)).toBe('none');
    expect(reaches(pod(', uid: 7a3f'))).toBe('none');
    expect(reaches(pod(', creationTimestamp: "2026-01-01T00:00:00Z"'))).toBe('none');
    expect(reaches(pod(', uid: 7a3f', '{name: c, image: c}, {name: istio-proxy, image: p}'))).toBe('sidecar');
    expect(reaches(pod(', uid: 7a3f', '{name: c, image: c}', ', initContainers: [{name: istio-proxy, image: p, restartPolicy: Always}]'))).toBe('sidecar'); // prettier-ignore
  });
});

describe('why a host is refused', () => {
  const refusal = (yaml: string, request: string): Trace['refusal'] => traceIn(yaml)(request).refusal;

  it('is the address, and not the protocol, where TLS is declared HTTPS', () => {
    const yaml = NAMESPACE + entry('web', 'hosts: [web.example.com], addresses: [203.0.113.8], resolution: STATIC, ports: [{number: 443, name: tls, protocol: HTTPS}], endpoints: [{address: 203.0.113.8}]'); // prettier-ignore
    const told = traceIn(yaml)('https://web.example.com/', { address: '203.0.113.9' }).refusal;
    expect(told?.by?.field).toBe('spec.addresses');
  });

  it('is a VirtualService whose tls rules take the place of what the entry says', () => {
    const yaml = `${NAMESPACE}${entry('cloud', "hosts: ['*.cloud.example'], resolution: NONE, ports: [{number: 443, name: tls, protocol: HTTPS}]")}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: one, namespace: app}
spec: {hosts: ['*.cloud.example'], tls: [{match: [{port: 443, sniHosts: [one.cloud.example]}], route: [{destination: {host: '*.cloud.example'}}]}]}`;
    expect(outcome(traceIn(yaml)('https://one.cloud.example/'))).toBe('delivered to one.cloud.example:443');
    expect(refusal(yaml, 'https://two.cloud.example/')?.by).toMatchObject({ kind: 'VirtualService', name: 'one', field: 'spec.tls' }); // prettier-ignore
  });

  it('is the entry that claims an IP, and the Sidecar that imports its host on another port', () => {
    const db = entry('db', 'hosts: [db.example.com], addresses: [203.0.113.21], resolution: STATIC, ports: [{number: 5432, name: tcp, protocol: TCP}, {number: 5433, name: more, protocol: TCP}], endpoints: [{address: 203.0.113.21}]'); // prettier-ignore
    expect(refusal(NAMESPACE + db, 'tcp://203.0.113.21:6000')?.by).toMatchObject({ kind: 'ServiceEntry', name: 'db', field: 'spec.ports' }); // prettier-ignore
    const sidecar = `
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: app}
spec: {egress: [{port: {number: 5432, name: tcp, protocol: TCP}, hosts: ['./db.example.com']}, {port: {number: 5433, name: other, protocol: TCP}, hosts: ['./other.example.com']}]}`;
    expect(refusal(NAMESPACE + db + sidecar, 'tcp://203.0.113.21:5433')?.by).toMatchObject({ kind: 'Sidecar', field: 'spec.egress' }); // prettier-ignore
  });

  it('is mutual TLS of the mesh on a port of plain HTTP, which no other port takes either', () => {
    const yaml = `${NAMESPACE}${entry('web', 'hosts: [web.example.org], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]')}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: app}
spec: {host: web.example.org, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}`;
    expect(refusal(yaml, 'http://web.example.org/')?.fix).toContain('tls.mode SIMPLE');
    expect(refusal(yaml, 'http://web.example.org/')?.fix).not.toContain('targetPort');
  });

  it('is the exportTo of a VirtualService that the gateway does not see', () => {
    const yaml = (exportTo: string): string => `${NAMESPACE}
---
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: out, namespace: edge}
spec:
  selector: {matchLabels: {istio: egress}}
  template:
    metadata: {labels: {istio: egress}, annotations: {inject.istio.io/templates: gateway}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Service
metadata: {name: out, namespace: edge}
spec: {selector: {istio: egress}, ports: [{name: http, port: 80, targetPort: 80}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: out, namespace: edge}
spec: {selector: {istio: egress}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}
${entry('web', "hosts: [web.example.org], exportTo: ['*'], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]")}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: app}
spec:
  hosts: [web.example.org]
  exportTo: ${exportTo}
  gateways: [mesh, edge/out]
  http:
    - match: [{gateways: [mesh]}]
      route: [{destination: {host: out.edge.svc.cluster.local, port: {number: 80}}}]
    - match: [{gateways: [edge/out]}]
      route: [{destination: {host: web.example.org, port: {number: 80}}}]`;
    const told = refusal(yaml("['.']"), 'http://web.example.org/');
    expect([told?.code, told?.by?.field]).toEqual(['NR', 'spec.exportTo']);
    expect(told?.fix).toBe('add "edge" to exportTo of VirtualService app/web');
    expect(outcome(traceIn(yaml("['.', edge]"))('http://web.example.org/'))).toBe('delivered to web.example.org:80');
  });
});

describe('a connection that ends at another host than the one that it is for', () => {
  const db = (name: string, more = ''): string =>
    entry(
      name,
      `hosts: [${name}.example.com], resolution: DNS, ports: [{number: 3306, name: db, protocol: TCP}]${more}`,
    );
  const noteOf = (told: Trace): string | undefined => told.notes?.find((note) => note.includes('and ends at'));

  it('has a note that names what takes it', () => {
    const trace = traceIn(NAMESPACE + db('first') + db('second'));
    expect(noteOf(trace('tcp://first.example.com:3306'))).toBeUndefined();
    expect(noteOf(trace('tcp://second.example.com:3306'))).toBe(
      'this connection is for second.example.com, and ends at first.example.com: ServiceEntry app/first takes what comes on port 3306, where nothing names a host',
    );
    const apart = traceIn(NAMESPACE + db('first', ', addresses: [203.0.113.1]') + db('second', ', addresses: [203.0.113.2]')); // prettier-ignore
    expect(noteOf(apart('tcp://second.example.com:3306'))).toBeUndefined();
  });

  it('has none where a rule for the host leads there, nor where the host is another name of a Service', () => {
    const route = `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: second, namespace: app}
spec: {hosts: [second.example.com], tcp: [{route: [{destination: {host: first.example.com, port: {number: 3306}}}]}]}`;
    const addressed = db('second', ', addresses: [203.0.113.2]');
    const told = traceIn(NAMESPACE + db('first') + addressed + route)('tcp://second.example.com:3306');
    expect([outcome(told), noteOf(told)]).toEqual(['delivered to first.example.com:3306', undefined]);
    const alias = `
---
apiVersion: v1
kind: Service
metadata: {name: stock, namespace: app}
spec: {type: ExternalName, externalName: first.example.com}`;
    expect(noteOf(traceIn(NAMESPACE + db('first') + alias)('tcp://stock:3306'))).toBeUndefined();
  });
});
