import * as fs from 'node:fs';
import { type KubeObject } from '../lab/api';

/** A Secret that has the contents of files under the names that its users look for. */
export function secret(name: string, namespace: string, files: Readonly<Record<string, string>>): KubeObject {
  const data = Object.entries(files).map(([key, file]) => [key, fs.readFileSync(file).toString('base64')]);
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data: Object.fromEntries(data) };
}
