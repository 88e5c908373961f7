import { ApiObject, ApiObjectMetadata } from 'cdk8s';
import { Construct } from 'constructs';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { objectNameProblems } from '../core/names';
import { Problem, refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { EnvoyExtension } from './envoy-extension';
import { ENVOY_GATEWAY_API, envoyGateway, envoyGatewayBindings } from './envoy-gateway-bindings';
import { PolicyTarget } from './policy-target';
import { grantReferences } from './reference-grants';

/** What runs on requests, and where. */
export interface EnvoyExtensionPolicyProps {
  /** What it is about. */
  readonly target: PolicyTarget;

  /** What runs. Lua, modules and services each run in the order in which they stand here. */
  readonly extensions: EnvoyExtension[];

  /**
   * Its name.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of the EnvoyExtensionPolicy.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * Runs code of one's own on requests at an Envoy Gateway, or asks a service about them. Renders one EnvoyExtensionPolicy in the namespace of its target. What the code does is not
 * known to `trace`, which says so of requests that it sees.
 *
 * @see https://gateway.envoyproxy.io/docs/tasks/extensibility/
 * @example
 * new EnvoyExtensionPolicy(this, 'Stamp', {
 *   target: PolicyTarget.gateway(gateway),
 *   extensions: [EnvoyExtension.lua('function envoy_on_response(handle) handle:headers():add("x-seen", "1") end')],
 * });
 */
export class EnvoyExtensionPolicy extends Construct {
  /** What it is about. */
  public readonly target: PolicyTarget;

  /** The rendered EnvoyExtensionPolicy, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: EnvoyExtensionPolicyProps) {
    super(scope, id);
    const { extensions, target } = props;
    this.target = target;
    const { namespace } = target;
    const name = props.name ?? nameOfId(id);
    this.resource = new MeshObject<envoyGateway.EnvoyExtensionPolicySpec>(this, 'Resource', {
      apiVersion: ENVOY_GATEWAY_API,
      kind: 'EnvoyExtensionPolicy',
      metadata: objectMetadata({ name, namespace }, props.metadata),
      manifest: (spec) => envoyGatewayBindings().EnvoyExtensionPolicy.manifest({ spec }),
      spec: () => {
        const specs = extensions.map((one) => one._spec(namespace));
        const all = <T>(lists: ReadonlyArray<readonly T[] | undefined>): T[] | undefined => {
          const flat = lists.flatMap((list) => list ?? []);
          return flat.length ? flat : undefined;
        };
        return {
          targetRefs: [target._ref()],
          lua: all(specs.map(({ lua }) => lua)),
          wasm: all(specs.map(({ wasm }) => wasm)),
          extProc: all(specs.map(({ extProc }) => extProc)),
        };
      },
    });
    target._guardedBy(this);
    const asked = extensions.flatMap(({ _service }) => (_service ? [_service] : []));
    const grants = asked.flatMap((one) => one._grants('gateway.envoyproxy.io', 'EnvoyExtensionPolicy', namespace));
    if (grants.length) grantReferences(this, name, grants);
    refuseAtSynth(this, () => [
      ...objectNameProblems('name', props.name),
      ...target._problems(),
      ...extensions.flatMap((one) => one._problems()),
      ...nothingProblems(extensions),
    ]);
  }
}

function nothingProblems(extensions: readonly EnvoyExtension[]): Problem[] {
  return extensions.length
    ? []
    : [{ what: 'runs nothing', why: 'requests would pass as they are', fix: 'give `extensions` at least one' }];
}
