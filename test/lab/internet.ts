import * as fs from 'node:fs';
import * as path from 'node:path';
import { type StartDaemon } from './controlplane';
import { inNamespace, setUpInternet } from './network';
import { Authority } from './pki';
import { capture, type Ended } from './process';

/** Sites that anybody may read, over HTTP on port 80 and HTTPS on port 443. */
const PUBLIC = [
  'edition.cnn.com',
  'www.wikipedia.org',
  'en.wikipedia.org',
  'www.aliyun.com',
  'hbchen.com',
  'httpbin.org',
  'api.github.com',
  'edge.cdn.example.com',
  'en.cdn.example.com',
  'stripe.example.com',
  'ledger.example.com',
  'forbidden.example.com',
  'aliyun.com',
  'www.httpbin.org',
  'eu.mirror.example.com',
  'us.mirror.example.com',
];
/** Sites that on port 443 demand a client certificate, each of an authority of its own. */
export const PARTNERS = ['partner.example.com', 'bank.example.com'];
/** A site whose HTTPS a test answers itself, by listening on the socket `internet/login.sock` of the lab's folder. */
const LOGIN = 'login.example.com';
/** A server that speaks first, over raw TCP, on port 5432. */
const DATABASE = 'db.example.com';
/** A server whose certificate is for its own name alone, and who answers for any. */
export const IMPOSTOR = 'impostor.example.com';
/** A name of a good domain that leads to that server. */
export const HIJACKED = 'de.mirror.example.com';

/** Names of random meshes, each at an address of its own; they answer on more ports than those that people mostly use. */
export const RANDOM_SITES = [
  'api.example.com',
  'www.example.com',
  'example.com',
  'other.example.com',
  'db.partner.io',
  'a.b.partner.io',
  'x.b.partner.io',
  'backend.example.net',
  'unknown.net',
];
/** Addresses that endpoints of random meshes have, and no name. */
const NAMELESS = [1, 2, 3, 7, 9, 20].map((last) => `203.0.113.${200 + last}`);

/** The internet of the lab: each address with its names. */
export const SITES: ReadonlyMap<string, readonly string[]> = new Map([
  ...[...PUBLIC, ...PARTNERS].map((host, index): [string, string[]] => [`203.0.113.${10 + index}`, [host]]),
  ...RANDOM_SITES.map((host, index): [string, string[]] => [`203.0.113.${60 + index}`, [host]]),
  ...NAMELESS.map((address): [string, string[]] => [address, []]),
  ['203.0.113.30', [DATABASE]],
  ['203.0.113.31', [LOGIN]],
  ['203.0.113.32', [IMPOSTOR, HIJACKED]],
]);

/** The address of a site. */
export function siteAddress(host: string): string {
  const found = [...SITES].find(([, names]) => names.includes(host));
  if (!found) throw new Error(`the lab's internet has no "${host}" (test/lab/internet.ts)`);
  return found[0];
}

/** One line of the internet's own access log. */
export interface SiteLine {
  readonly source: string;
  readonly server: string;
  readonly scheme: string;
  readonly host: string;
  readonly uri: string;
  readonly status: string;
  readonly sni: string;
  readonly client: string;
  /** The port of the sender, by which a line is found again in the log of the proxy that sent. */
  readonly port: string;
  readonly agent: string;
}

/** That line, as nginx is told to write it. */
export const LOG_FORMAT =
  'escape=json \'{"source":"$remote_addr","server":"$server_addr:$server_port","scheme":"$scheme","host":"$http_host",' +
  '"uri":"$request_uri","status":"$status","sni":"$ssl_server_name","client":"$ssl_client_s_dn",' +
  '"port":"$remote_port","agent":"$http_user_agent"}\'';

