import { ApiObject, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, refuseAtSynth } from '../core/problem';
import { partialObject } from './partial-object';

/** What has to be made anew, and why. */
export interface RolloutRestartProps {
  /** The names of the Deployments. All have to be there already. */
  readonly deployments: string[];

  /**
   * Why their Pods have to be made anew, such as "istio 1.29.1 injects". Any change of it makes them anew.
   */
  readonly cause: string;

  /**
   * The namespace of the Deployments.
   *
   * @default the chart's namespace, else "default"
   */
  readonly namespace?: string;

  /**
   * Annotations of the partial Deployments, for the tool that applies them: Argo CD wants
   * `argocd.argoproj.io/sync-options: ServerSideApply=true,Prune=false`, Flux `kustomize.toolkit.fluxcd.io/ssa: Merge`.
   *
   * @default none
   */
  readonly annotations?: { [key: string]: string };
}

/** The annotation of a Pod template that says why it was made anew. */
const CAUSE = 'mesh-edge/restarted-for';

/**
 * Makes the Pods of Deployments anew, as `kubectl rollout restart` does, but as something that can be committed: sidecars are put
 * into Pods when they are made, so Pods that ran before have none.
 *
 * Each object holds one annotation of a Deployment's Pod template, for server-side apply (`kubectl apply --server-side`, Flux, Argo CD):
 * all else of the Deployment stays as its owner has it. A Deployment that is not there makes the apply fail.
 *
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 * @example
 * new RolloutRestart(this, 'Restart', {
 *   namespace: 'envoy-gateway-system',
 *   deployments: ['envoy-gateway'],
 *   cause: 'istio-injection',
 * });
 */
export class RolloutRestart extends Construct {
  /** The partial Deployments, in the order of their names. */
  public readonly resources: ApiObject[];

  public constructor(scope: Construct, id: string, props: RolloutRestartProps) {
    super(scope, id);
    const namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.resources = [...new Set(props.deployments)].sort().map((name) =>
      partialObject(this, name, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        name,
        namespace,
        annotations: props.annotations,
        spec: () => ({ template: { metadata: { annotations: { [CAUSE]: props.cause } } } }),
      }),
    );
    refuseAtSynth(this, () => {
      const none: Problem = {
        what: 'names no Deployment',
        why: 'nothing would be made anew',
        fix: 'name those whose Pods ran before injection was on, such as "envoy-gateway"',
      };
      return [
        ...(props.deployments.length ? [] : [none]),
        ...props.deployments.flatMap((name) => objectNameProblems('deployment', name)),
        ...namespaceProblems('namespace', props.namespace),
      ];
    });
  }
}
