import { ApiObject } from 'cdk8s';
import type * as k8s from '../../imports/k8s';
import { Construct, IConstruct } from 'constructs';
import { nameOfId } from '../core/ids';
import { namespaceProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { coreBindings } from './core-bindings';
import { joinMesh, meshMembers } from './mesh-boundary';
import { MeshObject } from './mesh-object';
import { membershipLabels, MeshMembership } from './mesh-membership';

/** A namespace, as constructs that put objects or rules in it need to know it. */
export interface IMeshNamespace extends IConstruct {
  /** Its name. */
  readonly name: string;

  /** How the Pods that are made in it take part in the mesh. */
  readonly membership: MeshMembership;
}

/** What there is to say of a namespace. */
export interface MeshNamespaceProps {
  /**
   * The name of the namespace.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * How the Pods that are made in it take part in the mesh.
   *
   * @default a sidecar in each Pod, by the label `istio-injection: enabled`
   */
  readonly membership?: MeshMembership;

  /**
   * Further labels. The ones that decide about the mesh come from `membership`, and are refused here.
   *
   * @default none
   */
  readonly labels?: { [key: string]: string };

  /**
   * Annotations of the Namespace.
   *
   * @default none
   */
  readonly annotations?: { [key: string]: string };
}

/** A namespace that another repository makes. */
export interface MeshNamespaceAttributes {
  /** The name of the namespace. */
  readonly name: string;

  /**
   * How the Pods that are made in it take part in the mesh. Callers in a namespace without sidecars, say, are refused where it is known.
   *
   * @default MeshMembership.unknown(): nothing is judged by it
   */
  readonly membership?: MeshMembership;
}

/**
 * A namespace, with the labels that decide whether its Pods belong to the mesh.
 *
 * Istio looks at the labels when a Pod is made: Pods that run already stay as they are until they are made anew.
 * Applied by server-side apply to a namespace that another tool made, it adds its labels and leaves the rest alone.
 *
 * An app that makes one for the namespaces of its applications has said which there are: a policy, an audience or a lockdown that names another is refused, because nobody
 * would be meant by it. What other repositories make is said by `fromName`. Namespaces of other constructs (cdk8s-plus, `Include`) count too, and
 * so does each in which the app runs something. An app that makes none but its gateway's (`MeshMembership.none()`) leaves them to others.
 *
 * @see https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/
 * @example
 * new MeshNamespace(this, 'Shop', { name: 'shop' });
 * new MeshNamespace(this, 'Egress', { name: 'istio-egress', membership: MeshMembership.none() });
 * MeshNamespace.fromName(this, 'Billing', 'billing'); // another repository makes it
 */
export class MeshNamespace extends Construct implements IMeshNamespace {
  /**
   * A namespace that another repository makes. Renders nothing.
   *
   * @param scope where it is known
   * @param id the construct's id
   * @param name the name of the namespace
   */
  public static fromName(scope: Construct, id: string, name: string): IMeshNamespace {
    return new ForeignNamespace(scope, id, { name });
  }

  /**
   * A namespace that another repository makes, and what is known of it. Renders nothing.
   *
   * @param scope where it is known
   * @param id the construct's id
   * @param attributes its name, and how it takes part in the mesh
   */
  public static fromAttributes(scope: Construct, id: string, attributes: MeshNamespaceAttributes): IMeshNamespace {
    return new ForeignNamespace(scope, id, attributes);
  }

  /**
   * What the mesh of a construct says of a namespace whose membership is known.
   *
   * @internal
   */
  public static _called(name: string, construct: IConstruct): IMeshNamespace | undefined {
    const members = meshMembers<IMeshNamespace>('MeshNamespace', construct);
    return members.find((one) => one.name === name && one.membership.isKnown);
  }

  public readonly name: string;
  public readonly membership: MeshMembership;

  /** The rendered Namespace, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: MeshNamespaceProps = {}) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.membership = props.membership ?? MeshMembership.sidecar();
    const labels = { ...props.labels, ...this.membership._labels() };
    this.resource = new MeshObject<k8s.KubeNamespaceProps>(this, 'Resource', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: this.name,
        labels: Object.keys(labels).length ? labels : undefined,
        annotations: props.annotations,
      },
      clusterScoped: true,
      manifest: (fields) => coreBindings().KubeNamespace.manifest(fields),
      spec: () => ({}),
    });
    refuseAtSynth(this, () => [...namespaceProblems('name', this.name), ...labelProblems(props.labels ?? {})]);
    joinMesh<IMeshNamespace>('MeshNamespace', this, declaredOnce);
  }
}

class ForeignNamespace extends Construct implements IMeshNamespace {
  public readonly name: string;
  public readonly membership: MeshMembership;

  public constructor(scope: Construct, id: string, attributes: MeshNamespaceAttributes) {
    super(scope, id);
    this.name = attributes.name;
    this.membership = attributes.membership ?? MeshMembership.unknown();
    refuseAtSynth(this, () => namespaceProblems('name', this.name));
    joinMesh<IMeshNamespace>('MeshNamespace', this, declaredOnce);
  }
}

function labelProblems(labels: { readonly [key: string]: string }): Problem[] {
  const taken = Object.keys(labels).filter((label) => membershipLabels.includes(label));
  return taken.map((label) => ({
    what: `label ${quote(label)} is given in \`labels\``,
    why: 'it decides whether Pods get a sidecar, and two labels that disagree are settled by rules that few remember',
    fix: 'say it by `membership`, such as MeshMembership.revision("stable")',
  }));
}

function declaredOnce(namespaces: readonly IMeshNamespace[]): Array<{ at: IConstruct; problem: Problem }> {
  const owners = new Map<string, IMeshNamespace>();
  const found: Array<{ at: IConstruct; problem: Problem }> = [];
  for (const namespace of namespaces.filter((one) => !(one instanceof ForeignNamespace))) {
    const other = owners.get(namespace.name);
    if (!other) owners.set(namespace.name, namespace);
    else {
      found.push({
        at: namespace,
        problem: {
          what: `namespace ${quote(namespace.name)} is made by both ${other.node.path} and ${namespace.node.path}`,
          why: 'the one applied last decides about the sidecars of both',
          fix: `keep one, and pass its \`name\` where the other is used`,
        },
      });
    }
  }
  return found;
}
