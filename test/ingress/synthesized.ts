import { ApiObject, Chart, Testing } from 'cdk8s';
import { MeshTarget, MeshTargetProps } from '../../src/mesh/mesh-target';

/** A manifest, as far as tests look into it. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: any;
}

/** An empty chart to put constructs into, for the releases of a target where one is given. */
export function chart(target?: MeshTargetProps): Chart {
  const app = Testing.app();
  if (target) new MeshTarget(target).applyTo(app);
  return new Chart(app, 'edge', { namespace: 'shop' });
}

/** The manifests of a kind, and of a name where one is given, valid or not. */
export function rendered(of: Chart, kind: string, name?: string): Rendered[] {
  const objects = of.node.findAll().filter((node): node is ApiObject => ApiObject.isApiObject(node));
  const all = objects.map((object) => object.toJson() as Rendered);
  return all.filter((object) => object.kind === kind && (name === undefined || object.metadata.name === name));
}

/** What synthesis would refuse, each with its construct path. */
export function problems(of: Chart): string {
  const nodes = of.node.root.node.findAll();
  return nodes.flatMap((node) => node.node.validate().map((text) => `[${node.node.path}] ${text}`)).join('\n');
}
