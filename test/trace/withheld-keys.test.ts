/** Keys that istiod gives a proxy only if its account may list the Secrets of its namespace. */
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { outcome, traceIn } from './text';

const caller = (mode = 'MUTUAL', credential = 'client'): string => `
apiVersion: v1
kind: Namespace
metadata: { name: app, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Pod
metadata: { name: sleep, namespace: app, labels: { app: sleep } }
spec: { serviceAccountName: sleep, containers: [{ name: sleep, image: curl }] }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: partner, namespace: app }
spec: { hosts: [partner.example.com], ports: [{ number: 80, name: http, protocol: HTTP, targetPort: 443 }], resolution: DNS }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: partner, namespace: app }
spec:
  host: partner.example.com
  workloadSelector: { matchLabels: { app: sleep } }
  trafficPolicy: { tls: { mode: ${mode}, credentialName: '${credential}', sni: partner.example.com } }
`;
const bound = (subject: string, verbs = 'get, watch, list', role = 'Role'): string => `
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reader, namespace: app }
rules: [{ apiGroups: [''], resources: [secrets], verbs: [${verbs}] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reader, namespace: app }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ${role}, name: ${role === 'Role' ? 'reader' : 'edit'} }
subjects: [{ ${subject} }]
`;
const changes = (was: string, is: string): readonly string[] =>
  diff(loadText(was).manifests, loadText(is).manifests).changes.map(
    ({ effect, from, to }) => `${effect} ${from} ${to}`,
  );
const SLEEP = 'kind: ServiceAccount, name: sleep';
const ask = (yaml: string, more = {}) => traceIn(yaml)('http://partner.example.com/', more);
const notes = (yaml: string, more = {}) => ask(yaml, more).noted.map(({ kind }) => kind);

describe('a client certificate of a sidecar', () => {
  it.each([
    ['a Role by name', bound(SLEEP)],
    ['a ClusterRole of Kubernetes', bound(SLEEP, 'get', 'ClusterRole')],
    ['a Role for the name of the user', bound('kind: User, name: system:serviceaccount:app:sleep')],
  ])('is there by %s', (_, roles) => {
    expect(outcome(ask(caller() + roles))).toBe('delivered to partner.example.com:443');
    expect(notes(caller() + roles)).toEqual([]);
  });

  it.each([
    ['gives it something else', bound(SLEEP, 'get'), false, 'reader'],
    ['is for a group that it is in', bound('kind: Group, name: system:serviceaccounts:app'), true, 'reader'],
    ['is for another account', bound('kind: ServiceAccount, name: other'), false, undefined],
  ])('is not there where the binding %s', (_, roles, byGroup, binding) => {
    const told = ask(caller() + roles);
    expect(outcome(told)).toBe('UF 503 at sidecar');
    expect(told.refusal?.reason).toMatchObject({
      kind: 'key-withheld',
      account: 'app/sleep',
      secret: 'client',
      byGroup,
    });
    expect((told.refusal?.reason as { binding: { name: string } | null }).binding?.name).toBe(binding);
  });

  it('is assumed where no manifest shows what accounts may do, and where none shows the account', () => {
    expect(outcome(ask(caller()))).toBe('delivered to partner.example.com:443');
    expect(notes(caller())).toEqual(['account-lists-secrets']);
    const client = { from: 'app/other', labels: { app: 'sleep' }, serviceAccount: 'nobody' };
    expect(notes(caller() + bound('kind: ServiceAccount, name: other'), client)).toContain('account-lists-secrets');
  });

  it.each([
    ['of a CA alone', caller('SIMPLE')],
    ['of a ConfigMap', caller('SIMPLE', 'configmap://app/ca')],
  ])('needs no Role %s', (_, yaml) => {
    expect(notes(yaml + bound(SLEEP, 'get'))).toEqual([]);
    expect(outcome(ask(yaml + bound(SLEEP, 'get')))).toBe('delivered to partner.example.com:443');
  });

  it('comes and goes with a Role and its binding', () => {
    expect(changes(caller() + bound(SLEEP), caller())).toEqual(['narrowed app/sleep http://partner.example.com/']);
    expect(changes(caller(), caller() + bound(SLEEP))).toEqual(['widened app/sleep http://partner.example.com/']);
    expect(changes(caller() + bound(SLEEP), caller() + bound(SLEEP, 'list'))).toEqual([]);
  });
});

const gateway = (account: string, template = 'annotations: { inject.istio.io/templates: gateway }'): string => `
apiVersion: v1
kind: Pod
metadata: { name: edge, namespace: app, labels: { istio: edge, sidecar.istio.io/inject: 'true' }, ${template} }
spec: { ${account}, containers: [{ name: istio-proxy, image: auto }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: app }
spec:
  selector: { istio: edge }
  servers:
    - { hosts: ['*'], port: { number: 443, name: https, protocol: HTTPS }, tls: { mode: SIMPLE, credentialName: web } }
`;

it('a server of a gateway has no TLS where its account may not list Secrets', () => {
  const at = { from: 'outside', at: 'app/edge' };
  const told = (roles: string) => traceIn(gateway('serviceAccountName: edge') + roles)('https://www.example.com/', at);
  expect(outcome(told(bound('kind: ServiceAccount, name: edge', 'get')))).toBe('UF - at ingress-gateway');
  expect(outcome(told(bound('kind: ServiceAccount, name: edge')))).toBe('NR 404 at ingress-gateway');
  expect(told('').noted.map(({ kind }) => kind)).toContain('account-lists-secrets');
});
