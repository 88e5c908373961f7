import { NOTE_KINDS, whyUnknown, wordsOfNote } from '../../src/trace';
import type { NoteKind, Trace } from '../../src/trace';
import { traceIn } from './text';

const NAMESPACE = `
apiVersion: v1
kind: Namespace
metadata: { name: app, labels: { istio-injection: enabled } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: sleep, namespace: app }
spec: { template: { metadata: { labels: { app: sleep } }, spec: { containers: [{ name: c, image: i }] } } }
`;

function object(kind: string, name: string, spec: string, group = 'networking.istio.io/v1'): string {
  return `\n---\napiVersion: ${group}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: app }\nspec: ${spec}\n`;
}

function entry(name: string, more: string, port = '{ number: 80, name: p, protocol: HTTP }'): string {
  return object('ServiceEntry', name, `{ hosts: [${name}.example.com], ports: [${port}], ${more} }`);
}

const DNS = entry('api', 'resolution: DNS');
const AMBIENT = '\n---\n{ apiVersion: v1, kind: Namespace, metadata: { name: calm, labels: { istio.io/dataplane-mode: ambient } } }\n'; // prettier-ignore
const TO_API = 'destination: { host: api.example.com }';
const HTTP = 'http://api.example.com/';
const DENIES_EGRESS = object('NetworkPolicy', 'closed', '{ podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ ipBlock: { cidr: 203.0.113.0/24 } }] }] }', 'networking.k8s.io/v1'); // prettier-ignore
const route = (rule: string): string =>
  object('VirtualService', 'api', `{ hosts: [api.example.com], http: [${rule}] }`);

/** Each kind by the smallest mesh and request that shows it: what is in the mesh, who asks for what, and what the note is. */
const SHOWN: readonly (readonly [
  NoteKind,
  string,
  { from?: string; request?: string; at?: string; method?: string },
  object,
])[] = [
  ['namespace-injects-sidecars', DNS, { from: 'other' }, { is: 'assumption', namespace: 'other' }],
  ['client-workload', DNS, { from: 'app/wake' }, { is: 'assumption', namespace: 'app', name: 'wake', known: ['sleep'], labels: { app: 'wake' }, serviceAccount: 'wake' }], // prettier-ignore
  ['gateway-pods', object('Gateway', 'edge', '{ selector: { istio: edge }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }] }'), { from: 'outside', at: 'app/edge' }, { is: 'assumption', gateway: 'app/edge', namespace: 'istio-system', labels: { istio: 'edge' }, ports: [80] }], // prettier-ignore
  ['no-service-port', `${object('Service', 'edge', '{ selector: { istio: edge }, ports: [{ name: http, port: 80, targetPort: 8080 }] }', 'v1')}${object('Pod', 'edge', '{ containers: [{ name: istio-proxy, image: auto }] }', 'v1').replace('name: edge', 'name: edge, annotations: { inject.istio.io/templates: gateway }, labels: { istio: edge, sidecar.istio.io/inject: "true" }')}${object('Gateway', 'edge', '{ selector: { istio: edge }, servers: [{ port: { number: 7777, name: http, protocol: HTTP }, hosts: ["*"] }] }')}`, { from: 'outside', at: 'app/edge', request: 'http://api.example.com:7777/' }, { is: 'remark', namespace: 'app', workload: 'edge', port: 7777, ports: [80] }], // prettier-ignore
  ['method-of-http2', DNS, { method: 'M-SEARCH' }, { is: 'remark', method: 'M-SEARCH', proxy: { kind: 'sidecar', namespace: 'app', workload: 'sleep' } }], // prettier-ignore
  ['virtual-machines', DNS + object('Pod', 'machine', '{ containers: [{ name: c, image: i }] }', 'v1').replace('name: machine', 'name: machine, annotations: { traffic.sidecar.istio.io/kubevirtInterfaces: "k6t-eth0, net1" }'), { from: 'app/machine' }, { is: 'remark', namespace: 'app', workload: 'machine', interfaces: ['k6t-eth0', 'net1'], annotation: 'traffic.sidecar.istio.io/kubevirtInterfaces' }], // prettier-ignore
  ['client-has-address', DNS + DENIES_EGRESS.replace('to: [{ ipBlock: { cidr: 203.0.113.0/24 } }]', 'ports: [{ port: 80 }]'), {}, { is: 'assumption', host: 'api.example.com', policies: ['app/closed'] }], // prettier-ignore
  ['proxy-has-address', entry('api', 'resolution: DNS, endpoints: [{ address: real.example.net }]') + DENIES_EGRESS.replace('to: [{ ipBlock: { cidr: 203.0.113.0/24 } }]', 'ports: [{ port: 80 }]'), {}, { is: 'assumption', host: 'real.example.net', policies: ['app/closed'], proxy: { kind: 'sidecar', namespace: 'app', workload: 'sleep' } }], // prettier-ignore
  ['address-of-entry', entry('db', 'addresses: [203.0.113.0/24]', '{ number: 5432, name: p, protocol: TCP }'), { request: 'tcp://db.example.com:5432' }, { is: 'assumption', host: 'db.example.com', address: '203.0.113.0/24' }], // prettier-ignore
  ['network-policy-by-address', DNS + DENIES_EGRESS.replace('203.0.113.0/24', '198.51.100.0/24'), {}, { is: 'gap', policies: ['app/closed'], blocks: ['198.51.100.0/24'] }], // prettier-ignore
  ['waypoint-ignored', AMBIENT + DNS.replace('{ name: api, namespace: app }', '{ name: api, namespace: app, labels: { istio.io/use-waypoint: way } }'), { from: 'calm' }, { is: 'remark', by: { kind: 'ServiceEntry', namespace: 'app', name: 'api' }, waypoint: 'app/way', problem: { is: 'missing', waypoint: { namespace: 'app', name: 'way' }, elsewhere: [] }, detail: 'there is no waypoint app/way', cure: 'create the Gateway app/way of class istio-waypoint, or correct the label' }], // prettier-ignore
  ['copied', DNS + route(`{ route: [{ ${TO_API} }], mirror: { host: api.example.com }, mirrorPercentage: { value: 20 } }`), {}, { is: 'remark', cluster: 'outbound|80||api.example.com', percent: 20 }], // prettier-ignore
  ['aborts-share', DNS + route(`{ fault: { abort: { httpStatus: 503, percentage: { value: 10 } } }, route: [{ ${TO_API} }] }`), {}, { is: 'remark', rule: { kind: 'VirtualService', namespace: 'app', name: 'api', rule: 'http[0]' }, percent: 10 }], // prettier-ignore
  ['weighted', DNS + entry('new', 'resolution: DNS') + route(`{ route: [{ ${TO_API}, weight: 90 }, { destination: { host: new.example.com }, weight: 10 }] }`), {}, { is: 'remark', weight: 90, total: 100, others: ['outbound|80||new.example.com'] }], // prettier-ignore
  ['extension', DNS + object('EnvoyFilter', 'lua', '{ configPatches: [{ applyTo: HTTP_FILTER, match: { context: SIDECAR_OUTBOUND }, patch: { operation: INSERT_FIRST, value: { name: lua } } }] }', 'networking.istio.io/v1alpha3'), {}, { is: 'gap', extension: { kind: 'EnvoyFilter', namespace: 'app', name: 'lua' }, field: 'spec.configPatches[0]', proxy: { kind: 'sidecar', namespace: 'app', workload: 'sleep' }, without: { outcome: 'delivered', code: null } }], // prettier-ignore
];

