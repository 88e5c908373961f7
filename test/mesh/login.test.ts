import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { type KubeObject } from '../lab/api';
import { loginSocket } from '../lab/internet';
import { Authority } from '../lab/pki';
import { EnvoyGateway } from './envoy-gateway';
import { committed, eventually, Mesh, PLAIN } from './mesh';
import { OidcProvider } from './oidc-provider';

jest.setTimeout(180_000);

/** What becomes of logins that go wrong: what rules of `check` say of their policies. */
let mesh: Mesh;
let eg: EnvoyGateway;
let service: string;

const CLIENTS = ['httpbin', 'admin'].map((id) => ({ id, secret: `of-${id}-for-this-run-only` }));
const provider = new OidcProvider(...CLIENTS);

const scenario = committed('single-sign-on');
const ofKind = (kind: string) => scenario.find((object) => object.kind === kind)!;

beforeAll(async () => {
  mesh = await Mesh.open();
  const authority = await Authority.create(fs.mkdtempSync(path.join(os.tmpdir(), 'example-ca-')), 'example.com');
  const { cert, key } = await authority.issue('www', 'www.example.com', ['DNS:www.example.com']);
  const files = { 'tls.crt': fs.readFileSync(cert, 'utf8'), 'tls.key': fs.readFileSync(key, 'utf8') };
  eg = await EnvoyGateway.install(mesh);
  await provider.listen(loginSocket(mesh.lab.folder));
  await mesh.lab.apply([
    secret('httpbin-credential', files, 'kubernetes.io/tls'),
    ...CLIENTS.map(({ id, secret: value }) => secret(`${id}-oidc-client`, { 'client-secret': value })),
  ]);
  await eg.use(scenario);
  service = await eg.service();
}, 2_400_000);

afterAll(async () => {
  await provider.close();
  await mesh.lab.delete(scenario);
  await eg.remove();
});

const secret = (name: string, stringData: Readonly<Record<string, string>>, type = 'Opaque'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'httpbin' },
  type,
  stringData,
});

type Oidc = Readonly<Record<string, unknown>>;

/** The scenario's policy with some fields of its login written otherwise. */
function login(change: Oidc): KubeObject {
  const policy = ofKind('SecurityPolicy') as KubeObject & { readonly spec: { readonly oidc: Oidc } };
  return { ...policy, spec: { ...policy.spec, oidc: { ...policy.spec.oidc, ...change } } };
}

/** A browser of its own: what it is sent to it follows, and what it is given it keeps. */
class Browser {
  private static count = 0;
  private readonly jar = `/tmp/browser-${process.pid}-${++Browser.count}`;

  /** The status at the end of all redirects. */
  public async open(url: string, ...args: readonly string[]): Promise<number> {
    return (await this.ask(url, ...args)).status;
  }

  /** The cookies that one answer takes away again. */
  public async takenBy(url: string): Promise<readonly string[]> {
    const { body } = await this.ask(url, ...AS_IT_IS, '-D', '-');
    return [...body.matchAll(/^set-cookie: ([A-Za-z]+)\S*=deleted/gim)].map(([, name = '']) => name);
  }

  private ask(url: string, ...args: readonly string[]) {
    const hosts = ['www', 'admin', 'other'].map((name) => `${name}.example.com:443`);
    const way = hosts.flatMap((host) => ['--connect-to', `${host}:${service}:443`]);
    const cookies = ['-b', this.jar, '-c', this.jar];
    return mesh.request({ url, from: PLAIN, args: ['-k', '-L', ...way, ...cookies, ...args] });
  }
}

const PAGE = 'https://www.example.com/httpbin/get';
const AS_IT_IS = ['--no-location'];

const LOGOUT = 'https://www.example.com/httpbin/logout';
const ADMIN = 'https://admin.example.com/httpbin/get';

