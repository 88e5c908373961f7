import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import { isPlaceholder } from '../../src/model/placeholders';

const ids = (text: string): string[] =>
  check(loadText(text, 'a.yaml')).findings.map(({ id, severity, field }) => `${id} ${severity} ${field}`);

const virtualService = (host: string, more = ''): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: shop }
spec:
  hosts: [${JSON.stringify(host)}]
  http:
    - route: [{ destination: { host: web.shop.svc.cluster.local } }]
${more}
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { ports: [{ name: http, port: 80 }] }
`;

describe('a value that something else writes before the object is applied', () => {
  it.each([
    'web.${DOMAIN}', 'web.${DOMAIN:=example.org}', '$(DOMAIN)', 'web.$DOMAIN', '<DOMAIN>', 'web.###ZARF_VAR_DOMAIN###', 'web.{{ .Values.domain }}', '${var.domain}', 'web.MY_DOMAIN.org',
    '@DOMAIN@', 'DOMAIN_PLACEHOLDER', 'web.CHANGEME', 'placeholderHost',
  ])('is not judged: %s', (host) => {
    expect(ids(virtualService(host))).toEqual(['EDGE008 info spec.hosts[0]']);
  }); // prettier-ignore

  it.each(['web_shop', 'https://web', 'web..shop'])('is judged where it is just wrong: %s', (host) => {
    expect(ids(virtualService(host)).some((one) => / error /.test(one))).toBe(true);
  });

  it('leaves the form of the other fields to be judged', () => {
    expect(ids(virtualService('web.${DOMAIN}', '  exportToo: ["*"]\n'))).toContain('EDGE002 error spec.exportToo');
  });

  it('is not judged wherever it stands in a list, nor where it is a whole address', () => {
    const sidecar = (hosts: readonly string[]): string =>
      `apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: { name: a, namespace: shop }\nspec: { egress: [{ hosts: ${JSON.stringify(hosts)} }] }\n`;
    const hosts = [1, 2, 3, 4, 5, 6].map((at) => `./web${at}.SHOP_NAMESPACE.svc.cluster.local`);
    expect(ids(sidecar(hosts))).toEqual(['EDGE008 info spec.egress[0].hosts[0]']);
    expect(ids(sidecar([...hosts, './web_x']))).toContain('EDGE105 error spec.egress[0].hosts[6]');
    const tokens = `apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: { name: a, namespace: shop }\nspec: { jwtRules: [{ issuer: ISSUER_URL, jwksUri: JWKS_URI }] }\n`;
    expect(ids(tokens).filter((one) => / error /.test(one))).toEqual([]);
  });

  it.each([
    ['a group of a regular expression', '(?P<name>[a-z]+)'],
    ['the end of a line in one', '^/a$'],
    ['a word in capitals that is an enumeration', 'REGISTRY_ONLY'],
    ['HTML', '<b>gone</b>'],
  ])('is not %s', (_, value) => {
    expect(isPlaceholder(value, 'exact')).toBe(false);
  });

  it('is told once for a file', () => {
    const two = `${virtualService('a.${X}')}---${virtualService('b.${X}').replace('name: web', 'name: other')}`;
    expect(ids(two)).toEqual(['EDGE008 info spec.hosts[0]']);
  });

  it('is no placeholder where Kubernetes itself puts values in', () => {
    const pod =
      'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  containers: [{ name: a, image: a, args: ["--node=$(NODE)"] }]\n';
    expect(ids(pod)).toEqual([]);
  });
});

describe('a document that is no object', () => {
  it.each([
    ['Zarf', 'kind: ZarfPackageConfig\nmetadata: { name: a }\ncomponents: []\n'],
    ['a bundle of UDS', 'kind: UDSBundle\nmetadata: { name: a }\npackages: []\n'],
    ['score', 'apiVersion: score.dev/v1b1\nmetadata: { name: a }\ncontainers: {}\n'],
    ['a patch', '$patch: delete\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: { name: a }\n'],
    ['a patch without kind', 'metadata: { name: a }\nspec: { replicas: 2 }\n'],
  ])('is left alone: %s', (_, text) => {
    expect(check(loadText(text, 'a.yaml')).findings).toEqual([]);
  });

  it.each([
    ['a kind of ours without apiVersion', 'kind: Gateway\nmetadata: { name: a }\nspec: {}\n'],
    ['an apiVersion of ours without kind', 'apiVersion: networking.istio.io/v1\nmetadata: { name: a }\nspec: {}\n'],
    ['a spec of ours with neither', 'metadata: { name: a }\nspec: { hosts: [a.example.org], exportTo: ["*"] }\n'],
  ])('is an error all the same: %s', (_, text) => {
    expect(ids(text)).toEqual([expect.stringContaining('EDGE001 error')]);
  });
});

it('takes no offence at what SOPS keeps beside an encrypted object', () => {
  const secret =
    'apiVersion: v1\nkind: Secret\nmetadata: { name: a }\nstringData: { a: "ENC[AES256_GCM,data:aaaa,type:str]" }\nsops: { version: 3.9.0 }\n';
  expect(ids(secret)).toEqual([]);
});
