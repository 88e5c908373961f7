import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type KubeObject } from './api';

/**
 * The objects of YAML files, and of folders of them with their subfolders.
 *
 * @throws naming the file, and the line where its YAML breaks
 */
export function readManifests(paths: readonly string[]): readonly KubeObject[] {
  return paths.flatMap((file) => {
    if (!fs.existsSync(file)) throw new Error(`cannot read "${file}": there is no such file`);
    if (fs.statSync(file).isDirectory()) {
      const entries = fs.readdirSync(file, { withFileTypes: true });
      const names = entries
        .filter((entry) => entry.isDirectory() || /\.ya?ml$/.test(entry.name))
        .map(({ name }) => name);
      return readManifests(names.sort().map((name) => path.join(file, name)));
    }
    return parse(fs.readFileSync(file, 'utf8'), file);
  });
}

function parse(text: string, file: string): readonly KubeObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new Error(`cannot read "${file}": ${error.message}`);
    const object = document.toJS() as KubeObject | null;
    if (object === null) return [];
    if (!object.apiVersion || !object.kind || !object.metadata?.name) {
      throw new Error(`cannot read "${file}": a document lacks apiVersion, kind or metadata.name`);
    }
    return [object];
  });
}
