/** Machines of a WorkloadGroup: each makes a WorkloadEntry when it joins, so that manifests alone do not tell whether there are any. */
import { check } from '../../src/check/check';
import { loadObjects } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace';

const namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'vm', labels: { 'istio-injection': 'enabled' } },
};
const client = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'client', namespace: 'vm' },
  spec: {
    selector: { matchLabels: { app: 'client' } },
    template: { metadata: { labels: { app: 'client' } }, spec: { containers: [{ name: 'a', image: 'a' }] } },
  },
};
const entry = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'ServiceEntry',
  metadata: { name: 'machines', namespace: 'vm' },
  spec: {
    hosts: ['machines.example.com'],
    location: 'MESH_INTERNAL',
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    resolution: 'STATIC',
    workloadSelector: { labels: { app: 'machine' } },
  },
};
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'machines', namespace: 'vm' },
  spec: { selector: { app: 'machine' }, ports: [{ name: 'http', port: 80 }] },
};
const group = (app: string) => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'WorkloadGroup',
  metadata: { name: 'machines', namespace: 'vm' },
  spec: { metadata: { labels: { app } }, template: { serviceAccount: 'vm' } },
});

it.each([
  ['ServiceEntry', entry, 'http://machines.example.com/'],
  ['Service', service, 'http://machines.vm.svc.cluster.local/'],
])('that a %s would select are unknown, and no fault', (_, target, request) => {
  const told = (...more: object[]) => {
    const loaded = loadObjects([namespace, client, target, ...more]);
    const { outcome } = trace(buildMesh(loaded.manifests, {}), { from: 'vm/client', request });
    return [outcome, check(loaded).findings.filter(({ severity }) => severity === 'error').length];
  };
  expect(told(group('other'))[0]).toBe('refused');
  expect(told(group('machine'))).not.toEqual(told(group('other')));
  expect(told(group('machine'))[1]).toBe(0);
  expect(told(group('machine'))[0]).not.toBe('refused');
});
