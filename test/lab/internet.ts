import * as fs from 'node:fs';
import * as path from 'node:path';
import { type StartDaemon } from './controlplane';
import { inNamespace, setUpInternet } from './network';
import { Authority } from './pki';

/** The address of a server that demands a client certificate of the partner's authority. */
export const PARTNER_IP = '203.0.113.20';
/** The address of a server that speaks first, over raw TCP, on port 5432. */
export const DATABASE_IP = '203.0.113.30';

/** The internet of the lab: each address with its names. All but the last two serve HTTP on 80 and HTTPS on 443. */
export const SITES: ReadonlyMap<string, readonly string[]> = new Map([
  ['203.0.113.10', ['edition.cnn.com']],
  ['203.0.113.11', ['www.wikipedia.org', 'en.wikipedia.org', 'de.wikipedia.org']],
  ['203.0.113.12', ['www.aliyun.com']],
  ['203.0.113.13', ['hbchen.com']],
  ['203.0.113.14', ['httpbin.org']],
  ['203.0.113.15', ['api.example.com', 'ledger.example.com', 'forbidden.example.com']],
  ...Array.from({ length: 10 }, (_, i): [string, string[]] => [`203.0.113.${100 + i}`, [`site-${i}.example.net`]]),
  [PARTNER_IP, ['partner.example.com']],
  [DATABASE_IP, ['db.example.com']],
]);

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
}

/** Real servers in a network of their own, with certificates of authorities made for this run. */
export async function startInternet(folder: string, start: StartDaemon): Promise<{ readonly caBundle: string }> {
  const namespace = path.join(folder, 'namespaces', 'internet');
  const home = path.join(folder, 'internet');
  fs.mkdirSync(home, { recursive: true });
  await setUpInternet(namespace, [...SITES.keys()]);
  const open = await Authority.create(path.join(folder, 'pki', 'public'), 'lab-public-ca');
  const partner = await Authority.create(path.join(folder, 'pki', 'partner'), 'lab-partner-ca');
  const names = [...SITES.values()].flat();
  const site = await open.issue(
    'site',
    names[0]!,
    names.map((name) => `DNS:${name}`),
  );
  const server = await partner.issue('server', 'partner.example.com', ['DNS:partner.example.com']);
  await partner.issue('client', 'client.example.com', ['DNS:client.example.com']);
  const config = path.join(home, 'nginx.conf');
  const log = path.join(home, 'access.log');
  fs.writeFileSync(
    config,
    `daemon off; worker_processes 1; pid ${home}/nginx.pid; error_log ${home}/error.log; user root;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events { worker_connections 1024; }
http {
  log_format line escape=json '{"source":"$remote_addr","server":"$server_addr:$server_port","scheme":"$scheme",'
    '"host":"$http_host","uri":"$request_uri","status":"$status","sni":"$ssl_server_name","client":"$ssl_client_s_dn"}';
  access_log ${log} line;
  client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy; fastcgi_temp_path ${home}/fastcgi;
  uwsgi_temp_path ${home}/uwsgi; scgi_temp_path ${home}/scgi;
  default_type text/plain;
  server { listen 80; location / { return 200 "$http_host by $scheme\\n"; } }
  server {
    listen 443 ssl http2; ssl_certificate ${site.cert}; ssl_certificate_key ${site.key};
    location / { return 200 "$http_host by $scheme\\n"; }
  }
  server {
    listen ${PARTNER_IP}:443 ssl; ssl_certificate ${server.cert}; ssl_certificate_key ${server.key};
    ssl_client_certificate ${partner.cert}; ssl_verify_client on;
    location / { return 200 "$http_host by $scheme for $ssl_client_s_dn\\n"; }
  }
}
stream {
  log_format line '{"source":"$remote_addr","server":"$server_addr:$server_port","scheme":"tcp","host":"","uri":"",'
    '"status":"$status","sni":"","client":""}';
  access_log ${log} line;
  server { listen ${DATABASE_IP}:5432; return "hello $remote_addr\\n"; }
}
`,
  );
  start('nginx', inNamespace(namespace, ['nginx', '-p', home, '-c', config]));
  const caBundle = path.join(folder, 'pki', 'ca-certificates.crt');
  fs.copyFileSync(open.cert, caBundle);
  return { caBundle };
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
