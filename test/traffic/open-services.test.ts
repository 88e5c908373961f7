/** Ways in past all Gateways: no answer calls them closed. */
import { diff } from '../../src/diff/diff';
import { register } from '../../src/list/register';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { prove } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';

const shop = (port = '{containerPort: 8080}', type = ''): string => `
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {${type}selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: api, namespace: shop}, spec: {selector: {matchLabels: {app: api}}, template: {metadata: {labels: {app: api}}, spec: {containers: [{name: api, image: api, ports: [${port}]}]}}}}
`;
const rules = 'rules: [{host: api.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: api, port: {number: 80}}}}]}}]'; // prettier-ignore
const ingress = (spec: string, annotations = ''): string =>
  `---\n{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: api, namespace: shop, annotations: {${annotations}}}, spec: {${spec}}}\n`;
const NOT_PUBLIC = readRules('rules: [{ name: it, forbid: { from: outside, to: { services: [shop/api] } } }]').rules;

it.each([
  ['an Ingress of another class', shop() + ingress(`ingressClassName: nginx, ${rules}`), /^it is not for Istio \(class nginx\)/, 'Ingress shop/api of class nginx'],
  ['an Ingress of another class, by annotation', shop() + ingress(rules, 'kubernetes.io/ingress.class: traefik'), /^it is not for Istio \(class traefik\)/, 'Ingress shop/api of class traefik'],
  ['an Ingress of no class', shop() + ingress(rules), /^it is not for Istio \(the cluster's default class\)/, "of the cluster's default class"],
  ['an Ingress by its default backend', shop() + ingress('ingressClassName: nginx, defaultBackend: {service: {name: api, port: {number: 80}}}'), /^it is not for Istio/, 'Ingress shop/api'],
  ['a port of nodes', shop('{containerPort: 8080, hostPort: 9000}'), /\(hostPort 9000\)/, 'leads to Pods with hostPort 9000'],
  ['the type of a Service', shop(undefined, 'type: NodePort, '), /^clients outside the cluster come to it/, 'is of type NodePort'],
])('%s is left undecided by diff and prove, and told by list', (_what, opened, why, how) => {
  const [was, is] = [shop(), opened].map((text) => loadText(text).manifests);
  const found = diff(was!, is!);
  expect(found).toMatchObject({ changes: [], complete: false });
  expect(found.undecided.map((one) => one.why)).toEqual([expect.stringMatching(why)]);
  const mesh = buildMesh(is!);
  const [proof] = prove(mesh, NOT_PUBLIC);
  expect([proof?.verdict, proof?.because.join()]).toEqual(['undecided', expect.stringContaining(how)]);
  expect(register(mesh).assumptions.join()).toContain(how);
}); // prettier-ignore

it('an Ingress of Istio is followed, and ports of containers open nothing', () => {
  const between = (one: string) => diff(loadText(shop()).manifests, loadText(one).manifests);
  const istios = between(shop() + ingress(`ingressClassName: istio, ${rules}`));
  expect([istios.complete, istios.changes.map(({ effect }) => effect)]).toEqual([true, expect.arrayContaining(['widened'])]); // prettier-ignore
  expect(between(shop('{containerPort: 8080}, {containerPort: 9000}'))).toMatchObject({ changes: [], complete: true });
  expect(prove(buildMesh(loadText(shop()).manifests), NOT_PUBLIC)[0]?.verdict).toBe('vacuous');
});
