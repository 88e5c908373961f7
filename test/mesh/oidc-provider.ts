import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as http from 'node:http';

export interface OidcClient {
  readonly id: string;
  readonly secret: string;
}

const ISSUER = 'https://login.example.com';

interface Grant {
  readonly client: string;
  readonly redirectUri: string;
  readonly challenge: string | null;
}

/**
 * A small OpenID provider that logs everyone in as one person: the code flow with PKCE, and ID tokens signed with a key
 * made for this run. It answers on a socket of the lab, as the site `login.example.com`.
 */
export class OidcProvider {
  /** What was asked of it, in order: method and path. */
  public readonly asked: string[] = [];

  private readonly keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  private readonly grants = new Map<string, Grant>();
  private server: http.Server | undefined;

  private readonly clients: readonly OidcClient[];

  public constructor(...clients: readonly OidcClient[]) {
    this.clients = clients;
  }

  public listen(socket: string): Promise<void> {
    fs.rmSync(socket, { force: true });
    this.server = http.createServer((request, response) => void this.answer(request, response));
    return new Promise((resolve) => this.server!.listen(socket, resolve));
  }

  public close(): Promise<void> {
    this.server?.closeAllConnections();
    return new Promise((resolve) => (this.server ? this.server.close(() => resolve()) : resolve()));
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', ISSUER);
    this.asked.push(`${request.method} ${url.pathname}`);
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (url.pathname === '/authorize') return this.authorize(url, response);
    if (url.pathname === '/token') {
      const { status, body } = this.token(await form(request), request.headers.authorization);
      json(status, body);
    } else if (url.pathname === '/jwks') json(200, { keys: [jwk(this.keys.publicKey)] });
    else json(404, {});
  }

  /** A person's browser comes here; this person agrees at once. */
  private authorize(url: URL, response: http.ServerResponse): void {
    const redirectUri = url.searchParams.get('redirect_uri') ?? '';
    const client = url.searchParams.get('client_id');
    if (
      client === null ||
      !this.clients.some(({ id }) => id === client) ||
      url.searchParams.get('response_type') !== 'code'
    ) {
      response.writeHead(400).end();
      return;
    }
    const code = randomBytes(12).toString('hex');
    this.grants.set(code, { client, redirectUri, challenge: url.searchParams.get('code_challenge') });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', url.searchParams.get('state') ?? '');
    response.writeHead(302, { location: back.href }).end();
  }

  /** The proxy itself comes here, with its client's secret. A code is good for once. */
  private token(body: URLSearchParams, authorization: string | undefined): { status: number; body: unknown } {
    const client = this.clients.find(
      ({ id, secret }) =>
        authorization === `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` ||
        (body.get('client_id') === id && body.get('client_secret') === secret),
    );
    if (!client) return { status: 401, body: { error: 'invalid_client' } };
    const code = body.get('code') ?? '';
    const grant = this.grants.get(code);
    this.grants.delete(code);
    const proof = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url');
    if (!grant || grant.client !== client.id || grant.redirectUri !== body.get('redirect_uri'))
      return { status: 400, body: { error: 'invalid_grant' } };
    if (grant.challenge !== null && grant.challenge !== proof) return { status: 400, body: { error: 'invalid_grant' } };
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: ISSUER, sub: 'ada', aud: client.id, iat: now, exp: now + 3600 };
    const token = signed(claims, this.keys.privateKey);
    return { status: 200, body: { access_token: token, id_token: token, token_type: 'Bearer', expires_in: 3600 } };
  }
}

async function form(request: http.IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

function signed(claims: unknown, key: KeyObject): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'RS256', typ: 'JWT', kid: 'lab' })}.${part(claims)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`;
}

function jwk(key: KeyObject): unknown {
  return { ...key.export({ format: 'jwk' }), kid: 'lab', alg: 'RS256', use: 'sig' };
}
