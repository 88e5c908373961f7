import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { readManifests } from './manifests';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'manifests-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function file(text: string): string {
  const name = path.join(folder, 'x.yaml');
  fs.writeFileSync(name, text);
  return name;
}

describe('manifests for the lab', () => {
  it('are read from folders and their subfolders, empty documents left out', () => {
    fs.mkdirSync(path.join(folder, 'sub'));
    const one = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n';
    fs.writeFileSync(path.join(folder, 'sub', 'a.yaml'), `---\n${one}---\n---\n${one.replace('name: a', 'name: b')}`);
    expect(readManifests([folder]).map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
  });

  it('that are not there are named', () => {
    const missing = path.join(folder, 'missing.yaml');
    expect(() => readManifests([missing])).toThrow(`cannot read "${missing}": there is no such file`);
  });

  it('that are no YAML are named, with the line', () => {
    expect(() => readManifests([file('kind: {\n')])).toThrow(/cannot read ".*x\.yaml": .* at line \d+/);
  });

  it('that are no objects are named', () => {
    expect(() => readManifests([file('replicas: 2\n')])).toThrow('lacks apiVersion, kind or metadata.name');
  });
});
