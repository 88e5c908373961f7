/** `mesh-edge trace PATH...`: what a request does, hop by hop. */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { json, printable } from '../model/printable';
import type { Mesh } from '../model/mesh';
import type { Trace, TraceRequest } from '../trace/types';
import { isColored } from './color';
import { FOUND, OK, UsageError } from './exit';
import { type InputFlags, addInputOptions, readManifests, sayUnread } from './input';
import { addMeshOptions, type MeshFlags, meshOptionsOf } from './mesh-options';
import { parseLine } from './request-line';
import { addRequestOptions, type RequestFlags, requestOf } from './request-options';

const FORMATS = ['text', 'json', 'mermaid'] as const;

interface TraceFlags extends MeshFlags, InputFlags, RequestFlags {
  readonly requests?: string;
  readonly format: (typeof FORMATS)[number];
}

export function register(program: Command): void {
  const command = program
    .command('trace')
    .description('trace a request through the mesh, hop by hop: proxies, deciding objects, TLS')
    .argument('<PATH...>', 'YAML or JSON files, folders (searched recursively), or - for standard input')
    .option('--requests <file>', 'many requests: JSON lines in (- for standard input), JSON lines out, in order')
    .addOption(new Option('--format <format>', 'how the trace is written').choices(FORMATS).default('text'));
  addRequestOptions(command);
  addMeshOptions(addInputOptions(command)).action(run);
}

async function run(paths: string[], flags: TraceFlags): Promise<void> {
  if ((flags.request === undefined) === (flags.requests === undefined))
    throw new UsageError('give either --request or --requests');
  if (flags.request !== undefined && flags.from === undefined) {
    throw new UsageError('--request needs --from NAMESPACE[/WORKLOAD], or --from outside with --at NAMESPACE/GATEWAY');
  }
  const lines = flags.requests === undefined ? undefined : readLines(flags.requests, paths);
  const { acceptedMesh } = await import('../check/accepted.js');
  const loaded = await readManifests(paths, flags);
  const mesh = acceptedMesh(loaded.manifests, await meshOptionsOf(flags));
  const request = requestOf(flags);
  const requests = lines?.map((line, index) => parseLine(line, index + 1));
  const result = requests === undefined ? await followOne(mesh, request) : undefined;
  await sayUnread(loaded, 'the other documents are traced');
  if (result === undefined) {
    await followAll(mesh, requests ?? []);
    return;
  }
  process.stdout.write(await written(result, request, flags.format));
  process.exitCode = result.outcome === 'refused' ? FOUND : OK;
}

async function followOne(mesh: Mesh, request: TraceRequest): Promise<Trace> {
  const { RequestError, trace } = await import('../trace/index.js');
  try {
    return trace(mesh, request);
  } catch (error) {
    if (error instanceof RequestError) throw new UsageError(error.message);
    throw error;
  }
}

async function written(result: Trace, request: TraceRequest, format: TraceFlags['format']): Promise<string> {
  if (format === 'json') return `${json(result, 2)}\n`;
  if (format === 'mermaid') return (await import('../report/trace-mermaid.js')).traceMermaid(result, request);
  return (await import('../report/trace-text.js')).traceText(result, request, { color: isColored() });
}

function readLines(file: string, paths: readonly string[]): readonly string[] {
  if (file === '-' && paths.includes('-')) throw new UsageError('standard input cannot be both manifests and requests');
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

/** One line out for each line in, in order. A request that nothing can follow is answered `unknown`, with the reason. */
async function followAll(mesh: Mesh, requests: readonly TraceRequest[]): Promise<void> {
  const { notFollowed, RequestError, trace } = await import('../trace/index.js');
  for (const [index, request] of requests.entries()) {
    let result: Trace;
    try {
      result = trace(mesh, request);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      process.stderr.write(`mesh-edge: request ${index + 1}: ${printable(error.message)}\n`);
      result = notFollowed(error);
    }
    process.stdout.write(`${json(result)}\n`);
  }
}
