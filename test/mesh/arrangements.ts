/** What scenarios need beside their manifests, made when they run: Secrets of the parties, and addresses of the lab. */
import * as path from 'node:path';
import { type KubeObject } from '../lab/api';
import { LOG_FORMAT } from '../lab/internet';
import { Authority } from '../lab/pki';
import { type Mesh } from './mesh';
import { secret } from './secrets';

/** The authority that a site of the lab's internet trusts its clients by. */
export function partner(mesh: Mesh, host: string): Authority {
  return Authority.open(path.join(mesh.lab.folder, 'pki', host));
}

export async function credential(mesh: Mesh, host: string, name: string, namespace: string): Promise<KubeObject> {
  const authority = partner(mesh, host);
  const { cert, key } = await authority.issue(name, name, [`DNS:${name}.example.com`]);
  return secret(name, namespace, { 'tls.crt': cert, 'tls.key': key, 'ca.crt': authority.cert });
}

export const NGINX = 'my-nginx.mesh-external.svc.cluster.local';

/** The Secrets that document 001's server and the gateway refer to, made for this run. */
async function nginxSecrets(mesh: Mesh): Promise<readonly KubeObject[]> {
  const authority = await Authority.create(path.join(mesh.lab.folder, 'pki', NGINX), 'example.com');
  const server = await authority.issue('server', NGINX, [`DNS:${NGINX}`]);
  const client = await authority.issue('client', 'client.example.com', ['DNS:client.example.com']);
  return [
    secret('nginx-server-certs', 'mesh-external', { 'tls.crt': server.cert, 'tls.key': server.key }),
    secret('nginx-ca-certs', 'mesh-external', { 'example.com.crt': authority.cert }),
    secret('client-credential', 'istio-system', {
      'tls.crt': client.cert,
      'tls.key': client.key,
      'ca.crt': authority.cert,
    }),
  ];
}

/** Where document 001's server is seen. */
export const NGINX_POD = { pod: 'mesh-external/my-nginx', container: 'my-nginx' };

/** Adds the server's Secrets, and has it log what the internet's servers log: who came, with which SNI and certificate. */
export async function withNginx(mesh: Mesh, objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
  const text = JSON.stringify(objects).replace(/log_format main .*?;/, () =>
    JSON.stringify(`log_format main ${LOG_FORMAT};`).slice(1, -1),
  );
  return [...(JSON.parse(text) as readonly KubeObject[]), ...(await nginxSecrets(mesh))];
}

/** Starts the proxy of document 003 and puts its address where the manifests have a stand-in. */
export async function withProxyAddress(mesh: Mesh, objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
  await mesh.lab.apply(objects.filter(({ kind }) => kind !== 'ServiceEntry'));
  await mesh.lab.ready('external/squid');
  const { address } = await mesh.lab.run('pod', { pod: 'external/squid' });
  PROXY.args[1] = `http://${address}:3128`;
  return JSON.parse(JSON.stringify(objects).replaceAll('192.0.2.10', address)) as readonly KubeObject[];
}

/** curl's way to the proxy; its address is known when it runs. */
export const PROXY: { args: [string, string] } = { args: ['--proxy', ''] };
