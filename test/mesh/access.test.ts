import { createSign, generateKeyPairSync } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { type KubeObject } from '../lab/api';
import { Authority } from '../lab/pki';
import { CLIENT, committed, eventually, Mesh, meshOptions, PLAIN } from './mesh';

jest.setTimeout(180_000);

const HTTPBIN = 'httpbin.httpbin.svc.cluster.local';
const ISSUER = 'https://login.example.com';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

let mesh: Mesh;

beforeAll(async () => {
  mesh = await Mesh.open();
  await mesh.lab.apply(committed('demo-httpbin'));
}, 600_000);
afterAll(() => mesh.lab.delete(committed('demo-httpbin').filter(({ kind }) => kind !== 'Namespace')));

/** A token of the issuer whose key this run made. */
function token(claims: object = {}, signed = true): string {
  const now = Math.floor(Date.now() / 1000);
  const parts = [
    { alg: 'RS256', typ: 'JWT', kid: 'run' },
    { iss: ISSUER, sub: 'somebody', iat: now, exp: now + 600, ...claims },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const signature = createSign('RSA-SHA256').update(parts.join('.')).sign(privateKey);
  return [...parts, (signed ? signature : Buffer.from('nobody')).toString('base64url')].join('.');
}

type Authentication = KubeObject & { readonly spec: { readonly jwtRules: readonly { readonly issuer: string }[] } };

/** The scenario with the issuer's keys in it: the lab has no way to the issuer. */
function withKeys(objects: readonly KubeObject[]): readonly KubeObject[] {
  const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'run', alg: 'RS256' }] });
  return objects.map((object) => {
    if (object.kind !== 'RequestAuthentication') return object;
    const { spec } = object as Authentication;
    return { ...object, spec: { ...spec, jwtRules: spec.jwtRules.map(({ issuer }) => ({ issuer, jwks })) } };
  });
}

describe('published-service', () => {
  const scenario = committed('published-service');
  const gateway = 'httpbin/edge-istio';
  const ask = (url: string) =>
    mesh.request({
      url,
      from: PLAIN,
      gateway,
      args: ['-k', '-w', '\n%{redirect_url}\n%{http_code}', '--connect-to', '::edge-istio.httpbin:'],
    });

  beforeAll(async () => {
    const authority = await Authority.create(fs.mkdtempSync(path.join(os.tmpdir(), 'published-ca-')), 'example.com');
    const { cert, key } = await authority.issue('httpbin', 'httpbin.example.com', ['DNS:httpbin.example.com']);
    const files = { 'tls.crt': fs.readFileSync(cert, 'utf8'), 'tls.key': fs.readFileSync(key, 'utf8') };
    const metadata = { name: 'httpbin-example-com', namespace: 'httpbin' };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', stringData: files };
    await mesh.lab.apply([secret, ...scenario]);
    await eventually(() => mesh.lab.ready(gateway, 1), 60);
    await mesh.lab.settle();
  });
  afterAll(() => mesh.lab.delete(scenario));

  it('is redirected from plain HTTP, and delivered by HTTPS, in the mesh by mutual TLS', () =>
    eventually(async () => {
      const plain = await ask('http://httpbin.example.com/get');
      expect([plain.status, plain.body]).toEqual([301, '\nhttps://httpbin.example.com/get']);
      for (const route of ['/get', '/tools/get']) {
        const seen = await ask(`https://httpbin.example.com${route}`);
        expect(seen).toMatchObject({ status: 200, gateway: { upstream_cluster: `outbound|8000||${HTTPBIN}` } });
        expect(seen.body).toContain('spiffe://cluster.local/ns/httpbin/sa/');
      }
    }, 20));
});

describe('ingress-tokens', () => {
  const scenario = withKeys(committed('ingress-tokens'));
  const gateway = 'httpbin/tokens-istio';
  const ask = async (route: string, bearer?: string) => {
    const header = bearer === undefined ? [] : ['-H', `Authorization: Bearer ${bearer}`];
    const args = [...header, '--connect-to', '::tokens-istio.httpbin:80'];
    return (await mesh.request({ url: `http://tokens.example.com${route}`, from: PLAIN, gateway, args })).status;
  };

  beforeAll(async () => {
    await mesh.lab.apply(scenario);
    await eventually(() => mesh.lab.ready(gateway, 1), 60);
    await mesh.lab.settle();
  });
  afterAll(() => mesh.lab.delete(scenario));

  it('asks for a token, but on the open path, and knows a bad one', () =>
    eventually(async () => {
      expect(await ask('/status/200')).toBe(200);
      expect(await ask('/get')).toBe(403);
      expect(await ask('/get', token())).toBe(200);
      expect(await ask('/get', token({}, false))).toBe(401);
    }, 20));

  it('lets the group in alone', async () => {
    expect(await ask('/admin', token({ groups: ['others'] }))).toBe(403);
    expect(await ask('/admin', token())).toBe(403);
    // httpbin knows no such path.
    expect(await ask('/admin', token({ groups: ['admins', 'others'] }))).toBe(404);
  });
});

describe('deny-and-custom', () => {
  const scenario = committed('deny-and-custom');
  const ask = async (route: string) =>
    (await mesh.request({ url: `http://${HTTPBIN}:8000${route}`, from: CLIENT })).status;

  beforeAll(() => mesh.use(scenario, meshOptions('deny-and-custom')));
  afterAll(() => mesh.clear());

  it('refuses what is internal, and what nobody can be asked about, and nothing else', () =>
    eventually(async () => {
      expect(await ask('/get')).toBe(200);
      expect(await ask('/anything/internal/x')).toBe(403);
      expect(await ask('/anything/partners')).toBe(403);
      expect(await ask('/anything/public')).toBe(200);
    }, 20));

  it('is accepted by every proxy', async () => {
    expect(await mesh.newRejects()).toBe('');
  });
});
