/** What kubectl and kustomize make of texts: their own code, asked by JSON lines (`main.go`). */
import { spawnSync } from 'node:child_process';
import type { YamlReader } from '../../src/model/yaml-scalars';

export interface Answer {
  readonly documents: readonly unknown[];
  readonly error?: string;
}

export function askTools(program: string, by: YamlReader, texts: readonly string[]): readonly Answer[] {
  const { stdout, stderr, status } = spawnSync(program, {
    input: texts.map((text) => `${JSON.stringify({ text, by })}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`the reader ended with ${status}: ${stderr.slice(0, 400)}`);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}
