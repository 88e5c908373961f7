import { REASON_KINDS, wordsOf } from '../../src/trace';
import type { ReasonKind } from '../../src/trace';
import { traceIn } from './text';

const NAMESPACE = `
apiVersion: v1
kind: Namespace
metadata: { name: app, labels: { istio-injection: enabled } }
`;

function entry(host: string, port: number, protocol: string, more = 'resolution: DNS'): string {
  return `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${host.split('.')[0] ?? ''}, namespace: app }
spec: { hosts: [${host}], location: MESH_EXTERNAL, ${more}, ports: [{ number: ${port}, name: p, protocol: ${protocol} }] }
`;
}

function route(host: string, rule: string): string {
  return `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${host.split('.')[0] ?? ''}, namespace: app }
spec: { hosts: [${host}], http: [${rule}] }
`;
}

const originate = `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: originate, namespace: app }
spec: { host: api.example.com, trafficPolicy: { tls: { mode: SIMPLE } } }
`;

const TO = (rest: string): string => `{ route: [{ destination: { ${rest} } }] }`;

/** Each kind by the smallest mesh and request that shows it. */
const SHOWN: readonly (readonly [ReasonKind, string, string])[] = [
  ['host-blocked', '', 'http://unknown.example.com/'],
  ['no-cluster', entry('api.example.com', 80, 'HTTP') + route('api.example.com', TO('host: none.example.com')), 'http://api.example.com/'], // prettier-ignore
  ['no-endpoints', entry('api.example.com', 80, 'HTTP', 'resolution: STATIC'), 'http://api.example.com/'],
  ['no-rule-matches', entry('api.example.com', 80, 'HTTP') + route('api.example.com', '{ match: [{ uri: { exact: /x } }], route: [{ destination: { host: api.example.com } }] }'), 'http://api.example.com/y'], // prettier-ignore
  ['redirect', entry('api.example.com', 80, 'HTTP') + route('api.example.com', '{ redirect: { uri: /new } }'), 'http://api.example.com/'], // prettier-ignore
  ['direct-response', entry('api.example.com', 80, 'HTTP') + route('api.example.com', '{ directResponse: { status: 404 } }'), 'http://api.example.com/'], // prettier-ignore
  ['fault', entry('api.example.com', 80, 'HTTP') + route('api.example.com', '{ fault: { abort: { httpStatus: 503, percentage: { value: 100 } } }, route: [{ destination: { host: api.example.com } }] }'), 'http://api.example.com/'], // prettier-ignore
  ['tls-inside-tls', entry('api.example.com', 443, 'TLS') + originate, 'https://api.example.com/'],
  ['originated-to-http-port', entry('api.example.com', 80, 'HTTP') + originate, 'http://api.example.com/'],
  ['http-to-tls-port', entry('web.example.com', 80, 'HTTP') + entry('api.example.com', 443, 'HTTPS') + route('web.example.com', TO('host: api.example.com, port: { number: 443 }')), 'http://web.example.com/'], // prettier-ignore
];

describe('the reason of a refusal or an answer', () => {
  it.each(SHOWN)('is %s, with fields, and its words are made from it', (kind, yaml, request) => {
    const told = traceIn(NAMESPACE + yaml)(request);
    const end = told.refusal ?? told.answer;
    expect(end?.reason.kind).toBe(kind);
    expect(end?.what).toBe(end === undefined ? '' : wordsOf(end.reason).what);
    // As JSON, for programs.
    expect(JSON.parse(JSON.stringify(end?.reason))).toEqual(end?.reason);
  });

  it('is one of a closed set, in which each has words', () => {
    expect(new Set(REASON_KINDS).size).toBe(REASON_KINDS.length);
    expect(SHOWN.filter(([kind]) => !REASON_KINDS.includes(kind))).toEqual([]);
  });
});
