/** Which object and field a finding about a broken request points to: the one that a reader has to change. */
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: caller, namespace: app}
spec:
  selector: {matchLabels: {app: caller}}
  template: {metadata: {labels: {app: caller}}, spec: {containers: [{name: c, image: c}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: egress, namespace: out}
spec:
  replicas: 2
  selector: {matchLabels: {istio: egress}}
  template:
    metadata: {labels: {istio: egress, sidecar.istio.io/inject: "true"}, annotations: {inject.istio.io/templates: gateway}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Service
metadata: {name: egress, namespace: out}
spec: {selector: {istio: egress}, ports: [{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: site, namespace: out}
spec:
  hosts: [site.example.com]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: site, namespace: out}
spec:
  selector: {istio: egress}
  servers:
  - port: {number: 443, name: https-site, protocol: HTTPS}
    hosts: [site.example.com]
    tls: {mode: ISTIO_MUTUAL}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: hop, namespace: out}
spec:
  host: egress.out.svc.cluster.local
  subsets:
  - name: site
    trafficPolicy: {portLevelSettings: [{port: {number: 443}, tls: {mode: ISTIO_MUTUAL, sni: site.example.com}}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: originate, namespace: out}
spec:
  host: site.example.com
  exportTo: [.]
  subsets:
  - name: tls
    trafficPolicy: {portLevelSettings: [{port: {number: 443}, tls: {mode: SIMPLE, sni: site.example.com}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: site, namespace: out}
spec:
  hosts: [site.example.com]
  gateways: [mesh, site]
  http:
  - match: [{gateways: [mesh], port: 80}]
    route: [{destination: {host: egress.out.svc.cluster.local, subset: site, port: {number: 443}}}]
  - match: [{gateways: [site], port: 443}]
    route: [{destination: {host: site.example.com, subset: tls, port: {number: 443}}}]
`;

function errors(manifests: string): string[] {
  return check(loadText(manifests))
    .findings.filter(({ severity }) => severity === 'error')
    .map(({ id, object, field }) => `${id} ${object?.kind} ${object?.name} ${field}`);
}

describe('a broken request is blamed on', () => {
  it('nothing as long as it arrives', () => {
    expect(errors(MESH)).toEqual([]);
  });

  it.each([
    [
      'the route that names a port which its host lacks',
      'subset: tls, port: {number: 443}',
      'port: {number: 8443}',
      'EDGE211 VirtualService site spec.http[1].route[0].destination.port.number',
    ],
    [
      'the route that names a subset which no rule has',
      'subset: tls,',
      'subset: tsl,',
      'EDGE213 VirtualService site spec.http[1].route[0].destination.subset',
    ],
    [
      'the route that leads plain HTTP to a TLS port, past the subset with TLS',
      'subset: tls, port',
      'port',
      'EDGE302 VirtualService site spec.http[1].route[0].destination',
    ],
    [
      'the match that misses the port of the server',
      'gateways: [site], port: 443',
      'gateways: [site], port: 8443',
      'EDGE207 VirtualService site spec.http[1].match[0].port',
    ],
    [
      "the sender's rule if its SNI is none of the server's",
      'mode: ISTIO_MUTUAL, sni: site.example.com',
      'mode: ISTIO_MUTUAL, sni: other.example.com',
      'EDGE303 DestinationRule hop spec.subsets[0].trafficPolicy.portLevelSettings[0].tls',
    ],
    [
      "the sender's rule if its TLS mode is not the server's",
      'mode: ISTIO_MUTUAL, sni: site.example.com',
      'mode: SIMPLE, sni: site.example.com',
      'EDGE305 DestinationRule hop spec.subsets[0].trafficPolicy.portLevelSettings[0].tls',
    ],
    [
      'the rule with the subset if the client does not see it',
      'host: egress.out.svc.cluster.local\n  subsets',
      'host: egress.out.svc.cluster.local\n  exportTo: [.]\n  subsets',
      'EDGE213 DestinationRule hop spec.exportTo',
    ],
    [
      'the rule of a kind that the server has no use for',
      '  - match: [{gateways: [site], port: 443}]',
      '  tcp:\n  - match: [{gateways: [site], port: 443}]',
      'EDGE220 VirtualService site spec.tcp[0].match[0]',
    ],
    [
      'the rule of a kind that a server which passes TLS through has no use for',
      'tls: {mode: ISTIO_MUTUAL}',
      'tls: {mode: PASSTHROUGH}',
      'EDGE220 VirtualService site spec.http[1].match[0]',
    ],
    [
      'the Gateway that selects other pods than those to which its requests are sent',
      'selector: {istio: egress}\n  servers',
      'selector: {edge: out}\n  servers',
      'EDGE601 Gateway site spec.selector',
    ],
  ])('%s', (_, was, is, expected) => {
    expect(MESH).toContain(was);
    expect(errors(MESH.replace(was, is))).toEqual([expected]);
  });
});

const MESH_ROUTE = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: mail, namespace: app}
spec:
  hosts: [mail.example.com]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}]
---
apiVersion: v1
kind: Service
metadata: {name: relay, namespace: app}
spec: {selector: {app: relay}, ports: [{name: http, port: 8025}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: mail, namespace: app}
spec:
  parentRefs: [{group: networking.istio.io, kind: ServiceEntry, name: mail}]
  rules:
  - backendRefs: [{name: relay, port: 8025}, {name: relay, port: 25}]
`;

describe('a backend of a mesh route that is not there', () => {
  it('is blamed on the route, and not on the entry that is its parent', () => {
    expect(errors(`${MESH}---${MESH_ROUTE}`).filter((error) => error.includes('mail'))).toEqual([
      'EDGE804 HTTPRoute mail spec.rules[0].backendRefs[1].port',
    ]);
  });
});

const INGRESS = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec:
  selector: {istio: ingress}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {selector: {app: shop}, ports: [{name: http, port: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: app}
spec:
  hosts: [shop.example.com]
  gateways: [front]
  http: [{route: [{destination: {host: shop, port: {number: 80}}}]}]
`;

describe('a port that an application has not, and its gateway has', () => {
  it('is blamed on the route that names it', () => {
    expect(errors(INGRESS)).toEqual(['EDGE211 VirtualService shop spec.http[0].route[0].destination.port.number']);
  });
});

const NARROW = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: app}
spec: {egress: [{port: {number: 80, protocol: HTTP, name: http}, hosts: [./*, out/site.example.com]}]}
`;

describe('a gateway that is not imported', () => {
  it('is blamed on the Sidecar', () => {
    expect(errors(`${MESH}---${NARROW}`).filter((error) => error.startsWith('EDGE211'))).toEqual([
      'EDGE211 Sidecar default spec.egress',
    ]);
  });
});

describe('settings of a port without the TLS around them', () => {
  it('are at fault, and certainly, where a request shows it', () => {
    const dropped = MESH.replace(
      'trafficPolicy: {portLevelSettings: [{port: {number: 443}, tls: {mode: SIMPLE, sni: site.example.com}}]}',
      'trafficPolicy: {tls: {mode: SIMPLE, sni: site.example.com}, portLevelSettings: [{port: {number: 443}, connectionPool: {tcp: {maxConnections: 9}}}]}',
    );
    expect(errors(dropped).map((error) => error.split(' ').slice(0, 3))).toEqual([
      ['EDGE306', 'DestinationRule', 'originate'],
    ]);
  });
});

const SIDECAR = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: app}
spec: {egress: [{hosts: ["./*", istio-system/*, out/egress.out.svc.cluster.local, app/site.example.com]}]}
`;

describe('a request that goes past the gateway', () => {
  it('is told with the Sidecar that imports the host from the wrong namespace', () => {
    const found = check(loadText(`${MESH}---${SIDECAR}`)).findings.filter(({ severity }) => severity === 'error');
    expect(found.map(({ id, object }) => `${id} ${object?.kind}`)).toEqual(['EDGE406 Sidecar']);
  });
});

describe('a route to what is not there', () => {
  const to = (destination: string): string =>
    [
      '{apiVersion: v1, kind: Namespace, metadata: {name: app, labels: {istio-injection: enabled}}}',
      '{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: api, namespace: app}, spec: {hosts: [api.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}}',
      `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: api, namespace: app}, spec: {hosts: [api.example.com], http: [{route: [{destination: ${destination}}]}]}}`,
    ].join('\n---\n');
  const fields = (text: string): readonly (string | null)[] =>
    check(loadText(text))
      .findings.filter(({ id }) => id === 'EDGE211')
      .map(({ field }) => field);

  it('is mended at its host where nothing has that name, and at its port where the name has others', () => {
    expect(fields(to('{host: gone.example.org, port: {number: 80}}'))).toEqual([
      'spec.http[0].route[0].destination.host',
    ]);
    expect(fields(to('{host: api.example.com, port: {number: 81}}'))).toEqual(['spec.http[0].route[0].destination.port.number']); // prettier-ignore
  });
});
