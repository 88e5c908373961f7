import { loadText } from '../../src/model/load';
import type { MeshOptions } from '../../src/model/mesh-options';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace';
import type { Trace, TraceRequest } from '../../src/trace';

/** Traces in the mesh that some YAML describes, from a client of namespace `app` unless told otherwise. */
export function traceIn(
  yaml: string,
  options: MeshOptions = { outbound: 'REGISTRY_ONLY' },
): (request: string, more?: Partial<TraceRequest>) => Trace {
  const mesh = buildMesh(loadText(yaml).manifests, options);
  return (request, more = {}) => trace(mesh, { from: 'app/sleep', request, ...more });
}

/** What a trace comes to, in a word: where it was delivered, or code, status and proxy of what answers or refuses it. */
export function outcome(told: Trace): string {
  if (told.outcome === 'delivered') return `delivered to ${told.destination?.host}:${told.destination?.port}`;
  if (told.outcome === 'unknown') return 'unknown';
  const { code, status, proxy } = told.refusal ?? told.answer ?? {};
  return `${code} ${status ?? '-'} at ${proxy?.kind}`;
}
