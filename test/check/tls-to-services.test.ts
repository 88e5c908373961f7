import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';

const workload = (name: string, annotation = ''): string =>
  `{apiVersion: apps/v1, kind: Deployment, metadata: {name: ${name}, namespace: shop}, spec: {selector: {matchLabels: {app: ${name}}}, template: {metadata: {labels: {app: ${name}${annotation}}}, spec: {containers: [{name: c, image: i}]}}}}`;
const mesh = (mode: string, { db = workload('db'), strict = 'STRICT', policy = `tls: {mode: ${mode}}` } = {}): string =>
  [
    '{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}',
    workload('web'),
    db,
    '{apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop}, spec: {selector: {app: db}, ports: [{port: 80, name: http}, {port: 5432, name: tcp-db}]}}',
    `{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: default, namespace: istio-system}, spec: {mtls: {mode: ${strict}}}}`,
    `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: db, namespace: shop}, spec: {host: db, trafficPolicy: {${policy}}}}`,
  ].join('\n---\n');
const found = (text: string): readonly string[] =>
  check(loadText(text))
    .findings.filter(({ id }) => id === 'EDGE305')
    .map(({ object, field, what }) => `${object?.kind} ${field}: ${what}`);

describe('TLS that a DestinationRule says for a Service of the mesh', () => {
  it('is told where the server takes mutual TLS alone, on each port that it is said for', () => {
    expect(found(mesh('DISABLE'))).toEqual([
      expect.stringContaining('DestinationRule spec.trafficPolicy.tls: http://db.shop.svc.cluster.local:80/ from shop/web is refused'), // prettier-ignore
      expect.stringContaining('tcp://db.shop.svc.cluster.local:5432 from shop/web is refused'),
    ]);
    expect(found(mesh('SIMPLE'))).not.toEqual([]);
    expect(found(mesh('', { policy: 'portLevelSettings: [{port: {number: 80}, tls: {mode: DISABLE}}]' }))).toHaveLength(1); // prettier-ignore
  });

  it('is told where the server has no sidecar to take it', () => {
    const db = workload('db', ', sidecar.istio.io/inject: "false"');
    expect(found(mesh('ISTIO_MUTUAL', { db }))[0]).toContain("shop/db has no sidecar and gets Istio's mutual TLS");
  });

  it('is told of a rule for all hosts, with advice that leaves mutual TLS to the others', () => {
    const db = workload('db', ', sidecar.istio.io/inject: "false"');
    const text = mesh('ISTIO_MUTUAL', { db }).replace('{host: db, ', "{host: '*.local', ");
    const [first] = check(loadText(text)).findings.filter(({ id }) => id === 'EDGE305');
    expect(first?.field).toBe('spec.trafficPolicy.tls.mode');
    expect(first?.fix).toMatch(/take tls out of the DestinationRule/);
    expect(found(mesh('ISTIO_MUTUAL').replace('{host: db, ', "{host: '*.local', "))).toEqual([]);
  });

  it('is told of each of two rules for one Service, which other namespaces see', () => {
    const two = (mode: string): string =>
      `${mesh('ISTIO_MUTUAL', { policy: 'tls: {mode: ISTIO_MUTUAL}' }).replace('{host: db,', '{exportTo: [istio-system], host: db,')}
---
{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: own, namespace: shop}, spec: {exportTo: [shop], host: db, trafficPolicy: {tls: {mode: ${mode}}}}}`;
    expect(found(two('DISABLE'))).toHaveLength(2);
    expect(found(two('ISTIO_MUTUAL'))).toEqual([]);
  });

  it('is right where both sides speak alike', () => {
    expect(found(mesh('ISTIO_MUTUAL'))).toEqual([]);
    expect(found(mesh('DISABLE', { strict: 'PERMISSIVE' }))).toEqual([]);
    expect(found(mesh('DISABLE', { db: workload('db', ', sidecar.istio.io/inject: "false"') }))).toEqual([]);
  });
});
