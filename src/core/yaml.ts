import { DEFAULT_SCALAR_STYLE_RULES, DumpOptions, SCALAR_STYLE, ScalarStyleRule, dump } from 'js-yaml';

/** Readers of YAML 1.1 differ on whether a lone dot, as in `exportTo`, or digits with underscores are numbers. Quoted, they agree. */
const quoteNumberLike: ScalarStyleRule = (layout) => {
  if (
    layout.style === SCALAR_STYLE.PLAIN &&
    layout.node.tag === 'tag:yaml.org,2002:str' &&
    /^[-+]?[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9_]*)?$/.test(layout.node.value)
  ) {
    layout.style = SCALAR_STYLE.SINGLE_QUOTED;
  }
};

const OPTIONS: DumpOptions = {
  noRefs: true,
  lineWidth: -1,
  scalarStyleRules: [quoteNumberLike, ...Object.values(DEFAULT_SCALAR_STYLE_RULES)],
};

/**
 * One YAML document, the same bytes for the same value, read alike by readers of YAML 1.1 (Kubernetes) and 1.2.
 *
 * @internal
 */
export function toYaml(value: unknown): string {
  return dump(value, OPTIONS);
}
