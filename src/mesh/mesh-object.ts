import { ApiObject, ApiObjectMetadata, JsonPatch } from 'cdk8s';
import { Construct } from 'constructs';
import { settled } from '../core/settled';
import { refuseOneObjectTwice } from './object-names';
import { refuseAtSynth } from '../core/problem';
import { servedVersion, targetProblems } from './mesh-target';

/**
 * Turns the fields of an object, in the shape of its typed bindings, into the JSON of its manifest. Each generated
 * binding has one: `ServiceEntry.manifest`.
 *
 * @internal
 */
export type Manifest<Props> = (props: Props) => unknown;

/** @internal */
export interface MeshObjectProps<Props> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ApiObjectMetadata;
  /** For kinds that belong to no namespace. A chart's namespace is left out of them. */
  readonly clusterScoped?: boolean;
  /** The binding's own renderer, so that a field it does not know can't be written. */
  readonly manifest: Manifest<Props>;
  /** Called at synth, so that the order of calls before it never matters. */
  readonly spec: () => Props;
}

/**
 * An object whose fields are known only at synth, rendered through its typed bindings.
 *
 * The generated bindings drop fields that they do not know, patches included, when they turn into JSON. Here patches are
 * applied after the bindings, so a user's patch can add a field that is newer than the bindings.
 *
 * @internal
 */
export class MeshObject<Props> extends ApiObject {
  private readonly asked: () => unknown;
  private readonly render: () => unknown;
  private readonly userPatches: JsonPatch[] = [];

  public constructor(scope: Construct, id: string, props: MeshObjectProps<Props>) {
    // cdk8s falls back to the chart's namespace where none is given, but not where it is empty.
    const metadata = props.clusterScoped ? { ...props.metadata, namespace: '' } : props.metadata;
    super(scope, id, { apiVersion: servedVersion(scope, props.apiVersion, props.kind), kind: props.kind, metadata });
    refuseAtSynth(this, () => targetProblems(this));
    this.asked = props.spec;
    this.render = () => props.manifest(settled(props.spec()));
    refuseOneObjectTwice(this);
  }

  /**
   * The fields as they were asked for, in the shape of the bindings, before the bindings had them.
   *
   * @internal
   */
  public _asked(): unknown {
    return this.asked();
  }

  public override addJsonPatch(...ops: JsonPatch[]): void {
    this.userPatches.push(...ops);
  }

  public override toJson(): unknown {
    const json = {
      apiVersion: this.apiVersion,
      kind: this.kind,
      metadata: withoutEmptyNamespace(this.metadata.toJson() as Record<string, unknown>),
      ...pruned(this.render() as Record<string, unknown>),
    };
    return this.userPatches.length ? JsonPatch.apply(json, ...this.userPatches) : json;
  }
}

function withoutEmptyNamespace(metadata: Record<string, unknown>): Record<string, unknown> {
  if (metadata.namespace !== '') return metadata;
  const { namespace: _empty, ...rest } = metadata;
  return rest;
}

/** The object without `apiVersion`, `kind` and `metadata`, and without fields that are not set. */
function pruned(object: Record<string, unknown>): Record<string, unknown> {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...rest } = object;
  return withoutUndefined(rest) as Record<string, unknown>;
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (value === null || typeof value !== 'object') return value;
  const out: Record<string, unknown> = {};
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key];
    if (field !== undefined) out[key] = withoutUndefined(field);
  }
  return out;
}
