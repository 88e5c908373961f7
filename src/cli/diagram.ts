/** `mesh-edge diagram PATH... -o FILE`: the whole edge, or the way of one request, as a picture. */
import { extname } from 'node:path';
import type { Command } from 'commander';
import type { PictureFormat } from '../report/diagram/index';
import type { TraceRequest } from '../trace/types';
import { writeOne } from './written';
import { OK, UsageError } from './exit';
import { type InputFlags, addInputOptions, readManifests, sayUnread } from './input';
import { addMeshOptions, type MeshFlags, meshOptionsOf } from './mesh-options';
import { progressBar } from './progress';
import { addRequestOptions, type RequestFlags, requestOf } from './request-options';

const FORMATS: Readonly<Record<string, PictureFormat>> = { '.mmd': 'mmd', '.svg': 'svg', '.html': 'html' };

interface DiagramFlags extends MeshFlags, InputFlags, RequestFlags {
  readonly output: string;
}

export function register(program: Command): void {
  const command = program
    .command('diagram')
    .description('draw all ingress and egress traffic, or the path of one request')
    .argument('<PATH...>', 'YAML or JSON files, folders (searched recursively), or - for standard input')
    .requiredOption('-o, --output <file>', 'what to write, by its ending: .mmd (Mermaid), .svg, .html (one page)');
  addRequestOptions(command);
  addMeshOptions(addInputOptions(command)).action(run);
}

async function run(paths: string[], flags: DiagramFlags): Promise<void> {
  const format = FORMATS[extname(flags.output).toLowerCase()];
  if (format === undefined)
    throw new UsageError(`"${flags.output}" ends in none of ${Object.keys(FORMATS).join(', ')}`);
  if (flags.request === undefined && flags.from !== undefined)
    throw new UsageError('--from says who sends --request: give both, or neither for the whole edge');
  if (flags.request !== undefined && flags.from === undefined)
    throw new UsageError('--request needs --from NAMESPACE[/WORKLOAD], or --from outside with --at NAMESPACE/GATEWAY');
  const { acceptedMesh } = await import('../check/accepted.js');
  const loaded = await readManifests(paths, flags);
  await sayUnread(loaded, 'the other documents are drawn');
  const mesh = acceptedMesh(loaded.manifests, await meshOptionsOf(flags));
  const bar = progressBar('following requests');
  const { edgePicture } = await import('../report/diagram/index.js');
  const picture =
    flags.request === undefined ? edgePicture(mesh, format, bar.update) : await drawn(requestOf(flags), format);
  bar.end();
  writeOne(flags.output, picture);
  process.exitCode = OK;

  async function drawn(request: TraceRequest, as: PictureFormat): Promise<string> {
    const { RequestError, trace } = await import('../trace/index.js');
    const { requestPicture } = await import('../report/diagram/index.js');
    try {
      return requestPicture(trace(mesh, request), request, as);
    } catch (error) {
      if (error instanceof RequestError) throw new UsageError(error.message);
      throw error;
    }
  }
}
