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
    expect(told.notes?.join()).toContain("ServiceEntry app/rr is not followed: istiod's webhook refuses it");
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
    expect(ask(WORLD + entry + answers(both), 'http://web.example.com/').outcome).toBe('delivered');
    const added = diff(loadText(WORLD + entry).manifests, loadText(WORLD + entry + object('ServiceEntry', 'rr', BROKEN)).manifests, { mesh: { outbound: 'REGISTRY_ONLY' } }); // prettier-ignore
    expect(added.changes).toEqual([]);
    expect(added.notes.join()).toContain('ServiceEntry app/rr is left out');
  });
});