function asked(
  yaml: string,
  { from = 'app/sleep', request = HTTP, at, method }: { from?: string; request?: string; at?: string; method?: string },
): Trace {
  // prettier-ignore
  return traceIn(NAMESPACE + yaml)(request, { from, ...(at === undefined ? {} : { at }), ...(method === undefined ? {} : { method }) });
}

describe('a note of a trace', () => {
  it.each(SHOWN)('is %s, with fields', (kind, yaml, ask, fields) => {
    const told = asked(yaml, ask);
    expect(told.noted).toContainEqual({ kind, ...fields });
    expect(JSON.parse(JSON.stringify(told.noted))).toEqual(told.noted);
  });

  it('has the sentence beside it as its words, each once', () => {
    for (const [, yaml, ask] of SHOWN) {
      const { notes, noted } = asked(yaml, ask);
      expect(noted.map(wordsOfNote)).toEqual(notes);
      expect(new Set(notes).size).toBe(notes.length);
    }
  });

  it('is one of a closed set', () => {
    expect(new Set(NOTE_KINDS).size).toBe(NOTE_KINDS.length);
    expect(SHOWN.filter(([kind]) => !NOTE_KINDS.includes(kind))).toEqual([]);
  });

  it('is a gap where the outcome is unknown, and only there', () => {
    for (const [, yaml, ask] of SHOWN) {
      const { outcome, noted } = asked(yaml, ask);
      expect(noted.some(({ is }) => is === 'gap')).toBe(outcome === 'unknown');
    }
  });
});

describe('why an outcome is unknown', () => {
  const CAPTURE = object('ProxyConfig', 'dns', '{ environmentVariables: { ISTIO_META_DNS_CAPTURE: "true" } }', 'networking.istio.io/v1beta1'); // prettier-ignore
  const part = (port: number): string =>
    object('ServiceEntry', `pay-${port}`, `{ hosts: [pay.example.net], resolution: DNS, ports: [{ number: ${port}, name: p, protocol: TLS }] }`); // prettier-ignore

  it('is what the outcome hangs on, whatever else was assumed on the way', () => {
    const told = asked(CAPTURE + part(446) + part(448), { from: 'app/wake', request: 'https://pay.example.net:448/' });
    expect(told.outcome).toBe('unknown');
    // What was assumed of the client comes after it.
    expect(told.noted.at(-1)).toMatchObject({ is: 'assumption', kind: 'client-workload' });
    expect(whyUnknown(told)).toContain('the sidecar answers DNS queries for pay.example.net with 2 addresses');
  });
});
