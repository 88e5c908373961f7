import { Construct } from 'constructs';
import { Problem, refuseAtSynth } from '../core/problem';
import { InvariantRule } from './invariant-rule';
import { meshBoundaryOf } from './mesh-boundary';
import { OutboundMode } from './outbound-traffic-policy';

/** What holds for every request. */
export interface EdgeInvariantProps {
  /** The rule. */
  readonly rule: InvariantRule;

  /**
   * What it is called in messages.
   *
   * @default the construct's id
   */
  readonly name?: string;

  /**
   * Whether it may be true of nobody: a rule that says nothing of any request is refused otherwise, since it is most likely misspelled.
   *
   * @default false
   */
  readonly mayBeVacuous?: boolean;

  /**
   * What becomes of hosts that nothing declares.
   *
   * @default as the app's install input says, else ALLOW_ANY
   */
  readonly outbound?: OutboundMode;

  /**
   * The mesh's root namespace.
   *
   * @default "istio-system"
   */
  readonly rootNamespace?: string;

  /**
   * The release of Istio that the mesh runs.
   *
   * @default found among the objects, else the newest that is modelled
   */
  readonly istioVersion?: string;
}

/** The reading half, as far as it is asked here. */
interface Prover {
  problemsOf(subject: unknown, rule: string, options: { [key: string]: string | undefined }): Problem[];
}

/**
 * A rule about all traffic of an app, such as "only payments reaches Stripe". It renders nothing: at synth it is decided for every
 * request that the app's objects, all charts together, can make of it, and synth is refused where the rule does not hold, with a request
 * that breaks it.
 *
 * What other repositories add to the same mesh it does not see: `mesh-edge prove` decides the same rules over all manifests of a cluster.
 * @example
 * new EdgeInvariant(this, 'OnlyPaymentsReachStripe', {
 *   rule: InvariantRule.forbid({ except: [TrafficSource.workload('shop', 'payments')], to: { hosts: ['api.stripe.com'] } }),
 * });
 */
export class EdgeInvariant extends Construct {
  /** What it is called in messages. */
  public readonly ruleName: string;

  public constructor(scope: Construct, id: string, props: EdgeInvariantProps) {
    super(scope, id);
    this.ruleName = props.name ?? id;
    refuseAtSynth(this, () => this.problems(props));
  }

  private problems({ rule, mayBeVacuous, outbound, rootNamespace, istioVersion }: EdgeInvariantProps): Problem[] {
    const vacuous = mayBeVacuous === true ? 'allowed' : undefined;
    const text = JSON.stringify({ rules: [{ name: this.ruleName, vacuous, ...rule._written() }] });
    // Only who has an invariant loads what decides it.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const { problemsOf } = require('../plugin/invariants') as Prover;
    return problemsOf(meshBoundaryOf(this), text, { outbound, rootNamespace, istioVersion });
  }
}
