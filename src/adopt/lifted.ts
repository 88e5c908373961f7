import type { Manifest } from '../model/manifest';
import { literal } from './code';
import type { Patch } from './patches';

/** Manifests that a construct says better, and the code that says it. */
export interface Lifted {
  /** Statements of the chart's constructor; of one that is exact, the expression that makes it. */
  readonly code: string;
  /** The ids in the chart that the code gives. */
  readonly ids: readonly string[];
  /** The variable that an exact one is kept under, where others or patches need it. */
  readonly provides?: string;
  /** Variables of others that the code names. */
  readonly uses?: readonly string[];
  /** Whether it stands for one object, field by field: what differs is patched. */
  readonly isExact?: boolean;
  /** Of an exact one, the property that has what it renders. */
  readonly resource?: string;
  readonly patches?: readonly Patch[];
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

/** All statements of it. @param isNamed whether anything needs the variable of an exact one */
export function statementsOf(one: Lifted, isNamed = true): string {
  return one.isExact === true ? exactStatements(one, isNamed) : looseStatements(one);
}

function exactStatements(
  { code, provides = '', resource = 'resource', patches = [] }: Lifted,
  isNamed: boolean,
): string {
  if (patches.length === 0) return `    ${isNamed ? `const ${provides} = ` : ''}${code};`;
  const calls = patches.map(({ op, path, value }) => {
    const rest = op === 'remove' ? '' : `, ${literal(value, 6)}`;
    return `      JsonPatch.${op}(${literal(path)}${rest}),\n`;
  });
  return `    const ${provides} = ${code};\n    ${provides}.${resource}.addJsonPatch(\n${calls.join('')}    );`;
}

function looseStatements({ code, carried }: Lifted): string {
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
export function cdk8sNames({ fromCdk8s, carried, patches = [] }: Lifted): readonly string[] {
  return carried.length > 0 || patches.length > 0 ? [...fromCdk8s, 'JsonPatch'] : fromCdk8s;
}
