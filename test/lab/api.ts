import * as http from 'node:http';
import * as https from 'node:https';

/** Any Kubernetes object, as far as this client looks into it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly resourceVersion?: string;
    readonly uid?: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
  };
  readonly [field: string]: unknown;
}

/** Names a kind of object. */
export interface KindRef {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The API server's refusal, in its own words. */
export class ApiError extends Error {
  public constructor(
    public readonly status: number,
    public readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Where the API server is reached: over TLS from inside the lab, or through the lab's socket from outside. */
export type ApiTarget = https.RequestOptions & { readonly tls: boolean };

/** A small client of the Kubernetes API. It asks the server for the plural of each kind. */
export class Api {
  private readonly resources = new Map<string, Promise<readonly ApiResource[]>>();
  private readonly agent: http.Agent;

  /** @param explain makes of an error of the connection what is thrown */
  public constructor(
    private readonly target: ApiTarget,
    private readonly explain: (error: Error) => Error = (error) => error,
  ) {
    const options = { keepAlive: true, maxSockets: 16 };
    this.agent = target.tls ? new https.Agent(options) : new http.Agent(options);
  }

  /** One raw request. Gives the parsed reply, or text where the reply is no JSON. */
  public async request(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
  ): Promise<unknown> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const response = await this.open(method, path, this.agent, payload, contentType);
    const text = await readAll(response).catch((error: Error) => Promise.reject(this.explain(error)));
    const json = response.headers['content-type']?.includes('json') ?? false;
    const reply: unknown = json ? JSON.parse(text) : text;
    const status = response.statusCode ?? 0;
    if (status < 400) return reply;
    const failure = (json ? reply : { message: text }) as { message?: string; reason?: string };
    throw new ApiError(status, failure.reason ?? '', failure.message ?? text);
  }

  /** Server-side apply. With `dryRun` the whole of admission runs and nothing is stored. */
  public async apply(object: KubeObject, options: { dryRun?: boolean; manager?: string } = {}): Promise<KubeObject> {
    const query = `fieldManager=${options.manager ?? 'lab'}&force=true&fieldValidation=Strict${options.dryRun ? '&dryRun=All' : ''}`;
    const path = `${await this.path(object, object.metadata.namespace)}/${object.metadata.name}?${query}`;
    return (await this.request('PATCH', path, object, 'application/apply-patch+yaml')) as KubeObject;
  }

  /** Deletes an object; one that is not there is no error. */
  public async delete(object: KubeObject): Promise<void> {
    const path = `${await this.path(object, object.metadata.namespace)}/${object.metadata.name}`;
    try {
      await this.request('DELETE', path);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }

  /** Deletes this very object at once, and never another one that has taken its name since. */
  public async deleteAtOnce(object: KubeObject & { readonly metadata: { readonly uid: string } }): Promise<void> {
    const { name, namespace, uid } = object.metadata;
    try {
      const options = { gracePeriodSeconds: 0, preconditions: { uid } };
      await this.request('DELETE', `${await this.path(object, namespace)}/${name}`, options);
    } catch (error) {
      if (!(error instanceof ApiError && [404, 409].includes(error.status))) throw error;
    }
  }

  /** The object, or undefined where there is none. */
  public async tryGet(kind: KindRef, name: string, namespace?: string): Promise<KubeObject | undefined> {
    try {
      return (await this.request('GET', `${await this.path(kind, namespace)}/${name}`)) as KubeObject;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** All objects of a kind, in every namespace. */
  public async list(kind: KindRef): Promise<readonly KubeObject[]> {
    return (await this.listWithVersion(kind)).items;
  }

  /** Merges `status` into an object's status. */
  public async patchStatus(object: KubeObject, status: unknown): Promise<void> {
    const path = `${await this.path(object, object.metadata.namespace)}/${object.metadata.name}/status`;
    await this.request('PATCH', path, { status }, 'application/merge-patch+json');
  }

  /** Posts to an object's subresource, such as `token` or `binding`. */
  public async post(object: KubeObject, subresource: string, body: unknown): Promise<unknown> {
    const path = `${await this.path(object, object.metadata.namespace)}/${object.metadata.name}/${subresource}`;
    return this.request('POST', path, body);
  }

  /**
   * Keeps a live copy of all objects of a kind, keyed by `namespace/name`, and calls back after each change.
   * The returned map is the live one.
   */
  public async watch(kind: KindRef, changed: () => void): Promise<ReadonlyMap<string, KubeObject>> {
    const objects = new Map<string, KubeObject>();
    const key = (object: KubeObject) => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const restart = async (): Promise<string> => {
      const { items, resourceVersion } = await this.listWithVersion(kind);
      objects.clear();
      for (const item of items) objects.set(key(item), item);
      changed();
      return resourceVersion;
    };
    const follow = async (from: string): Promise<void> => {
      for (let version = from; ;) {
        const path = `${await this.path(kind)}?watch=true&resourceVersion=${version}`;
        // A watch holds its connection, so it takes none of the agent's.
        const stream = await this.open('GET', path, false);
        for await (const line of lines(stream)) {
          const event = JSON.parse(line) as { type: string; object: KubeObject };
          if (event.type === 'ERROR') break;
          version = event.object.metadata.resourceVersion ?? version;
          if (event.type === 'DELETED') objects.delete(key(event.object));
          else if (event.type !== 'BOOKMARK') objects.set(key(event.object), event.object);
          changed();
        }
        version = await restart();
      }
    };
    const version = await restart();
    const retry = (from: string): void =>
      void follow(from).catch(() => setTimeout(() => void restart().then(retry, () => retry(from)), 500));
    retry(version);
    return objects;
  }

  private async listWithVersion(kind: KindRef): Promise<{ items: readonly KubeObject[]; resourceVersion: string }> {
    const reply = (await this.request('GET', await this.path(kind))) as {
      items: readonly KubeObject[];
      metadata: { resourceVersion: string };
    };
    // Within a list the server leaves out what is the same for all.
    const items = reply.items.map((item) => ({ ...item, ...kind }));
    return { items, resourceVersion: reply.metadata.resourceVersion };
  }

  private async path(kind: KindRef, namespace?: string): Promise<string> {
    const resource = await this.resource(kind);
    const base = groupPath(kind.apiVersion);
    return resource.namespaced && namespace !== undefined
      ? `${base}/namespaces/${namespace}/${resource.name}`
      : `${base}/${resource.name}`;
  }

  /** Whether objects of that kind live in a namespace. */
  public async namespaced(kind: KindRef): Promise<boolean> {
    return (await this.resource(kind)).namespaced;
  }

  private async resource(kind: KindRef): Promise<ApiResource> {
    const known = (await this.discover(kind.apiVersion)).find((resource) => resource.kind === kind.kind);
    if (known !== undefined) return known;
    this.resources.delete(kind.apiVersion);
    const fresh = (await this.discover(kind.apiVersion)).find((resource) => resource.kind === kind.kind);
    if (fresh !== undefined) return fresh;
    throw new ApiError(404, 'NoKindMatch', `no matches for kind "${kind.kind}" in version "${kind.apiVersion}"`);
  }

  private discover(apiVersion: string): Promise<readonly ApiResource[]> {
    const known = this.resources.get(apiVersion);
    if (known !== undefined) return known;
    const asked = this.request('GET', groupPath(apiVersion)).then(
      (reply) => (reply as { resources: readonly ApiResource[] }).resources.filter(({ name }) => !name.includes('/')),
      (error: unknown) => {
        this.resources.delete(apiVersion);
        if (error instanceof ApiError && error.status === 404) return [];
        throw error;
      },
    );
    this.resources.set(apiVersion, asked);
    return asked;
  }

  private open(
    method: string,
    path: string,
    agent: http.Agent | false,
    payload?: string,
    contentType?: string,
  ): Promise<http.IncomingMessage> {
    const { tls, headers, ...target } = this.target;
    const body =
      payload === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(payload) };
    return new Promise((resolve, reject) => {
      const options = { ...target, agent, method, path, headers: { ...headers, ...body } };
      const request = (tls ? https : http).request(options, resolve);
      request.on('error', (error) => reject(this.explain(error)));
      request.end(payload);
    });
  }
}

const groupPath = (apiVersion: string) => (apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`);

async function readAll(stream: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function* lines(stream: http.IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) {
    const parts = (rest + (chunk as string)).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part !== '') yield part;
  }
}