/** Real servers in a network of their own, with certificates of authorities made for this run. */
export async function startInternet(folder: string, start: StartDaemon): Promise<{ readonly caBundle: string }> {
  const namespace = namespaceOf(folder);
  const home = path.join(folder, 'internet');
  fs.mkdirSync(home, { recursive: true });
  await setUpInternet(namespace, [...SITES.keys()]);
  const open = await Authority.create(path.join(folder, 'pki', 'public'), 'lab-public-ca');
  const site = await open.issue(
    'site',
    PUBLIC[0]!,
    [...PUBLIC, LOGIN, ...RANDOM_SITES].map((name) => `DNS:${name}`),
  );
  const impostor = await open.issue('impostor', IMPOSTOR, [`DNS:${IMPOSTOR}`]);
  const partners = await Promise.all(PARTNERS.map((host) => partnerServer(folder, host)));
  const config = path.join(home, 'nginx.conf');
  const log = path.join(home, 'access.log');
  fs.writeFileSync(
    config,
    `daemon off; worker_processes 1; pid ${home}/nginx.pid; error_log ${home}/error.log; user root;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events { worker_connections 1024; }
http {
  log_format line ${LOG_FORMAT};
  access_log ${log} line;
  client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy; fastcgi_temp_path ${home}/fastcgi;
  uwsgi_temp_path ${home}/uwsgi; scgi_temp_path ${home}/scgi;
  # One server stands for sites that know nothing of each other: a session of one is none of another's, and shows another's SNI.
  ssl_session_tickets off;
  default_type text/plain;
  server {
    listen 80; listen 8080; listen 8081; listen 9000;
    location / { return 200 "$http_host by $scheme\\n"; }
  }
  server {
    listen 443 ssl http2; listen 8443 ssl http2; listen 8444 ssl http2; ssl_verify_client optional_no_ca; ssl_certificate ${site.cert}; ssl_certificate_key ${site.key};
    location / { return 200 "$http_host by $scheme\\n"; }
    location = /unavailable { return 503; }
    # A byte a second: the first byte of the answer is there at once, its headers are not.
    location = /slow { limit_rate 1; return 200 "$http_host by $scheme\\n"; }
  }
  server {
    listen ${siteAddress(IMPOSTOR)}:443 ssl; ssl_certificate ${impostor.cert}; ssl_certificate_key ${impostor.key};
    location / { return 200 "$http_host by $scheme\\n"; }
  }
  server {
    listen ${siteAddress(LOGIN)}:443 ssl; ssl_certificate ${site.cert}; ssl_certificate_key ${site.key};
    location / { proxy_pass http://unix:${loginSocket(folder)}:; proxy_set_header Host $http_host; }
  }
${partners.join('\n')}
}
stream {
  log_format line '{"source":"$remote_addr","server":"$server_addr:$server_port","scheme":"tcp","host":"","uri":"",'
    '"status":"$status","sni":"","client":"","port":"$remote_port","agent":""}';
  access_log ${log} line;
  server { listen ${siteAddress(DATABASE)}:5432; listen 3306; return "hello $remote_addr\\n"; }
}
`,
  );
  start('nginx', inNamespace(namespace, ['nginx', '-p', home, '-c', config]));
  const caBundle = path.join(folder, 'pki', 'ca-certificates.crt');
  fs.copyFileSync(open.cert, caBundle);
  return { caBundle };
}

const namespaceOf = (folder: string) => path.join(folder, 'namespaces', 'internet');

/** Runs a command as somebody outside the cluster would. */
export function onTheInternet(folder: string, command: readonly string[], timeoutSeconds = 30): Promise<Ended> {
  return capture(inNamespace(namespaceOf(folder), command), timeoutSeconds);
}

/** Where a test listens to be the site `login.example.com`. */
export function loginSocket(folder: string): string {
  return path.join(folder, 'internet', 'login.sock');
}

/** A server with an authority of its own, which signs the server's certificate and the clients' that it lets in. */
async function partnerServer(folder: string, host: string): Promise<string> {
  const authority = await Authority.create(path.join(folder, 'pki', host), `authority-of-${host}`);
  const { cert, key } = await authority.issue('server', host, [`DNS:${host}`]);
  return `  server {
    listen ${siteAddress(host)}:443 ssl; ssl_certificate ${cert}; ssl_certificate_key ${key};
    ssl_client_certificate ${authority.cert}; ssl_verify_client on;
    location / { return 200 "$http_host by $scheme for $ssl_client_s_dn\\n"; }
  }`;
}

/** The lines that the internet's servers have logged so far. */
export function readSiteLog(folder: string): readonly SiteLine[] {
  const log = path.join(folder, 'internet', 'access.log');
  if (!fs.existsSync(log)) return [];
  return fs
    .readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SiteLine);
}
