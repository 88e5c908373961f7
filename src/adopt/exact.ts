/** Whether a construct renders the one object that it stands for, and what has to be patched for that. */
import { record, text, type Json } from '../model/fields';
import type { Lifted } from './lifted';
import { leaves, patchesTo, type Patch } from './patches';
import { asWritten, OWN_NOTES } from './written';

export interface Judged {
  /** Why the object stays as it is. */
  readonly loss?: string;
  readonly patches: readonly Patch[];
}

/** Where an object says what it belongs to: what a construct names once may be written in several ways. */
const REFERRING = /^\/(apiVersion$|spec\/(targetRefs?|parentRefs)(\/|$))/;

export function judgeExact(one: Lifted, renders: readonly Json[]): Judged {
  const [manifest] = one.replaces;
  if (manifest === undefined) return { patches: [] };
  const own = renders.find(({ kind, metadata }) => kind === manifest.kind && record(metadata).name === manifest.name && text(record(metadata).namespace) === manifest.namespace); // prettier-ignore
  if (own === undefined) return { loss: 'the construct renders it under another name', patches: [] };
  const other = renders.find((body) => body !== own);
  if (other !== undefined) return { loss: `with it, the construct renders ${text(other.kind)} ${text(record(other.metadata).name)}`, patches: [] }; // prettier-ignore
  const wanted = comparable(asWritten(manifest), own);
  const patches = patchesTo(own, wanted);
  if (patches.length === 0) return { patches };
  const said = `${[...new Set(patches.map(({ path }) => path))].join(', ')}`;
  if (one.patches !== undefined) return { loss: `no construct says ${said}`, patches: [] };
  const corrected = patches.filter(({ op, path }) => op !== 'add' && !REFERRING.test(path));
  const changed = corrected.reduce((sum, { value }) => sum + Math.max(1, leaves(value)), 0);
  if (changed * 2 > leaves(wanted.spec))
    return { loss: `the construct says otherwise in most of it: ${said}`, patches: [] };
  return { patches };
}

/** An object as it is to be rendered: in the namespace that it is in where it names none, and in a version that says the same. */
function comparable(body: Json, rendered: Json): Json {
  const { namespace, ...metadata } = record(body.metadata);
  const notes = Object.entries(record(metadata.annotations)).filter(([key]) => !OWN_NOTES.has(key));
  const { annotations: _all, ...others } = metadata;
  const where = namespace ?? record(rendered.metadata).namespace;
  return {
    ...body,
    apiVersion: isSameVersion(body, rendered) ? rendered.apiVersion : body.apiVersion,
    metadata: {
      ...others,
      ...(where !== undefined && { namespace: where }),
      ...(notes.length > 0 && { annotations: Object.fromEntries(notes) }),
    },
  };
}

/** Kinds whose older versions say the same as v1, which every release that is in use serves. */
const SETTLED = new Set(['Gateway', 'GatewayClass', 'HTTPRoute', 'VirtualService', 'DestinationRule', 'ServiceEntry', 'Sidecar', 'Telemetry', 'PeerAuthentication', 'RequestAuthentication', 'AuthorizationPolicy']); // prettier-ignore

export function isSameVersion({ apiVersion, kind }: Json, rendered: Json): boolean {
  return apiVersion === rendered.apiVersion || (SETTLED.has(text(kind)) && /^(gateway\.networking\.k8s|(networking|security|telemetry)\.istio)\.io\//.test(text(apiVersion))); // prettier-ignore
}
