/** What istiod's webhook refuses; `npm run accuracy:trace` holds it to the webhook itself, on random objects. */
import { refusalOf } from '../../src/check/accepted';
import { admit } from '../../src/check/schema/admit';
import { Schemas } from '../../src/check/schema/store';
import { loadObjects } from '../../src/model/load';
import { readMeshConfig } from '../../src/model/mesh-config';

const schemas = new Schemas({ istio: '1.29', gatewayApi: '1.4', envoyGateway: '1.7', kubernetes: '1.34' });

function refusal(kind: string, spec: object): string | undefined {
  const { manifests } = loadObjects([
    { apiVersion: 'networking.istio.io/v1', kind, metadata: { name: 'x', namespace: 'app' }, spec },
  ]);
  return manifests[0] && refusalOf(admit(manifests[0], schemas), readMeshConfig(manifests, { istioVersion: '1.29' }));
}

const destination = { host: 'a.example.com' };
const route = [{ destination }];
const virtualService = (http: object, rest: object = {}) =>
  refusal('VirtualService', { hosts: ['a.example.com'], http: [{ route, ...http }], ...rest });
const rule = (trafficPolicy: object) => refusal('DestinationRule', { host: 'a.example.com', trafficPolicy });

describe("istiod's webhook refuses of a VirtualService", () => {
  it.each<[string, object, RegExp]>([
    ['a header without a name', { match: [{ headers: { '': { exact: 'a' } } }] }, /the name of a header is empty/],
    ['a header whose name is none', { match: [{ withoutHeaders: { 'x y': {} } }] }, /"x y" is no name of a header/],
    ['labels that are none', { match: [{ sourceLabels: { 'a b': 'c' } }] }, /"a b=c" is no label/],
    ['Host taken away', { headers: { request: { remove: ['Host'] } } }, /"Host" cannot be changed/],
    ['a pseudo header set', { headers: { request: { set: { ':path': '/' } } } }, /":path" cannot be changed/],
    ['Host of an answer', { headers: { response: { set: { host: 'a' } } } }, /"host" cannot be changed/],
    ['a lone percent sign', { headers: { request: { set: { x: '50%' } } } }, /percent sign/],
    ['what a destination does to headers', { route: [{ destination, headers: { request: { add: { '': 'a' } } } }] }, /is empty/], // prettier-ignore
    ['a fault that is empty', { fault: {} }, /the fault is empty/],
    ['a percentage', { fault: { delay: { fixedDelay: '5s', percentage: { value: 101 } } } }, /percentage is 101/],
    ['a percentage of a mirror', { mirror: destination, mirrorPercentage: { value: -1 } }, /percentage is -1/],
    ['a mirror without a destination', { mirrors: [{}] }, /a mirror has no destination/],
    ['a status of gRPC', { fault: { abort: { grpcStatus: '14' } } }, /"14" is no status of gRPC/],
    ['an origin', { corsPolicy: { allowOrigins: [{ regex: '(?=a)' }] } }, /no regular expression of RE2/],
    ['a method', { corsPolicy: { allowMethods: ['get'] } }, /"get" is no method/],
    ['an expression of a rewrite', { rewrite: { uriRegexRewrite: { match: '(', rewrite: 'a' } } }, /no regular expr/],
    ['a status that Go has no word for', { retries: { attempts: 1, retryOn: '299' } }, /"299" is no condition/],
    ['a route without a destination', { route: [{ weight: 1 }] }, /a route has no destination/],
    ['a claim away from gateways', { match: [{ headers: { '@request.auth.claims.a': { exact: 'b' } } }] }, /claim/],
  ])('%s', (_, http, what) => expect(virtualService(http)).toMatch(what));

  it('a wildcard of all hosts for the mesh among gateways', () => {
    expect(virtualService({}, { hosts: ['*'], gateways: ['app/gw', 'mesh'] })).toMatch(/the host is \*/);
    expect(virtualService({}, { hosts: ['*'], gateways: ['app/gw'] })).toBeUndefined();
  });
});

