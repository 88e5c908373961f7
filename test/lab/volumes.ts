import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Api } from './api';
import { NODE_IP } from './network';
import {
  type Container,
  type EnvVar,
  expand,
  fieldValue,
  type KeyedSource,
  type NamedRef,
  type Pod,
  type Volume,
  type VolumeSource,
} from './podspec';

/** Something a Pod refers to is not there yet. The kubelet waits for it. */
export class NotThereYet extends Error {}

/** What the API server holds for one Pod: its volumes' files and its environment. */
export class PodData {
  public constructor(
    private readonly api: Api,
    private readonly pod: Pod,
    private readonly address: string,
  ) {}

  /** Makes a volume's folder with all its files. */
  public async fill(volume: Volume, folder: string): Promise<void> {
    fs.mkdirSync(folder, { recursive: true });
    fs.chmodSync(folder, 0o777);
    const sources = volume.projected?.sources ?? [volume];
    for (const source of sources) {
      for (const [name, content] of await this.files(source)) {
        const file = path.join(folder, name);
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, content);
      }
    }
  }

  private async files(source: VolumeSource): Promise<readonly (readonly [string, Buffer])[]> {
    const { configMap, secret, downwardAPI, serviceAccountToken } = source;
    if (configMap) return chosen(await this.data('ConfigMap', configMap.name, configMap.optional), configMap);
    if (secret) return chosen(await this.data('Secret', secret.secretName ?? secret.name!, secret.optional), secret);
    if (downwardAPI) {
      return (downwardAPI.items ?? []).map((item) => [
        item.path,
        Buffer.from(fieldValue(this.pod, item, this.address, NODE_IP)),
      ]);
    }
    if (serviceAccountToken) return [[serviceAccountToken.path, await this.token(serviceAccountToken)]];
    return [];
  }

  private async data(kind: string, name: string, optional = false): Promise<ReadonlyMap<string, Buffer>> {
    const object = await this.api.tryGet({ apiVersion: 'v1', kind }, name, this.pod.metadata.namespace);
    if (object === undefined && !optional) throw new NotThereYet(`${kind} ${this.pod.metadata.namespace}/${name}`);
    const encoded = kind === 'Secret' ? object?.data : object?.binaryData;
    const plain = kind === 'Secret' ? undefined : object?.data;
    return new Map([
      ...Object.entries((plain ?? {}) as Record<string, string>).map(
        ([key, value]) => [key, Buffer.from(value)] as const,
      ),
      ...Object.entries((encoded ?? {}) as Record<string, string>).map(
        ([key, value]) => [key, Buffer.from(value, 'base64')] as const,
      ),
    ]);
  }

  private async token(wanted: NonNullable<VolumeSource['serviceAccountToken']>): Promise<Buffer> {
    const { name, namespace, uid } = this.pod.metadata;
    const account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: this.pod.spec.serviceAccountName ?? 'default', namespace },
    };
    const reply = (await this.api.post(account, 'token', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        ...(wanted.audience === undefined ? {} : { audiences: [wanted.audience] }),
        expirationSeconds: 12 * 3600,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    })) as { status: { token: string } };
    return Buffer.from(reply.status.token);
  }

  /** The environment of a container. */
  public async environment(container: Container): Promise<Record<string, string>> {
    const env: Record<string, string> = {};
    for (const { configMapRef, secretRef, prefix = '' } of container.envFrom ?? []) {
      const [kind, ref] = secretRef ? ['Secret', secretRef] : ['ConfigMap', configMapRef!];
      for (const [key, value] of await this.data(kind, ref.name, ref.optional)) env[prefix + key] = value.toString();
    }
    for (const variable of container.env ?? []) {
      const value = await this.value(variable, env);
      if (value !== undefined) env[variable.name] = value;
    }
    return env;
  }

  private async value(variable: EnvVar, env: Readonly<Record<string, string>>): Promise<string | undefined> {
    const from = variable.valueFrom;
    if (!from) return expand(variable.value ?? '', env);
    const { configMapKeyRef, secretKeyRef } = from;
    if (configMapKeyRef) return this.key('ConfigMap', configMapKeyRef);
    if (secretKeyRef) return this.key('Secret', secretKeyRef);
    return fieldValue(this.pod, from, this.address, NODE_IP);
  }

  private async key(kind: string, ref: NamedRef & { readonly key: string }): Promise<string | undefined> {
    const value = (await this.data(kind, ref.name, ref.optional)).get(ref.key);
    if (value === undefined && !ref.optional) throw new NotThereYet(`key ${ref.key} of ${kind} ${ref.name}`);
    return value?.toString();
  }
}

function chosen(data: ReadonlyMap<string, Buffer>, { items }: KeyedSource): readonly (readonly [string, Buffer])[] {
  if (items === undefined) return [...data];
  return items.flatMap(({ key, path: name }) => {
    const content = data.get(key);
    return content === undefined ? [] : [[name, content] as const];
  });
}
