/**
 * Plays ztunnel's part for requests of the Pod that it runs in, since ztunnel itself runs nowhere here: a workload certificate from
 * istiod, mutual TLS with a waypoint, and an HTTP/2 CONNECT through which the request then travels.
 *
 * Prints what became of each as JSON (`HboneAnswer`); its one argument is the list of requests (`HboneRequest`) as JSON. The Pod needs a token for
 * istiod's CA and the CA's certificate, mounted where injection mounts them for sidecars.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as tls from 'node:tls';
import type { Duplex } from 'node:stream';

export interface HboneRequest {
  /** The SPIFFE identity of the Pod. istiod signs no other than that of the token. */
  readonly identity: string;
  /** The waypoint: address and port. */
  readonly waypoint: string;
  /** The identity that the waypoint's certificate must carry. */
  readonly waypointIdentity: string;
  /** What the application dialled: address and port, the authority of the CONNECT. */
  readonly target: string;
  /** What the application sends: `http://`, `https://`, or `tcp://` to send nothing and read. */
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether any certificate of the site will do. */
  readonly insecure?: boolean;
}

export interface HboneAnswer {
  /** The waypoint's answer to CONNECT; 0 where there was none. */
  readonly tunnel: number;
  /** The status of the request inside the tunnel; 0 where there was none. */
  readonly status: number;
  readonly body: string;
  readonly error?: string;
}

const CA = '/var/run/secrets/istio/root-cert.pem';
const TOKEN = '/var/run/secrets/tokens/istio-token';
const ISTIOD = 'istiod.istio-system.svc';
const SECONDS = 5;

interface Workload {
  readonly key: string;
  readonly chain: string;
}

/** A varint-prefixed field of a protocol buffer. */
function field(number: number, content: Buffer): Buffer {
  const length: number[] = [];
  for (let rest = content.length; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), content]);
}

/** The strings of field 1 of a message that has no others. */
function strings(message: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < message.length;) {
    at += 1;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    found.push(message.subarray(at, at + length).toString());
    at += length;
  }
  return found;
}

/** A key, and a certificate that istiod signs for it, as pilot-agent and ztunnel get theirs. Kept for the Pod's next request. */
async function certificate(identity: string): Promise<Workload> {
  const kept = '/tmp/workload.json';
  if (fs.existsSync(kept)) return JSON.parse(fs.readFileSync(kept, 'utf8')) as Workload;
  const key = execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout'], { encoding: 'utf8' });
  fs.writeFileSync('/tmp/workload.key', key, { mode: 0o600 });
  const wanted = ['-subj', '/O=lab', '-addext', `subjectAltName=URI:${identity}`];
  const csr = execFileSync('openssl', ['req', '-new', '-key', '/tmp/workload.key', ...wanted]);
  const message = field(1, csr);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  const session = http2.connect(`https://${ISTIOD}:15012`, { ca: fs.readFileSync(CA) });
  const stream = session.request({
    ':method': 'POST',
    ':path': '/istio.v1.auth.IstioCertificateService/CreateCertificate',
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: `Bearer ${fs.readFileSync(TOKEN, 'utf8')}`,
  });
  let refusal = '';
  const note = (headers: http2.IncomingHttpHeaders) => (refusal = `${String(headers['grpc-message'] ?? refusal)}`);
  stream.on('response', note).on('trailers', note);
  stream.end(Buffer.concat([frame, message]));
  const reply = await readAll(stream);
  session.close();
  if (reply.length === 0) throw new Error(`istiod signs no certificate: ${refusal}`);
  const workload = { key, chain: strings(reply.subarray(5)).join('') };
  fs.writeFileSync(kept, JSON.stringify(workload), { mode: 0o600 });
  return workload;
}

async function readAll(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The tunnel to what the application dialled, and the waypoint's answer. */
async function connect(request: HboneRequest, { key, chain }: Workload): Promise<[number, http2.ClientHttp2Stream]> {
  const session = http2.connect(`https://${request.waypoint}`, {
    key,
    cert: chain,
    ca: fs.readFileSync(CA),
    ALPNProtocols: ['h2'],
    minVersion: 'TLSv1.3',
    // A workload is known by the URI in its certificate, not by a host name.
    checkServerIdentity: (_, { subjectaltname = '' }) =>
      subjectaltname === `URI:${request.waypointIdentity}`
        ? undefined
        : new Error(`the waypoint's certificate is for ${subjectaltname}`),
  });
  const stream = session.request({ ':method': 'CONNECT', ':authority': request.target });
  const status = await new Promise<number>((resolve, reject) => {
    session.on('error', reject);
    stream.on('error', reject);
    stream.on('response', (headers) => resolve(Number(headers[':status'])));
  });
  return [status, stream];
}

async function encrypted(raw: Duplex, servername: string, insecure = false): Promise<Duplex> {
  const ca = fs.readFileSync('/etc/ssl/certs/ca-certificates.crt');
  const socket = tls.connect({ socket: raw, servername, ca, rejectUnauthorized: !insecure });
  await new Promise((resolve, reject) => socket.on('secureConnect', resolve).on('error', reject));
  return socket;
}

async function send(request: HboneRequest, tunnel: Duplex): Promise<{ status: number; body: string }> {
  const url = new URL(request.url);
  if (url.protocol === 'tcp:') {
    tunnel.end();
    return { status: 0, body: (await readAll(tunnel)).toString() };
  }
  const socket = url.protocol === 'https:' ? await encrypted(tunnel, url.hostname, request.insecure) : tunnel;
  const { method, headers } = request;
  const options = { method, path: url.pathname + url.search, headers: { host: url.host, ...headers } };
  const reply = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http
      .request({ ...options, createConnection: () => socket }, resolve)
      .on('error', reject)
      .end();
  });
  return { status: reply.statusCode ?? 0, body: (await readAll(reply)).toString() };
}

async function main(request: HboneRequest): Promise<HboneAnswer> {
  let answer: HboneAnswer = { tunnel: 0, status: 0, body: '' };
  try {
    const [status, tunnel] = await connect(request, await certificate(request.identity));
    answer = { ...answer, tunnel: status };
    return status === 200 ? { ...answer, ...(await send(request, tunnel)) } : answer;
  } catch (error) {
    return { ...answer, error: (error as Error).message };
  }
}

function within(seconds: number, answer: Promise<HboneAnswer>): Promise<HboneAnswer> {
  const late: HboneAnswer = { tunnel: 0, status: 0, body: '', error: `no answer in ${seconds} s` };
  return Promise.race([answer, new Promise<HboneAnswer>((resolve) => setTimeout(resolve, seconds * 1000, late))]);
}

async function all(requests: readonly HboneRequest[]): Promise<void> {
  const answers: HboneAnswer[] = [];
  for (const request of requests) answers.push(await within(SECONDS, main(request)));
  process.stdout.write(JSON.stringify(answers), () => process.exit());
}

if (require.main === module) void all(JSON.parse(process.argv[2] ?? '[]') as HboneRequest[]);
