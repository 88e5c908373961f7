import { acceptedMesh } from '../../src/check/accepted';
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { trace, type Trace } from '../../src/trace';

const WORLD = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}`;
const object = (kind: string, name: string, spec: string, more = ''): string => `
---
apiVersion: networking.istio.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: app${more}}
spec: {${spec}}`;
const BROKEN =
  'hosts: [rr.example.com], resolution: DNS_ROUND_ROBIN, ports: [{number: 443, name: tls, protocol: TLS}], endpoints: [{address: a.example.com}, {address: b.example.com}]';
const ask = (yaml: string, request: string): Trace =>
  trace(acceptedMesh(loadText(yaml).manifests, { outbound: 'REGISTRY_ONLY' }), { from: 'app/sleep', request });

describe('what istiod refuses', () => {
  it('is not followed, and a trace that it speaks of says so', () => {
    const yaml = WORLD + object('ServiceEntry', 'rr', BROKEN);
    const told = ask(yaml, 'https://rr.example.com/');
    expect([told.outcome, told.refusal?.code, told.refusal?.by?.name]).toEqual(['refused', 'BlackHoleCluster', 'rr']);
    expect(told.notes?.join()).toContain('ServiceEntry app/rr is not followed: an API server refuses it');
    expect(ask(yaml, 'https://other.example.com/').notes?.join()).not.toContain('is not followed');
  });

  it('is followed where an API server has it already', () => {
    const told = ask(WORLD + object('ServiceEntry', 'rr', BROKEN, ', uid: 0b5c'), 'https://rr.example.com/');
    expect(told.outcome).toBe('delivered');
  });

  it('is left out whatever its kind, and by diff', () => {
    const entry = object('ServiceEntry', 'web', 'hosts: [web.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]'); // prettier-ignore
    const answers = (more: string): string =>
      object('VirtualService', 'web', `hosts: [web.example.com], http: [{redirect: {uri: /gone}${more}}]`);
    expect(ask(WORLD + entry + answers(''), 'http://web.example.com/').outcome).not.toBe('delivered');
    const both = ', route: [{destination: {host: web.example.com}}]';
    const refused = ask(WORLD + entry + answers(both), 'http://web.example.com/');
    expect(refused.outcome).toBe('delivered');
    expect(refused.notes?.join()).toContain("VirtualService app/web is not followed: istiod's webhook refuses it");
    const added = diff(loadText(WORLD + entry).manifests, loadText(WORLD + entry + object('ServiceEntry', 'rr', BROKEN)).manifests, { mesh: { outbound: 'REGISTRY_ONLY' } }); // prettier-ignore
    expect(added.changes).toEqual([]);
    expect(added.notes.join()).toContain('ServiceEntry app/rr is left out');
  });
});

describe('what an API server refuses', () => {
  const ENTRY = 'hosts: [x.example.com], resolution: STATIC, ports: [{number: 443, name: tls, protocol: TLS}]';
  const told = (spec: string, more = ''): Trace => ask(WORLD + object('ServiceEntry', 'x', spec, more), 'https://x.example.com/'); // prettier-ignore
  const LABELLED = `${ENTRY}, endpoints: [{address: 203.0.113.4, labels: {team: no}}]`;

  it('is not followed, and the refusal of a request names it', () => {
    const trace = told(LABELLED);
    expect([trace.outcome, trace.refusal?.code, trace.refusal?.by?.name]).toEqual(['refused', 'BlackHoleCluster', 'x']);
    expect(trace.refusal?.what).toContain('ServiceEntry app/x, which declares it, is refused by the API server');
    expect(trace.notes).toContain('ServiceEntry app/x is not followed: an API server refuses it, since no is a boolean, where a string belongs'); // prettier-ignore
    expect(told(LABELLED.replace('no', "'no'")).outcome).toBe('delivered');
  });

  it('is told of every host where its own would have counted for nothing', () => {
    const entry = object('ServiceEntry', 'x', 'hosts: [x.example.com], resolution: NONE, ports: [{number: "443", name: tcp, protocol: TCP}]'); // prettier-ignore
    expect(ask(WORLD + entry, 'https://other.example.com/').notes?.join()).toContain(
      'ServiceEntry app/x is not followed',
    );
  });

  it.each([
    ['breaks a rule of its CRD', 'hosts: [x.example.com], resolution: NONE, ports: [{number: 443, name: tls, protocol: TLS}], endpoints: [{address: 203.0.113.4}]'], // prettier-ignore
    ['lacks a field', 'hosts: [x.example.com], resolution: STATIC, ports: [{number: 443, protocol: TLS}], endpoints: [{address: 203.0.113.4}]'], // prettier-ignore
    ['has a value that its schema does not list', `${ENTRY}, location: OUTSIDE, endpoints: [{address: 203.0.113.4}]`],
  ])('is not followed where it %s', (_, spec) => {
    expect([told(spec).outcome, told(spec).refusal?.by?.name]).toEqual(['refused', 'x']);
  });

  it('is followed where an API server has it already, or something fills in the value later', () => {
    expect(told(LABELLED, ', uid: 0b5c').outcome).toBe('delivered');
    const port = (number: string): string => ENTRY.replace('443', number);
    expect(told(`${port("'443'")}, endpoints: [{address: 203.0.113.4}]`).outcome).toBe('refused');
    const open = object('VirtualService', 'v', 'hosts: [x.example.com], http: [{route: [{destination: {host: x.example.com, port: {number: "${PORT}"}}}]}]'); // prettier-ignore
    expect(ask(WORLD + open, 'http://x.example.com/').notes?.join()).not.toContain('is not followed');
  });

  it('is followed without a field that nobody knows, and a trace says so', () => {
    const trace = told(`${ENTRY}, exportto: [nobody], endpoints: [{address: 203.0.113.4}]`);
    expect(trace.outcome).toBe('delivered');
    expect(trace.notes?.join()).toContain(
      'spec.exportto of ServiceEntry app/x is not followed: an API server drops it',
    );
  });

  it('is a policy that does not hold, and a Service that is not there', () => {
    const client = `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: sleep, namespace: app}
