import * as fs from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { type ControlPlane } from './controlplane';
import { type Istiod } from './istiod';
import { type Kubelet } from './kubelet';
import { onTheInternet } from './internet';
import { type NetworkPolicies } from './networkpolicies';

/** What can be asked of a running lab, beside its Kubernetes API. */
export interface Commands {
  /** Runs a command in a Pod, as an application or as the user of that number; or on the network of the `internet`. */
  exec(request: { pod: string; command: readonly string[]; user?: number; timeoutSeconds?: number }): Promise<{
    code: number | null;
    stdout: string;
    stderr: string;
  }>;
  /** The full name of a Pod, its address, and whether it is ready. */
  pod(request: { pod: string }): Promise<{ name: string; address: string; ready: boolean }>;
  /** Kills a container of a Pod as a crash would. */
  crash(request: { pod: string; container: string }): Promise<void>;
  /** Waits until istiod is idle, every proxy has acknowledged, and NetworkPolicies are in force. */
  settle(request: { seconds?: number }): Promise<void>;
  /** Ends istiod, or starts it again: for sidecars, as at first, or for ambient mode as well. */
  istiod(request: { running: boolean; ambient?: boolean }): Promise<void>;
  /** A debug page of istiod, such as `configz`. */
  debug(request: { page: string }): Promise<unknown>;
  /** istiod's metrics, as Prometheus text. */
  metrics(request: object): Promise<string>;
  /** Ends the lab. */
  down(request: object): Promise<void>;
}

/** The lab's socket: `/lab/COMMAND` runs a command, any other path is the Kubernetes API's. */
export class Control {
  private readonly commands: Commands;

  public constructor(
    private readonly plane: ControlPlane,
    istiod: Istiod,
    policies: NetworkPolicies,
    kubelet: Kubelet,
    folder: string,
  ) {
    this.commands = {
      exec: ({ pod, command, user, timeoutSeconds }) =>
        pod === 'internet'
          ? onTheInternet(folder, command, timeoutSeconds)
          : kubelet.find(pod).exec(command, user, timeoutSeconds),
      pod: async ({ pod }) => {
        const { key, address, ready } = kubelet.find(pod);
        return { name: key, address, ready };
      },
      crash: async ({ pod, container }) => kubelet.find(pod).crash(container),
      settle: async ({ seconds }) => {
        await istiod.settle(seconds);
        await policies.settle();
      },
      istiod: ({ running, ambient }) => (running ? istiod.start({ ambient }) : istiod.stop()),
      debug: ({ page }) => istiod.debug(page),
      metrics: () => istiod.metrics(),
      down: async () => void setTimeout(() => process.exit(0), 20),
    };
  }

  /** Only root may open the socket: it gives full rights over the lab. */
  public listen(socket: string): Promise<void> {
    const server = http.createServer((request, response) => void this.serve(request, response));
    // A client that reuses a connection must not find it closed meanwhile.
    server.keepAliveTimeout = 0;
    return new Promise((resolve, reject) => {
      server.on('error', reject);
      server.listen(socket, () => {
        fs.chmodSync(socket, 0o600);
        resolve();
      });
    });
  }

  private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const name = /^\/lab\/(\w+)$/.exec(request.url ?? '')?.[1];
    if (name === undefined) return this.forward(request, response);
    const command = this.commands[name as keyof Commands] as ((body: unknown) => Promise<unknown>) | undefined;
    try {
      if (command === undefined) throw new Error(`the lab has no command "${name}"`);
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const result = await command(JSON.parse(Buffer.concat(chunks).toString() || '{}'));
      response.setHeader('content-type', 'application/json').end(JSON.stringify(result ?? null));
    } catch (error) {
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: (error as Error).message }));
    }
  }

  private forward(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { tls: _, headers, ...target } = this.plane.target;
    const { host: __, connection: ___, ...sent } = request.headers;
    const upstream = https.request(
      { ...target, method: request.method, path: request.url, headers: { ...sent, ...headers } },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(response);
      },
    );
    upstream.on('error', (error) =>
      response.headersSent ? response.destroy() : response.writeHead(502).end(error.message),
    );
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  }
}
