import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { Problem } from '../core/problem';
import { joinMesh, meshBoundaryOf } from './mesh-boundary';

/**
 * Has the mesh of a construct refuse two constructs that render one object of the API server, whichever library made them: the one that
 * is applied last would win.
 *
 * @internal
 */
export function refuseOneObjectTwice(construct: IConstruct): void {
  joinMesh('object', construct, ([first]) => sameObjectTwice(meshBoundaryOf(first)));
}

function sameObjectTwice(mesh: IConstruct): { at: IConstruct; problem: Problem }[] {
  const problems: { at: IConstruct; problem: Problem }[] = [];
  const seen = new Map<string, ApiObject>();
  for (const node of mesh.node.findAll()) {
    if (!ApiObject.isApiObject(node) || meshBoundaryOf(node) !== mesh) continue;
    const namespace = node.metadata.namespace ?? '';
    const key = [node.apiGroup, node.kind, namespace, node.name].join('\n');
    const other = seen.get(key);
    if (!other) {
      seen.set(key, node);
      continue;
    }
    problems.push({
      at: node,
      problem: {
        what: `${node.kind} ${namespace === '' ? node.name : `${namespace}/${node.name}`} is rendered by both ${other.node.path} and ${node.node.path}`,
        why: 'they are one object to the API server: the one that is applied last replaces the other',
        fix: 'give one of them another name or namespace, or draw a MeshBoundary around each mesh',
      },
    });
  }
  return problems;
}