spec: {selector: {matchLabels: {app: sleep}}, template: {metadata: {labels: {app: sleep}}, spec: {containers: [{name: sleep, image: sleep}]}}}`;
    const policy = (selector: string): string => `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: app}
spec: {podSelector: {matchLabels: {app: ${selector}}}, policyTypes: [Egress]}`;
    const entry = object('ServiceEntry', 'x', `${ENTRY}, endpoints: [{address: 203.0.113.4}]`);
    expect(ask(WORLD + client + entry + policy('sleep'), 'https://x.example.com/').outcome).toBe('refused');
    const open = ask(WORLD + client + entry + policy('{in: [sleep]}'), 'https://x.example.com/');
    expect(open.outcome).toBe('delivered');
    expect(open.notes?.join()).toContain('NetworkPolicy app/closed is not followed: an API server refuses it');
    const service = `
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: app}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: "80"}]}`;
    expect(ask(WORLD + client + service, 'http://web/').refusal?.code).toBe('BlackHoleCluster');
    expect(ask(WORLD + client + service, 'http://web/').notes?.join()).toContain('Service app/web is not followed');
  });

  it('is a workload that is followed as it is written, which a trace of it says', () => {
    const yaml = `${WORLD}${object('ServiceEntry', 'x', `${ENTRY}, endpoints: [{address: 203.0.113.4}]`)}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: sleep, namespace: app}
spec: {selector: {matchLabels: {app: sleep}}, template: {metadata: {labels: {app: sleep, version: 1}}, spec: {containers: [{name: sleep, image: sleep}]}}}`;
    const trace = ask(yaml, 'https://x.example.com/');
    expect(trace.outcome).toBe('delivered');
    expect(trace.notes?.join()).toContain(
      'Deployment app/sleep is followed as it is written, and an API server refuses it',
    );
  });

  it('is nothing to diff, which says so', () => {
    const entry = object('ServiceEntry', 'x', LABELLED);
    const { changes, notes } = diff(loadText(WORLD).manifests, loadText(WORLD + entry).manifests, { mesh: { outbound: 'REGISTRY_ONLY' } }); // prettier-ignore
    expect(changes).toEqual([]);
    expect(notes.join()).toContain('ServiceEntry app/x is left out where an API server refuses it');
  });
});
