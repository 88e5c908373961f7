import { ApiObject, Chart } from 'cdk8s';
import { IConstruct } from 'constructs';

/** What a construct renders, whichever library made it. */
export interface RenderedObject {
  readonly kind: string;
  readonly name: string;
  /** Its own, else that of its chart. */
  readonly namespace?: string;
  readonly body: { readonly [key: string]: unknown };
}

/**
 * The Kubernetes object of a construct: an ApiObject, or a construct whose default child is one, as those of every version of cdk8s-plus.
 *
 * @throws Error where it has none, with what it is instead
 */
export function renderedBy(construct: IConstruct, asked: string): RenderedObject {
  let object: ApiObject;
  try {
    object = ApiObject.of(construct);
  } catch {
    throw new Error(
      `${asked}: ${construct.node.path || construct.constructor.name} is no Kubernetes object, and has none as its default child. ` +
        'Give an ApiObject, or a construct of cdk8s-plus',
    );
  }
  const body = object.toJson() as RenderedObject['body'];
  const chart = object.node.scopes.filter((scope) => Chart.isChart(scope)).at(-1) as Chart | undefined;
  return { kind: object.kind, name: object.name, namespace: object.metadata.namespace ?? chart?.namespace, body };
}
