import { ApiObject, ApiObjectMetadata } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import * as security from '../../imports/security.istio.io';
import { objectMetadata } from '../core/metadata';
import { nameOfId } from '../core/ids';
import { objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { joinMesh } from './mesh-boundary';
import { MeshObject } from './mesh-object';
import { namesNamespaces } from './namespace-names';
import { PeerScope } from './peer-scope';

/** What a proxy accepts from those who call its workload. */
export enum MutualTls {
  /** Mutual TLS with an identity of the mesh, and nothing else. */
  STRICT = 'STRICT',
  /** Mutual TLS and plain text alike: for the time while a mesh moves to STRICT. */
  PERMISSIVE = 'PERMISSIVE',
  /** The bytes as they come: the proxy ends no TLS of the mesh. */
  DISABLE = 'DISABLE',
  /** What the wider scope says: the namespace, else the mesh. */
  UNSET = 'UNSET',
}

/** Who must speak mutual TLS to whom. */
export interface PeerAuthenticationProps {
  /** Whose callers are meant: the whole mesh, a namespace, or some of its workloads. */
  readonly appliesTo: PeerScope;

  /**
   * What the proxies accept.
   *
   * @default STRICT
   */
  readonly mode?: MutualTls;

  /**
   * The object's name.
   *
   * @default "default" for a mesh or a namespace; for workloads the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of the object.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * What proxies accept from callers: mutual TLS only, or plain text too. Renders one PeerAuthentication.
 *
 * The narrowest that fits a workload wins: its own, else its namespace's, else the mesh's. Ports that differ can be named only for
 * workloads, because Istio ignores them anywhere else.
 *
 * @see https://istio.io/latest/docs/reference/config/security/peer_authentication/
 * @example
 * new PeerAuthentication(this, 'Strict', { appliesTo: PeerScope.mesh() });
 */
export class PeerAuthentication extends Construct {
  /** Whose callers are meant. */
  public readonly appliesTo: PeerScope;

  /** What the proxies accept. */
  public readonly mode: MutualTls;

  /** The rendered PeerAuthentication, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: PeerAuthenticationProps) {
    super(scope, id);
    this.appliesTo = props.appliesTo;
    this.mode = props.mode ?? MutualTls.STRICT;
    const { namespace } = this.appliesTo;
    this.resource = new MeshObject<security.PeerAuthenticationProps>(this, 'Resource', {
      ...security.PeerAuthentication.GVK,
      metadata: objectMetadata(
        { name: props.name ?? (this.appliesTo._isWide ? 'default' : nameOfId(id)), namespace },
        props.metadata,
      ),
      manifest: security.PeerAuthentication.manifest,
      spec: () => ({
        spec: {
          ...this.appliesTo._spec(),
          mtls: { mode: this.mode as string as security.PeerAuthenticationSpecMtlsMode },
        },
      }),
    });
    refuseAtSynth(this, () => [...objectNameProblems('name', props.name), ...this.appliesTo._problems()]);
    joinMesh<PeerAuthentication>('PeerAuthentication', this, oneForEachScope);
    namesNamespaces(this, () => this.appliesTo._named());
  }
}

function oneForEachScope(all: readonly PeerAuthentication[]): Array<{ at: IConstruct; problem: Problem }> {
  const owners = new Map<string, PeerAuthentication>();
  return all.flatMap((one) => {
    const scope = one.appliesTo._key();
    const other = owners.get(scope);
    if (!other) {
      owners.set(scope, one);
      return [];
    }
    const problem: Problem = {
      what: `${one.appliesTo._words()} has both ${other.node.path} (${other.mode}) and ${one.node.path} (${one.mode})`,
      why: `Istio takes the older object and ignores the other, so which of them holds in namespace ${quote(one.appliesTo.namespace)} depends on when they were applied`,
      fix: 'keep one',
    };
    return [{ at: one, problem }];
  });
}
