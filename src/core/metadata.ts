import { ApiObjectMetadata } from 'cdk8s';

/**
 * The metadata of an object: its name and namespace as the construct says, and what the user adds to it.
 *
 * @internal
 */
export function objectMetadata(
  own: { readonly name: string; readonly namespace?: string; readonly labels?: { [key: string]: string } },
  added: ApiObjectMetadata | undefined,
): ApiObjectMetadata {
  if (!added) return own;
  const { name: _name, namespace: _namespace, labels, ...rest } = added;
  return { ...rest, ...own, labels: own.labels || labels ? { ...labels, ...own.labels } : undefined };
}
