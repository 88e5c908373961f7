import { ApiObject, App, Chart } from 'cdk8s';
import { Construct } from 'constructs';

/** A chart by itself, for tests of what constructs render. */
export function world(): Chart {
  return new Chart(new App(), 'world');
}

/** The one object of a kind and name below `scope`, as JSON. */
export function rendered(scope: Construct, kind: string, name?: string): Record<string, any> {
  const found = scope.node
    .findAll()
    .filter((node): node is ApiObject => ApiObject.isApiObject(node))
    .filter((object) => object.kind === kind && (name === undefined || object.name === name));
  if (found.length !== 1)
    throw new Error(`${found.length} objects are ${kind} ${name ?? ''}: ${found.map((o) => o.name).join(', ')}`);
  return found[0].toJson();
}

/** Everything that validation says, each line with its construct path, as a synth would report it. */
export function refusals(scope: Construct): string[] {
  const root = scope.node.root;
  return root.node.findAll().flatMap((node) => node.node.validate().map((text) => `[${node.node.path}] ${text}`));
}