describe("istiod's webhook refuses of a DestinationRule", () => {
  it.each<[string, object, RegExp]>([
    ['an empty pool', { connectionPool: {} }, /the connectionPool is empty/],
    ['a pool below nothing', { connectionPool: { tcp: { maxConnections: -1 } } }, /maxConnections is -1/],
    ['more than all', { outlierDetection: { maxEjectionPercent: 101 } }, /maxEjectionPercent is 101/],
    ['failures that are not split', { outlierDetection: { consecutiveLocalOriginFailures: 2 } }, /splitExternal/],
    ['a cookie without a name', { loadBalancer: { consistentHash: { httpCookie: { ttl: '1s' } } } }, /cookie/],
    ['a table that is no prime', { loadBalancer: { consistentHash: { maglev: { tableSize: 4 } } } }, /tableSize is 4/],
    ['shares of places', { loadBalancer: { localityLbSetting: { distribute: [{ from: 'a/*', to: { b: 50 } }] } } }, /add up to 50/], // prettier-ignore
    ['failover to itself', { loadBalancer: { localityLbSetting: { failover: [{ from: 'a', to: 'a' }] } } }, /failover/],
    ['a port of these', { portLevelSettings: [{ port: { number: 80 }, connectionPool: {} }] }, /is empty/],
  ])('%s', (_, policy, what) => expect(rule(policy)).toMatch(what));

  it('labels of a subset', () => {
    expect(refusal('DestinationRule', { host: 'a', subsets: [{ name: 'a', labels: { a: 'b c' } }] })).toMatch(/label/);
  });
});

describe("istiod's webhook takes", () => {
  it.each<[string, string | undefined]>([
    ['what Envoy fills in', virtualService({ headers: { request: { set: { x: '100%% %REQ(a)% %START_TIME%' } } } })],
    ['Host of a request', virtualService({ headers: { request: { set: { host: 'b.example.com' } } } })],
    ['pseudo headers and claims of gateways', virtualService({ match: [{ headers: { ':authority': { exact: 'a' }, '@request.auth.claims[a][b]': { exact: 'c' } } }] }, { gateways: ['app/gw'] })], // prettier-ignore
    ['whole seconds and all origins', virtualService({ corsPolicy: { allowOrigins: [{ regex: '.*' }], allowHeaders: ['*'], maxAge: '24h' } })], // prettier-ignore
    ['a prime', rule({ loadBalancer: { consistentHash: { maglev: { tableSize: 65537 } } } })],
    ['a namespace in capitals', virtualService({}, { exportTo: ['App'] })],
    ['labels with a prefix', refusal('DestinationRule', { host: 'a', subsets: [{ name: 'a', labels: { 'app.kubernetes.io/name': 'a' } }] })], // prettier-ignore
  ])('%s', (_, refused) => expect(refused).toBeUndefined());
});

describe("istiod's webhook refuses of a ServiceEntry", () => {
  const entry = (resolution: string, endpoint: object, ports = [{ number: 80, name: 'http', protocol: 'HTTP' }]) =>
    refusal('ServiceEntry', { hosts: ['a.example.com'], ports, resolution, endpoints: [endpoint] });

  it('sockets where names are resolved, and beside several ports; paths that are not whole; no address', () => {
    const two = [
      { number: 80, name: 'http', protocol: 'HTTP' },
      { number: 81, name: 'more', protocol: 'HTTP' },
    ];
    expect(entry('DNS', { address: 'unix:///x' })).toMatch(/is no IP address and no DNS name/);
    expect(entry('DNS', { address: '' })).toMatch(/is no IP address and no DNS name/);
    expect(entry('STATIC', { address: 'unix:///x' }, two)).toMatch(/2 ports/);
    expect(entry('STATIC', { address: 'unix://x' })).toMatch(/no absolute path/);
    expect(entry('STATIC', { address: 'unix:///x' })).toBeUndefined();
    expect(entry('STATIC', { address: '10.0.0.1', labels: { 'a b': 'c' } })).toMatch(/is no label/);
  });
});
