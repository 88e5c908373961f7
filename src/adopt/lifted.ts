import type { Manifest } from '../model/manifest';
import { literal } from './code';

/** Manifests that a construct says better, and the code that says it. */
export interface Lifted {
  /** Statements of the chart's constructor. */
  readonly code: string;
  /** Names that the statements need from the package. */
  readonly imports: readonly string[];
  /** Names that they need from cdk8s. */
  readonly fromCdk8s: readonly string[];
  /** Manifests that it replaces. */
  readonly replaces: readonly Manifest[];
  /** Fields that no construct says, and that are added to what it renders. */
  readonly carried: readonly Carried[];
}

/** A field of an object that is rendered. */
export interface Carried {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** JSON pointer in the rendered object. */
  readonly pointer: string;
  readonly value: unknown;
}

/** All statements of it. */
export function statementsOf({ code, carried }: Lifted): string {
  const byObject = new Map<string, string[]>();
  for (const { kind, namespace, name, pointer, value } of carried) {
    const object = [kind, namespace, name].map((word) => literal(word)).join(', ');
    const patches = byObject.get(object) ?? [];
    byObject.set(object, [...patches, `JsonPatch.add(${literal(pointer)}, ${literal(value, 6)})`]);
  }
  const calls = [...byObject].map(
    ([object, patches]) => `    carry(this, ${object}, [\n${patches.map((one) => `      ${one},\n`).join('')}    ]);`,
  );
  return [code, ...calls].join('\n');
}

/** What those statements need from cdk8s. */
export function cdk8sNames({ fromCdk8s, carried }: Lifted): readonly string[] {
  return carried.length > 0 ? [...fromCdk8s, 'JsonPatch'] : fromCdk8s;
}
