/** One client stands for those whom nothing tells apart: each path that `check` judges by is what a trace of that client says. */
import fc from 'fast-check';
import { CheckContext } from '../../src/check/context';
import { kindOf } from '../../src/check/paths/alike';
import { clients } from '../../src/check/paths/clients';
import { paths } from '../../src/check/paths/paths';
import { loadText } from '../../src/model/load';
import { trace } from '../../src/trace';
import { meshConfigMap, toYaml } from '../trace/oracle/compare';
import { meshes } from '../trace/oracle/meshes';
import { NAMESPACES } from './judged';

const plain = (namespace: string): string => `
---
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: sleep, namespace: ${namespace}, labels: {app: sleep}}
spec: {containers: [{name: sleep, image: curl}]}`;

const own = (namespace: string, kind: string, spec: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ${kind}
metadata: {name: own, namespace: ${namespace}}
spec: ${spec}`;

const entry = (host: string, resolution = 'DNS'): string =>
  `{hosts: [${host}], ports: [{number: 80, name: http, protocol: HTTP}], resolution: ${resolution}}`;

const judged = (yaml: string): CheckContext => new CheckContext(loadText(yaml), { outbound: 'REGISTRY_ONLY' });

function told(context: CheckContext): readonly [string, string, string][] {
  return context.index(paths).flatMap(({ probe, client, share, trace: { outcome, hops } }) => {
    if (share !== undefined) return [];
    const { url: request, at, atGroup, method, headers } = probe;
    const labels = client.isAssumed ? { labels: client.labels } : {};
    const alone = trace(context.mesh, { from: client.from, ...labels, request, ...(at && { at }), ...(atGroup && { atGroup }), ...(method && { method }), ...(headers && { headers }) }); // prettier-ignore
    const text = (one: { outcome: string; hops: typeof hops }): string =>
      `${one.outcome} ${one.hops.map(({ cluster, sends }) => `${cluster} ${sends?.tls}`).join(' > ')}`;
    return [[`${client.from} ${request}`, text({ outcome, hops }), text(alone)] as [string, string, string]];
  });
}

describe('clients that fare alike', () => {
  it('are followed as each would be by itself', () => {
    const many = ['one', 'two', 'three', 'four'].map(plain).join('');
    fc.assert(
      fc.property(meshes(1), (mesh) => {
        const all = told(judged(`${toYaml([...mesh.things, meshConfigMap(mesh)])}${many}`));
        expect(all.map(([asked, found]) => [asked, found])).toEqual(all.map(([asked, , alone]) => [asked, alone]));
      }),
      { numRuns: 12, seed: 5 },
    );
  });

  it('are told apart where objects of their namespace are about the host, or where its requests are led', () => {
    const world = `${NAMESPACES}${['one', 'two', 'three'].map(plain).join('')}${own('one', 'ServiceEntry', entry('api.example.com'))}
${own('two', 'ServiceEntry', entry('www.example.com'))}
${own('three', 'DestinationRule', '{host: api.example.com, trafficPolicy: {tls: {mode: SIMPLE}}}')}
${own('two', 'VirtualService', '{hosts: [www.example.com], http: [{route: [{destination: {host: api.example.com}}]}]}')}`;
    const all = told(judged(world));
    const tls = all.filter(([, found]) => found.endsWith('SIMPLE')).map(([asked]) => asked);
    expect([...new Set(tls)].sort()).toEqual([
      'three/sleep http://api.example.com:80/',
      'three/sleep http://www.example.com:80/',
    ]);
    expect(all.map(([, found]) => found)).toEqual(all.map(([, , alone]) => alone));
  });

  it('are of one kind, whatever hosts their namespaces declare', () => {
    const hosts = ['one', 'two', 'three'].map((name) => own(name, 'ServiceEntry', entry(`${name}.example.com`)));
    const context = judged(`${['one', 'two', 'three'].map(plain).join('')}${hosts.join('')}`);
    expect(new Set(context.index(clients).map((client) => kindOf(context, client))).size).toBe(1);
  });
});
