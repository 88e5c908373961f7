import { Construct } from 'constructs';
import * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { shorten } from '../core/names';
import { MeshObject } from '../mesh/mesh-object';

/** @internal */
export interface GrantedReference {
  /** Who refers: group, kind and namespace. */
  readonly fromGroup: string;
  readonly fromKind: string;
  readonly fromNamespace: string;
  /** What is referred to. */
  readonly toGroup: string;
  readonly toKind: string;
  readonly toNamespace: string;
  readonly toName: string;
}

/**
 * Renders the ReferenceGrants that an object's references into other namespaces take, one for each such namespace, for just the
 * names that it refers to.
 *
 * @internal
 */
export function grantReferences(scope: Construct, owner: string, references: readonly GrantedReference[]): void {
  const foreign = references.filter((reference) => reference.toNamespace !== reference.fromNamespace);
  const namespaces = [...new Set(foreign.map((reference) => reference.toNamespace))].sort();
  for (const namespace of namespaces) {
    const here = foreign.filter((reference) => reference.toNamespace === namespace);
    const { fromGroup, fromKind, fromNamespace } = here[0];
    new MeshObject<gatewayApi.ReferenceGrantProps>(scope, `Grant-${namespace}`, {
      ...gatewayApi.ReferenceGrant.GVK,
      metadata: { name: shorten(`${fromNamespace}-${fromKind.toLowerCase()}-${owner}`), namespace },
      manifest: gatewayApi.ReferenceGrant.manifest,
      spec: () => ({
        spec: { from: [{ group: fromGroup, kind: fromKind, namespace: fromNamespace }], to: targets(here) },
      }),
    });
  }
}

function targets(references: readonly GrantedReference[]): gatewayApi.ReferenceGrantSpecTo[] {
  const byKey = new Map(references.map((one) => [`${one.toGroup}/${one.toKind}/${one.toName}`, one]));
  return [...byKey.keys()].sort().map((key) => {
    const { toGroup, toKind, toName } = byKey.get(key) as GrantedReference;
    return { group: toGroup, kind: toKind, name: toName };
  });
}
