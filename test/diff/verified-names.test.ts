/** Whom proxies take a server for, in the words of a diff: the names in its certificate that they ask for. */
import { diff } from '../../src/diff/diff';
import { loadObjects } from '../../src/model/load';

const object = (kind: string, spec: object): object => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  metadata: { name: 'api', namespace: 'shop' },
  spec,
});

function mesh(tls: object, subjectAltNames?: readonly string[]): object[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } } },
    object('ServiceEntry', {
      hosts: ['api.example.com'],
      resolution: 'DNS',
      ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 443 }],
      ...(subjectAltNames === undefined ? {} : { subjectAltNames }),
    }),
    object('DestinationRule', { host: 'api.example.com', trafficPolicy: { tls: { mode: 'SIMPLE', ...tls } } }),
  ];
}

function told(was: object[], is: object[]): readonly string[] {
  const [before, after] = [was, is].map((objects) => loadObjects(objects).manifests);
  return diff(before!, after!).changes.flatMap((change) => [change.was.text, change.is.text]);
}

const sni = { sni: 'api.example.com' };
const as = (name: string): unknown =>
  expect.stringMatching(new RegExp(`with TLS made by the proxy, server verified ${name}$`));

it.each([
  ['that of the request where no SNI is written', mesh(sni), mesh({}), 'whatever its name', 'as api\\.example\\.com'],
  ['those of the rule', mesh(sni), mesh({ ...sni, subjectAltNames: ['b', 'a'] }), 'whatever its name', 'as a or b'],
  ['those of the entry, where the rule says none', mesh(sni), mesh(sni, ['c']), 'whatever its name', 'as c'],
  ['those of the rule before those of the entry', mesh(sni, ['c']), mesh({ ...sni, subjectAltNames: ['d'] }, ['c']), 'as c', 'as d'], // prettier-ignore
  ['by an authority of its own', mesh({}), mesh({ caCertificates: '/etc/ca.pem' }), 'as api\\.example\\.com', 'by /etc/ca\\.pem as api\\.example\\.com'], // prettier-ignore
])('are %s', (_what, was, is, before, after) => {
  expect(told(was, is)).toEqual([as(before), as(after)]);
});

it('are none where nothing is verified', () => {
  expect(told(mesh({}), mesh({ insecureSkipVerify: true }))).toEqual([
    as('as api\\.example\\.com'),
    expect.stringMatching(/with TLS made by the proxy, server not verified$/),
  ]);
});
