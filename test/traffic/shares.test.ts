import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { prove } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';

const entry = (name: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: shop }
spec: { hosts: [${name}.example.com], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP, targetPort: 443 }] }`;
const BASE = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
${entry('site')}${entry('a')}${entry('b')}`;
const route = (rule: string): string => `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: site, namespace: shop }
spec: { hosts: [site.example.com], http: [{ ${rule} }] }`;
const tls = (mode: string): string => `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: b, namespace: shop }
spec: { host: b.example.com, trafficPolicy: { tls: { mode: ${mode} } } }`;

const SPLIT =
  'route: [{ destination: { host: a.example.com }, weight: 90 }, { destination: { host: b.example.com }, weight: 10 }]';
const MIRROR =
  'route: [{ destination: { host: a.example.com } }], mirrors: [{ destination: { host: b.example.com }, percentage: { value: 1 } }]';
const WHOLE = 'route: [{ destination: { host: a.example.com } }]';

function verdict(rule: string, manifests: string): string | undefined {
  const { rules, problems } = readRules(`rules: [{ name: it, ${rule} }]`);
  expect(problems).toEqual([]);
  const mesh = buildMesh(loadText(manifests).manifests, { outbound: 'REGISTRY_ONLY' });
  return prove(mesh, rules)[0]?.verdict;
}

describe('shares of weighted routes, and copies', () => {
  // Whoever asks for site.example.com; b.example.com itself may be asked for too, and is another matter.
  const forbidden =
    'forbid: { from: "*", to: { hosts: [site.example.com, a.example.com, b.example.com], paths: [/x], except: [a.example.com] } }';
  it.each([
    ['a share', SPLIT],
    ['copies', MIRROR],
  ])('refute what the greatest share keeps: %s', (_what, rule) => {
    const onlySite = (own: string): string =>
      BASE.replace(/(name: b, namespace: shop \}\nspec: \{)/, '$1 exportTo: ["."],') + route(own);
    expect(verdict(forbidden, onlySite(rule))).toBe('refuted');
    const tlsOnly = 'require: { from: "*", to: { hosts: [site.example.com] }, tls: encrypted }';
    const safe = tls('SIMPLE').replace(/\bb\b/g, 'a');
    expect(verdict(tlsOnly, BASE + route(WHOLE) + safe)).toBe('proved');
    expect(verdict(tlsOnly, BASE + route(rule) + safe)).toBe('refuted');
    expect(verdict(tlsOnly, BASE + route(rule) + safe + tls('SIMPLE'))).toBe('proved');
  });

  it.each([
    ['a share', SPLIT],
    ['copies', MIRROR],
  ])('are never "no change" in a diff: %s', (_what, rule) => {
    const of = (mode: string) =>
      diff(loadText(BASE + route(rule) + tls('DISABLE')).manifests, loadText(BASE + route(rule) + tls(mode)).manifests);
    const found = of('SIMPLE');
    expect(
      found.undecided
        .filter(({ to }) => to.includes('site.example.com'))
        .map(({ why }) => why)
        .join(),
    ).toMatch(/of the requests that go to outbound\|80\|\|b\.example\.com \(by weight, or as copies\): before: /);
    expect(of('DISABLE')).toMatchObject({ changes: [], complete: true });
  });
});
