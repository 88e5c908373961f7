/** What `diff` says of two sets of manifests, held against requests that know nothing of how it looks for them. */
import { bothStates } from '../../src/diff/both-states';
import { diff } from '../../src/diff/diff';
import type { Diff } from '../../src/diff/types';
import { byIdentity, fingerprint, wayOf } from '../../src/diff/way';
import type { Manifest } from '../../src/model/manifest';
import type { Mesh } from '../../src/model/mesh';
import type { MeshOptions } from '../../src/model/mesh-options';
import { RequestError, trace } from '../../src/trace/index';
import type { Trace, TraceRequest } from '../../src/trace/types';
import { DATAPLANE_MODE } from '../../src/model/injection';
import { entrances, isAmbientAlone } from '../../src/traffic/clients';

export interface Held {
  /** Whether some request, one of those at hand or one that is told, fares otherwise than before. */
  readonly alters: boolean;
  readonly told: Diff;
  /** A request that fares otherwise, of a change that is called none. */
  readonly missed: TraceRequest | undefined;
  /** A request that the diff tells of, and that fares as before. */
  readonly false: TraceRequest | undefined;
  /** A request that fares otherwise, to a host that the diff tells nothing of, and leaves nothing undecided. */
  readonly untold: TraceRequest | undefined;
}

/** A name with a dot at its end is the same name. */
export const hostOf = (request: string): string =>
  (/^\w+:\/\/([^/:?]*)/.exec(request)?.[1] ?? '').toLowerCase().replace(/\.$/, '');

const portOf = (request: string): string => /:(\d+)/.exec(request.slice(6))?.[1] ?? '';

function follow(mesh: Mesh, request: TraceRequest): Trace | undefined {
  try {
    return trace(mesh, request);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return undefined;
  }
}

/** Whether a request does otherwise in the one mesh than in the other. */
export function differs([was, is]: readonly [Mesh, Mesh], request: TraceRequest): boolean {
  const [before, after] = [follow(was, request), follow(is, request)];
  if (before === undefined || after === undefined) return before !== after;
  const host = hostOf(request.request);
  const ways = [wayOf(was, before, host), wayOf(is, after, host)] as const;
  return fingerprint(ways[0]) !== fingerprint(ways[1]) || byIdentity(ways, [before, after]) !== undefined;
}

const OF_TLS = new Set([443, 8443]);

/** Plain text to a port of HTTP, TLS to one of TLS: others are told of only where nothing else changes (docs/every-request.md). */
export function isDeclared({ request }: TraceRequest): boolean {
  const [, scheme = '', port = ''] = /^(\w+):\/\/[^/:]*:?(\d*)/.exec(request) ?? [];
  return port === '' || (scheme === 'https' || scheme === 'tls') === OF_TLS.has(Number(port));
}

/** Whether it gets anywhere on one side at least. */
function arrives(meshes: readonly Mesh[], request: TraceRequest): boolean {
  return meshes.some((mesh) => (follow(mesh, request)?.outcome ?? 'refused') !== 'refused');
}

/** A workload that comes or goes sends nothing on the other side. */
function isShown(mesh: Mesh, from: string): boolean {
  const [namespace = '', name = ''] = from.split('/');
  return mesh.workloads.find(namespace, name)?.runs === true;
}

export function hold(
  sides: readonly [readonly Manifest[], readonly Manifest[]],
  requests: readonly TraceRequest[],
  options: MeshOptions = {},
): Held {
  const { meshes } = bothStates(...sides, options);
  const told = diff(...sides, { mesh: options });
  const wrong = told.changes.map(({ request }) => request).find((request) => !differs(meshes, request));
  // Clients outside enter where `docs/every-request.md` says that they do.
  const ways = new Set(entrances(meshes));
  const isThere = ({ at, from }: TraceRequest): boolean =>
    at !== undefined ? ways.has(at) : new Set(meshes.map((mesh) => isShown(mesh, from))).size === 1;
  // Namespaces that no manifest shows are ambient where all that is shown is (docs/every-request.md).
  const isUnshown = ({ at, from }: TraceRequest): boolean =>
    at === undefined && meshes.every((mesh) => !mesh.shows(from.split('/')[0] ?? ''));
  const enrolled = (request: TraceRequest): TraceRequest =>
    isUnshown(request) && isAmbientAlone(meshes)
      ? { ...request, labels: { ...request.labels, [DATAPLANE_MODE]: 'ambient' } }
      : request;
  const found = requests
    .map(enrolled)
    .filter(isThere)
    .filter((request) => differs(meshes, request));
  const isSilent = told.changes.length === 0 && told.complete;
  return {
    alters: found.length > 0 || told.changes.length > 0,
    told,
    missed: isSilent ? found[0] : undefined,
    false: wrong,
    untold: told.complete
      ? found.find((request) => isDeclared(request) && arrives(meshes, request) && !isTold(told, request))
      : undefined,
  };
}

/** Whether some change is about a host, by its name, a wildcard, or as one that nobody names. */
export function isTold({ changes }: Diff, { request: asked, at }: TraceRequest): boolean {
  const host = hostOf(asked);
  return changes.some(({ to, request }) => {
    // A listener of TCP at a gateway knows no host.
    if (at !== undefined && asked.startsWith('tcp:') && portOf(asked) === portOf(request.request)) return true;
    const own = hostOf(request.request);
    // Short names of Services, and addresses that are dialled.
    if (own.startsWith(`${host}.`) || /^[0-9.]+$/.test(host)) return true;
    const wild = /\/\/\*(\.[^/:? ]+)/.exec(to)?.[1];
    return own === host || to.includes('(any other') || (wild !== undefined && host.endsWith(wild));
  });
}
