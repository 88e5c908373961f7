import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { namesNamespaces } from '../mesh/namespace-names';

/** Objects that may refer into the namespace. */
export interface GrantFrom {
  /** Their kind, such as "HTTPRoute". */
  readonly kind: string;

  /** Their namespace. */
  readonly namespace: string;

  /**
   * Their API group.
   *
   * @default "gateway.networking.k8s.io"
   */
  readonly group?: string;
}

/** What they may refer to. */
export interface GrantTo {
  /** Its kind, such as "Service" or "Secret". */
  readonly kind: string;

  /**
   * Its name.
   *
   * @default all of the kind in the namespace
   */
  readonly name?: string;

  /**
   * Its API group.
   *
   * @default "", which Services, Secrets and ConfigMaps are of
   */
  readonly group?: string;
}

/** What there is to say of a leave to refer. */
export interface ReferenceGrantProps {
  /** Who may refer. */
  readonly from: GrantFrom[];

  /** To what. */
  readonly to: GrantTo[];

  /**
   * The namespace of what is referred to.
   *
   * @default the chart's namespace, else "default"
   */
  readonly namespace?: string;

  /**
   * Its name.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of the ReferenceGrant.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * The leave of a namespace's owner that routes and gateways of other namespaces refer to its Services and Secrets. Renders one ReferenceGrant. Where this app has the
 * route itself, no such object is needed: routes and gateways render the narrowest grant by themselves.
 *
 * @see https://gateway-api.sigs.k8s.io/api-types/referencegrant/
 * @example
 * new ReferenceGrant(this, 'Routes', {
 *   namespace: 'shop',
 *   from: [{ kind: 'HTTPRoute', namespace: 'edge' }],
 *   to: [{ kind: 'Service', name: 'web' }],
 * });
 */
export class ReferenceGrant extends Construct {
  /** The rendered ReferenceGrant, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: ReferenceGrantProps) {
    super(scope, id);
    const { from, to } = props;
    const namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.resource = new MeshObject<gatewayApi.ReferenceGrantProps>(this, 'Resource', {
      ...gatewayApi.ReferenceGrant.GVK,
      metadata: objectMetadata({ name: props.name ?? nameOfId(id), namespace }, props.metadata),
      manifest: gatewayApi.ReferenceGrant.manifest,
      spec: () => ({
        spec: {
          from: from.map(({ group = 'gateway.networking.k8s.io', ...one }) => ({ group, ...one })),
          to: to.map(({ group = '', ...one }) => ({ group, ...one })),
        },
      }),
    });
    const empty = (field: string) => ({ what: `\`${field}\` is empty`, why: 'the API server refuses it', fix: 'give it one entry at least' }); // prettier-ignore
    refuseAtSynth(this, () => [
      ...objectNameProblems('name', props.name),
      ...namespaceProblems('namespace', props.namespace),
      ...(from.length ? [] : [empty('from')]),
      ...(to.length ? [] : [empty('to')]),
      ...from.flatMap((one) => namespaceProblems('from', one.namespace)),
    ]);
    namesNamespaces(this, () => from.map((one) => ({ where: '`from`', name: one.namespace })));
  }
}
