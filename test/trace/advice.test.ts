/**
 * What `trace` advises where a request is refused, carried out: the request then arrives, and `diff` finds nothing newly allowed but what the
 * advice is for.
 */
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { traceIn } from './text';

const REGISTRY_ONLY = { outbound: 'REGISTRY_ONLY' } as const;

const NAMESPACES = ['app', 'other', 'ext']
  .map(
    (name) => `\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: {istio-injection: enabled}}`,
  )
  .join('');
const object =
  (kind: string) =>
  (name: string, spec: string): string =>
    `\n---\napiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {namespace: ${name.split('/')[0]}, name: ${name.split('/')[1]}}\nspec: {${spec}}`;
const entry = object('ServiceEntry');
const routes = object('VirtualService');
const rule = object('DestinationRule');
const sidecar = object('Sidecar');

const TLS = '{number: 443, name: tls, protocol: TLS}';
const HTTP = '{number: 80, name: http, protocol: HTTP}';
const DB = '{number: 5432, name: db, protocol: TCP}';
const dns = (host: string, ports: string, more = ''): string => `hosts: [${host}], resolution: DNS, ports: [${ports}]${more}`; // prettier-ignore
const route = (host: string, subset: string): string =>
  `hosts: [${host}], http: [{route: [{destination: {host: ${host}, subset: ${subset}}}]}]`;

/** A gateway in `gw`, whose Gateway `out` passes TLS through, and an entry that the gateway alone sees. */
const GATEWAY = `
---
apiVersion: v1
kind: Namespace
metadata: {name: gw}
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
spec: {selector: {istio: egress}, ports: [{name: tls, port: 443, targetPort: 8443}]}${object('Gateway')('gw/out', `selector: {istio: egress}, servers: [{port: ${TLS}, tls: {mode: PASSTHROUGH}, hosts: ['*']}]`)}`;
const HIDDEN = entry('gw/api', dns('api.example.com', TLS, ", exportTo: ['.']"));
const SEEN = entry('gw/api', dns('api.example.com', TLS, ", exportTo: ['.', app]"));
const FROM_MESH = '{match: [{gateways: [mesh], port: 443, sniHosts: [api.example.com]}], route: [{destination: {host: out.gw.svc.cluster.local, port: {number: 443}}}]}'; // prettier-ignore
const fromGateway = (port: number): string =>
  `{match: [{gateways: [gw/out], port: ${port}, sniHosts: [api.example.com]}], route: [{destination: {host: api.example.com, port: {number: 443}}}]}`;
const through = (rules: string, more = ''): string =>
  routes('app/api', `hosts: [api.example.com], gateways: [mesh, gw/out], tls: [${rules}]${more}`);

interface Case {
  /** What the request misses. */
  readonly title: string;
  readonly request: string;
  readonly address?: string;
  readonly is: string;
  readonly fix: RegExp;
  /** The same manifests as the advice would have them. */
  readonly mended: string;
  /** What is newly allowed, each as `from > to`. */
  readonly opens: readonly string[];
}

const ALL = 'every workload';

