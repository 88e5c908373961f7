/**
 * A Kubernetes name made of a construct's id: `Cnn` gives `cnn`, `DirectCnn` gives `direct-cnn`, `entry-x` stays.
 *
 * @internal
 */
export function nameOfId(id: string): string {
  return id
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