/** Applies policies, and waits until browsers without a session are sent to the provider by them. */
async function inForce(...policies: readonly KubeObject[]): Promise<void> {
  await mesh.lab.apply(policies);
  for (const policy of policies.filter(({ kind }) => kind === 'SecurityPolicy')) {
    const { clientID, redirectURL } = (policy.spec as { readonly oidc: Oidc }).oidc;
    const url = clientID === 'admin' ? ADMIN : PAGE;
    const way = ['-k', '-D', '-', '--connect-to', `${new URL(url).host}:443:${service}:443`];
    await eventually(async () => {
      const { body } = await mesh.request({ url, from: PLAIN, args: way });
      expect(body).toContain(`redirect_uri=${encodeURIComponent(String(redirectURL))}`);
    }, 20);
  }
}

it('lets in whoever logs in, until the logout', async () => {
  await inForce(login({}));
  const browser = new Browser();
  expect(await browser.open(PAGE)).toBe(200);
  expect(await browser.open(PAGE, ...AS_IT_IS)).toBe(200);
  expect(await browser.takenBy(LOGOUT)).toContain('AccessToken');
});

it.each([
  ['on a path that no route with the policy has', 'https://www.example.com/oauth2/callback'],
  ['on a host that no route with the policy has', 'https://other.example.com/httpbin/oauth2/callback'],
])('ends in 404, with nobody logged in, after a redirect %s', async (_, redirectURL) => {
  await inForce(login({ redirectURL }));
  const browser = new Browser();
  const before = provider.asked.length;
  expect(await browser.open(PAGE)).toBe(404);
  expect(provider.asked.slice(before)).toEqual(['GET /authorize']);
  expect(await browser.open(PAGE, ...AS_IT_IS)).toBe(302);
});

it('a logout on a path that no route with the policy has is 404, and ends no session', async () => {
  await inForce(login({ logoutPath: '/logout' }));
  const browser = new Browser();
  expect(await browser.open(PAGE)).toBe(200);
  await eventually(async () => expect(await browser.open(LOGOUT, ...AS_IT_IS)).toBe(404));
  const elsewhere = 'https://www.example.com/logout';
  expect(await browser.open(elsewhere, ...AS_IT_IS)).toBe(404);
  expect([...(await browser.takenBy(elsewhere)), ...(await browser.takenBy(LOGOUT))]).toEqual([]);
});

describe('two logins for one parent domain', () => {
  const named = (name: string): Oidc => ({
    cookieDomain: 'example.com',
    cookieNames: { accessToken: name, idToken: `${name}-id` },
  });
  const metadata = { name: 'admin', namespace: 'httpbin' };
  const route: KubeObject = {
    ...ofKind('HTTPRoute'),
    metadata,
    spec: { ...(ofKind('HTTPRoute').spec as object), hostnames: ['admin.example.com'] },
  };
  const ofAdmin = (name: string): KubeObject => {
    const client = { clientID: 'admin', clientSecret: { name: 'admin-oidc-client' } };
    const policy = login({
      ...named(name),
      ...client,
      redirectURL: 'https://admin.example.com/httpbin/oauth2/callback',
    });
    const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'admin' }];
    return { ...policy, metadata, spec: { ...(policy.spec as object), targetRefs } };
  };
  afterAll(() => mesh.lab.delete([route, ofAdmin('session')]));

  it('with cookies of one name, each login ends the session of the other', async () => {
    await inForce(route, login(named('session')), ofAdmin('session'));
    const browser = new Browser();
    expect(await browser.open(PAGE)).toBe(200);
    expect(await browser.open(ADMIN)).toBe(200);
    expect(await browser.open(PAGE, ...AS_IT_IS)).toBe(302);
    expect(await browser.open(PAGE)).toBe(200);
    expect(await browser.open(ADMIN, ...AS_IT_IS)).toBe(302);
  });

  it('with cookies of their own, both last', async () => {
    await inForce(route, login(named('session')), ofAdmin('admin-session'));
    // Both policies have what they are waited for already, so that the names may be the former ones for a moment.
    await eventually(async () => {
      const browser = new Browser();
      expect(await browser.open(PAGE)).toBe(200);
      expect(await browser.open(ADMIN)).toBe(200);
      expect(await browser.open(PAGE, ...AS_IT_IS)).toBe(200);
      expect(await browser.open(ADMIN, ...AS_IT_IS)).toBe(200);
    });
  });
});