const CASES: readonly Case[] = [
  {
    title: 'a host that nobody declares',
    request: 'https://api.example.com/',
    is: entry('ext/other', dns('www.example.com', TLS)),
    fix: /^add a ServiceEntry with host api\.example\.com and port 443 TLS, exported to app$/,
    mended: entry('ext/other', dns('www.example.com', TLS)) + entry('app/api', dns('api.example.com', TLS, ", exportTo: ['.']")), // prettier-ignore
    opens: ['app > https://api.example.com/'],
  },
  {
    title: 'a name by TCP that nobody declares',
    request: 'tcp://db.example.com:5432',
    address: '203.0.113.5',
    is: entry('ext/other', dns('www.example.com', TLS)),
    fix: /its addresses and port 5432 TCP, exported to app: without addresses/,
    mended: entry('ext/other', dns('www.example.com', TLS)) + entry('app/db', dns('db.example.com', DB, ", addresses: [203.0.113.5], exportTo: ['.']")), // prettier-ignore
    opens: ['app > tcp://db.example.com:5432 at 203.0.113.5'],
  },
  {
    title: 'an address that nobody declares',
    request: 'tcp://203.0.113.5:5432',
    is: entry('ext/other', dns('www.example.com', TLS)),
    fix: /^add a ServiceEntry with address 203\.0\.113\.5 and port 5432 TCP, exported to app$/,
    mended: entry('ext/other', dns('www.example.com', TLS)) + entry('app/db', `hosts: [db.example.com], resolution: NONE, addresses: [203.0.113.5], ports: [${DB}], exportTo: ['.']`), // prettier-ignore
    opens: ['app > tcp://db.example.com:5432 at 203.0.113.5'],
  },
  {
    title: 'a port that a wildcard lacks',
    request: 'http://api.example.com/',
    is: entry('app/wild', `hosts: ['*.example.com'], resolution: NONE, ports: [${TLS}]`),
    fix: /^add a ServiceEntry with host api\.example\.com and port 80 HTTP, exported to app$/,
    mended: entry('app/wild', `hosts: ['*.example.com'], resolution: NONE, ports: [${TLS}]`) + entry('app/api', dns('api.example.com', HTTP, ", exportTo: ['.']")), // prettier-ignore
    opens: ['app > http://api.example.com/'],
  },
  {
    title: 'a port that an entry with addresses lacks',
    request: 'tcp://203.0.113.5:6000',
    is: entry('app/db', dns('db.example.com', DB, ", addresses: [203.0.113.5], exportTo: ['.']")),
    fix: /^add port 6000 with protocol TCP to ServiceEntry app\/db$/,
    mended: entry('app/db', dns('db.example.com', `${DB}, {number: 6000, name: too, protocol: TCP}`, ", addresses: [203.0.113.5], exportTo: ['.']")), // prettier-ignore
    opens: ['app > tcp://db.example.com:6000 at 203.0.113.5'],
  },
  {
    title: 'a TCP port that an entry without addresses lacks',
    request: 'tcp://api.example.com:6000',
    address: '203.0.113.5',
    is: entry('app/api', dns('api.example.com', TLS, ", exportTo: ['.']")),
    fix: /and the addresses of api\.example\.com: without them it takes what goes to any host on the port$/,
    mended: entry('app/api', dns('api.example.com', `${TLS}, {number: 6000, name: too, protocol: TCP}`, ", addresses: [203.0.113.5], exportTo: ['.']")), // prettier-ignore
    opens: ['app > tcp://api.example.com:6000 at 203.0.113.5'],
  },
  {
    title: 'the namespace of the client in an exportTo, of the entry that has the port',
    request: 'https://api.example.com:8443/',
    is:
      entry('ext/api', dns('api.example.com', TLS, ", exportTo: ['.']")) +
      entry('ext/alt', dns('api.example.com', '{number: 8443, name: alt, protocol: TLS}', ", exportTo: ['.']")),
    fix: /^add "app" to exportTo of ServiceEntry ext\/alt$/,
    mended:
      entry('ext/api', dns('api.example.com', TLS, ", exportTo: ['.']")) +
      entry('ext/alt', dns('api.example.com', '{number: 8443, name: alt, protocol: TLS}', ", exportTo: ['.', app]")),
    opens: ['app > https://api.example.com:8443/'],
  },
  {
    title: 'an entry that is hidden, and has not the port either',
    request: 'tcp://198.51.100.21:5433',
    is: entry('ext/db', `hosts: [db.example.com], resolution: NONE, addresses: [198.51.100.0/24], ports: [${DB}], exportTo: ['.']`), // prettier-ignore
    fix: /^add a ServiceEntry with address 198\.51\.100\.21 and port 5433 TCP, exported to app$/,
    mended:
      entry('ext/db', `hosts: [db.example.com], resolution: NONE, addresses: [198.51.100.0/24], ports: [${DB}], exportTo: ['.']`) + // prettier-ignore
      entry('app/one', "hosts: [one.example.com], resolution: NONE, addresses: [198.51.100.21], ports: [{number: 5433, name: db, protocol: TCP}], exportTo: ['.']"), // prettier-ignore
    opens: ['app > tcp://one.example.com:5433 at 198.51.100.21'],
  },
  {
    title: 'a port of the Sidecar, where another entry of the host has one that it imports',
    request: 'https://api.example.com:8443/',
    is:
      entry('ext/api', dns('api.example.com', TLS)) +
      entry('ext/alt', dns('api.example.com', '{number: 8443, name: alt, protocol: TLS}')) +
      sidecar('app/default', `egress: [{port: ${TLS}, hosts: ['ext/*']}]`),
    fix: /^add port 8443 to the egress listeners of Sidecar app\/default, or leave the port out/,
    mended:
      entry('ext/api', dns('api.example.com', TLS)) +
      entry('ext/alt', dns('api.example.com', '{number: 8443, name: alt, protocol: TLS}')) +
      sidecar('app/default', `egress: [{port: ${TLS}, hosts: ['ext/*']}, {port: {number: 8443, name: alt, protocol: TLS}, hosts: ['ext/*']}]`), // prettier-ignore
    opens: ['app > https://api.example.com:8443/'],
  },
  {
    title: 'TLS with a name, where TCP by address is spoken to a port declared TLS',
    request: 'tcp://api.example.com:443',
    address: '203.0.113.5',
    is: entry('app/api', dns('api.example.com', TLS, ", exportTo: ['.']")),
    fix: /^let clients speak TLS with the name of the host to port 443; or declare it TCP, with the addresses of the host/,
    mended: entry('app/api', dns('api.example.com', '{number: 443, name: tls, protocol: TCP}', ", addresses: [203.0.113.5], exportTo: ['.']")), // prettier-ignore
    opens: ['app > tcp://api.example.com:443 at 203.0.113.5'],
  },
  {
    title: 'the labels of a subset that no endpoint has',
    request: 'http://api.example.com/',
    is:
      entry('app/api', `hosts: [api.example.com], resolution: STATIC, ports: [${HTTP}], endpoints: [{address: 198.51.100.7, labels: {v: one}}]`) + // prettier-ignore
      rule('app/api', 'host: api.example.com, subsets: [{name: two, labels: {v: two}}]') +
      routes('app/api', route('api.example.com', 'two')),
    fix: /^correct the labels of subset "two" in its DestinationRule, or those of the endpoints$/,
    mended:
      entry('app/api', `hosts: [api.example.com], resolution: STATIC, ports: [${HTTP}], endpoints: [{address: 198.51.100.7, labels: {v: one}}]`) + // prettier-ignore
      rule('app/api', 'host: api.example.com, subsets: [{name: two, labels: {v: one}}]') +
      routes('app/api', route('api.example.com', 'two')),
    opens: [`${ALL} > http://api.example.com/`],
  },
  {
    title: 'the entry and the way to the gateway that carries its host',
    request: 'https://api.example.com/',
    is: GATEWAY + HIDDEN + through(fromGateway(443), ", exportTo: ['.', gw]"),
    fix: /^if app is to reach it by the gateway: give VirtualService app\/api a tls rule for mesh and port 443 that leads there, and then add "app" to exportTo of ServiceEntry gw\/api;/,
    mended: GATEWAY + SEEN + through(`${FROM_MESH}, ${fromGateway(443)}`, ", exportTo: ['.', gw]"),
    opens: ['app > https://api.example.com/'],
  },
  {
    title: 'a rule that the gateway sees',
    request: 'https://api.example.com/',
    is: GATEWAY + SEEN + through(`${FROM_MESH}, ${fromGateway(443)}`, ", exportTo: ['.']"),
    fix: /^add "gw" to exportTo of VirtualService app\/api$/,
    mended: GATEWAY + SEEN + through(`${FROM_MESH}, ${fromGateway(443)}`, ", exportTo: ['.', gw]"),
    opens: ['app > https://api.example.com/'],
  },
  {
    title: 'a rule for the port of the server',
    request: 'https://api.example.com/',
    is: GATEWAY + SEEN + through(`${FROM_MESH}, ${fromGateway(8443)}`, ", exportTo: ['.', gw]"),
    fix: /^write port 443, that of the Gateway's server, in the match of tls\[1\] of VirtualService app\/api$/,
    mended: GATEWAY + SEEN + through(`${FROM_MESH}, ${fromGateway(443)}`, ", exportTo: ['.', gw]"),
    opens: ['app > https://api.example.com/'],
  },
  {
    title: 'a server that admits routes of the namespace',
    request: 'https://api.example.com/',
    is: GATEWAY.replace("hosts: ['*']", "hosts: ['./*', other/api.example.com]") + SEEN + through(`${FROM_MESH}, ${fromGateway(443)}`), // prettier-ignore
    fix: /^write app\/api\.example\.com among the hosts of the server of Gateway gw\/out, if app is to have routes there$/,
    mended: GATEWAY.replace("hosts: ['*']", "hosts: ['./*', other/api.example.com, app/api.example.com]") + SEEN + through(`${FROM_MESH}, ${fromGateway(443)}`), // prettier-ignore
    opens: ['app > https://api.example.com/'],
  },
  {
    title: 'TLS, where plain HTTP is spoken to a port of an entry that the client does not see either',
    request: 'http://api.example.com:443/',
    is: HIDDEN,
    fix: /^let clients speak TLS to port 443; or declare a port for plain HTTP, such as 80 with targetPort 443, and originate TLS there$/,
    mended:
      entry('app/api', dns('api.example.com', '{number: 443, name: http, protocol: HTTP}', ", exportTo: ['.']")) +
      rule('app/api', "host: api.example.com, exportTo: ['.'], trafficPolicy: {tls: {mode: SIMPLE}}") +
      HIDDEN,
    opens: ['app > http://api.example.com:443/'],
  },
];

