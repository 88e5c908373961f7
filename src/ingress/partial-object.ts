import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { MeshObject } from '../mesh/mesh-object';

/** @internal */
export interface PartialObjectProps {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly annotations?: { readonly [key: string]: string };
  readonly spec: () => unknown;
}

/**
 * Some fields of an object that another tool owns, for server-side apply: lists that have keys are merged by them, and what
 * is not said stays. Applied client-side, it would be refused or take the rest away.
 *
 * @internal
 */
export function partialObject(scope: Construct, id: string, props: PartialObjectProps): ApiObject {
  return new MeshObject<unknown>(scope, id, {
    apiVersion: props.apiVersion,
    kind: props.kind,
    metadata: {
      name: props.name,
      namespace: props.namespace,
      annotations: props.annotations && Object.keys(props.annotations).length ? { ...props.annotations } : undefined,
    },
    manifest: (fields) => fields,
    spec: () => ({ spec: props.spec() }),
  });
}
