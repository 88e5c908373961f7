/**
 * What plain scalars stand for where Kubernetes reads YAML: the core schema, with numbers as Go reads them. `0755` is octal, `1_000` a
 * thousand (go.yaml.in/yaml v2 and v3, resolve.go: strconv.ParseInt with base 0, after underscores are taken out).
 */
import { CORE_SCHEMA, NOT_RESOLVED, Schema, defineScalarTag, floatCoreTag, intCoreTag, mergeTag } from 'js-yaml';

const INTEGER = /^([-+]?)(?:0[bB]([01]+)|0[oO]?([0-7]+)|0[xX]([0-9a-fA-F]+)|(0|[1-9][0-9]*))$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

function integer(source: string): number | undefined {
  const [whole, sign, binary, octal, hex, decimal] = INTEGER.exec(source.replace(/_/g, '')) ?? [];
  if (whole === undefined) return undefined;
  const value =
    binary !== undefined
      ? parseInt(binary, 2)
      : octal !== undefined
        ? parseInt(octal, 8)
        : hex !== undefined
          ? parseInt(hex, 16)
          : Number(decimal);
  return sign === '-' && value !== 0 ? -value : value;
}

const intTag = defineScalarTag<number>('tag:yaml.org,2002:int', {
  ...intCoreTag,
  resolve: (source) => integer(source) ?? NOT_RESOLVED,
});

const floatTag = defineScalarTag<number>('tag:yaml.org,2002:float', {
  ...floatCoreTag,
  resolve: (source, isExplicit, tagName) => {
    const plain = source.startsWith('.') ? source : source.replace(/_/g, '');
    if (!FLOAT.test(plain)) return floatCoreTag.resolve(source, isExplicit, tagName) as number | typeof NOT_RESOLVED;
    return Number.isFinite(Number(plain)) ? Number(plain) : NOT_RESOLVED;
  },
});

const others = CORE_SCHEMA.tags.filter((tag) => tag !== intCoreTag && tag !== floatCoreTag);

export const KUBERNETES_SCHEMA = new Schema([...others, intTag, floatTag, mergeTag]);
