/** What `check` says of manifests, and two namespaces of the mesh to put some in. */
import { check } from '../../src/check/check';
import type { Finding } from '../../src/check/finding';
import { loadText } from '../../src/model/load';
import type { MeshOptions } from '../../src/model/mesh-options';

export const judge = (yaml: string, options: MeshOptions = {}): readonly Finding[] =>
  check(loadText(yaml), options).findings;
export const ids = (yaml: string, options?: MeshOptions): readonly string[] =>
  judge(yaml, options).map(({ id, severity }) => `${id} ${severity}`);

export const NAMESPACES = ['app', 'gw'].map(
  (name) => `
---
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {istio-injection: enabled}}`,
).join(''); // prettier-ignore
