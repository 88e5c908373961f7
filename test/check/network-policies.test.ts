import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import { ids, judge, NAMESPACES } from './judged';

/** The ids of errors in an injected namespace with one egress policy. */
const errors = (spec: string): readonly string[] => {
  const found = check(
    loadText(`
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: app}
spec: {podSelector: {}, ${spec}}
`),
  );
  return found.findings.filter(({ severity }) => severity === 'error').map(({ id }) => id);
};

describe('an egress policy that names no port 15012', () => {
  const to = (peer: string) =>
    errors(`policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}, {to: [${peer}]}]`);

  it.each([
    ['everybody', '{namespaceSelector: {}}'],
    ['any address', '{ipBlock: {cidr: 10.0.0.0/8}}'],
    ['the namespace of istiod', '{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: istio-system}}}'],
    ['namespaces by a label that manifests do not tell', '{namespaceSelector: {matchLabels: {team: platform}}}'],
    ['istiod itself', '{namespaceSelector: {}, podSelector: {matchLabels: {istio: pilot}}}'],
  ])('and lets out to %s lets out to istiod', (_, peer) => expect(to(peer)).toEqual([]));

  it.each([
    ['another namespace', '{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: istio-egress}}}'],
    ['all namespaces but that of istiod', '{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [istio-system]}]}}'], // prettier-ignore
    ['other Pods of all namespaces', '{namespaceSelector: {}, podSelector: {matchLabels: {app: gateway}}}'],
  ])('and lets out to %s alone keeps sidecars from istiod', (_, peer) => expect(to(peer)).toEqual(['EDGE506']));
});

describe('a policy without policyTypes', () => {
  it('is for traffic that leaves if it has a rule for that', () => {
    expect(errors('egress: [{ports: [{port: 53, protocol: UDP}]}]')).toEqual(['EDGE506']);
    expect(errors('policyTypes: [], egress: [{ports: [{port: 53, protocol: UDP}]}]')).toEqual(['EDGE506']);
    expect(errors('policyTypes: [Ingress], egress: [{ports: [{port: 53, protocol: UDP}]}]')).toEqual([]);
  });
});

describe('a policy for what comes in, by the port of a Service', () => {
  const world = (ports: string, selector = '{ matchLabels: { app: srv } }'): string => `${NAMESPACES}
---
apiVersion: v1
kind: Service
metadata: { name: srv, namespace: app }
spec: { selector: { app: srv }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: in, namespace: app }
spec: { podSelector: ${selector}, ingress: [{ ports: [${ports}] }] }
`;

  it('matches nothing, and names the port of the Pods', () => {
    const [found] = judge(world('{ port: 80 }')).filter(({ id }) => id === 'EDGE507');
    expect(found).toMatchObject({ severity: 'error', field: 'spec.ingress[0].ports[0].port', fix: 'Write port 8080.' });
  });

  it.each([
    ['the port of the Pods', '{ port: 8080 }', undefined],
    ['both', '{ port: 80 }, { port: 8080 }', undefined],
    ['Pods of which no Service tells', '{ port: 80 }', '{}'],
  ])('is none of %s', (_name, ports, selector) => {
    expect(ids(world(ports, selector))).not.toContain('EDGE507 error');
  });
});