const SERVER = `
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: ext}
spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: ext}
spec:
  selector: {matchLabels: {app: shop}}
  template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: shop, image: shop}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: sleep, namespace: app, labels: {app: sleep}}
spec: {serviceAccountName: sleep, containers: [{name: sleep, image: sleep}]}`;
const policy = (rules: string): string => `${SERVER}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: shop, namespace: ext}
spec: {rules: [${rules}]}`;
const BY_APP = 'from: [{source: {namespaces: [app]}}]';

describe('what trace advises where no rule of a policy allows a request', () => {
  const fixOf = (rules: string, request = 'http://shop.ext/admin', headers = {}): string | undefined =>
    traceIn(NAMESPACES + policy(rules))(request, { headers }).refusal?.fix;

  it.each([
    ['the path that is left out', `{${BY_APP}, to: [{operation: {notPaths: ['/admin*']}}]}`, 'notPaths'],
    ['the host', `{${BY_APP}, to: [{operation: {hosts: ['shop.ext:443'], methods: [GET]}}]}`, 'hosts'],
    ['the header', `{${BY_APP}, when: [{key: 'request.headers[x-team]', notValues: [blue]}]}`, 'when[0] (request.headers[x-team])'], // prettier-ignore
  ])('names %s of the rule that takes the caller', (_, rules, names) => {
    expect(fixOf(rules, undefined, { 'x-team': 'blue' })).toBe(
      `widen ${names} of rules[0] of AuthorizationPolicy ext/shop, if this is to be allowed to everybody whom the rule takes: the caller is among them`,
    );
  });

  it('asks for a token where a rule wants nothing else, and names nobody who may come without one', () => {
    const token = "{from: [{source: {requestPrincipals: ['*']}}], to: [{operation: {paths: [/x*]}}]}";
    const claim = "{when: [{key: 'request.auth.claims[group]', values: [staff]}]}";
    const told = 'send a token that rules[0] of AuthorizationPolicy ext/shop asks for, and that a RequestAuthentication for the proxy takes'; // prettier-ignore
    expect(fixOf(token, 'http://shop.ext/x')).toBe(told);
    expect(fixOf(claim)).toBe(told);
    expect(fixOf(token)).not.toContain('token');
  });

  it('names the caller where no rule takes it', () => {
    const other = `{from: [{source: {namespaces: [other]}}], to: [{operation: {paths: ['/x']}}]}`;
    expect(fixOf(other)).toBe('add a rule that names cluster.local/ns/app/sa/sleep, if that is to be allowed');
    expect(fixOf(`{from: [{source: {notNamespaces: [app]}}]}`)).toContain('add a rule that names');
  });
});

describe('the advice of trace for a request that lacks', () => {
  it.each(CASES.map((one) => [one.title, one] as const))('%s', (_, { request, address, is, fix, mended, opens }) => {
    const more = address === undefined ? {} : { address };
    expect(traceIn(NAMESPACES + is)(request, more).refusal?.fix).toMatch(fix);
    expect(traceIn(NAMESPACES + mended)(request, more).outcome).toBe('delivered');
    const [before, after] = [is, mended].map((yaml) => loadText(NAMESPACES + yaml).manifests);
    const told = diff(before!, after!, { mesh: REGISTRY_ONLY });
    expect(told.undecided).toEqual([]);
    const allowed = told.changes.filter(({ effect }) => effect === 'widened' || effect === 'weakened');
    expect(allowed.map(({ from, to }) => `${from.join(', ')} > ${to}`).sort()).toEqual([...opens].sort());
  });
});
