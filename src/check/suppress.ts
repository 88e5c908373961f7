/**
 * Findings that somebody has looked at and accepts. By annotation on the object, `mesh-edge.io/suppress: "EDGE201: why"`
 * (several on lines of their own), or in a configuration file. A reason is part of it.
 */
import { isGlob, matcher } from '../model/glob';
import type { CheckContext } from './context';
import type { Finding } from './finding';
import type { Hit, Rule } from './rule';

export const SUPPRESS = 'mesh-edge.io/suppress';

/** An entry of `suppress` in mesh-edge.yaml. */
export interface Suppression {
  /** Id or name of a rule. */
  readonly rule: string;
  readonly reason: string;
  /** `Kind namespace/name`, or a pattern of it (`ServiceEntry shop/*`); default: every object. */
  readonly object?: string;
  /** End of a file's path, or a pattern of the path (`envs/**`); default: every file. */
  readonly file?: string;
  /** The configuration that says so. */
  readonly by?: string;
}

/** A finding that may be suppressed, with the object it is about. */
export interface Suppressible {
  readonly finding: Finding;
  readonly manifestIndex: number | undefined;
  readonly file: string | undefined;
}

interface Wish {
  /** Where it is written. */
  readonly by: string;
  readonly rule: string;
  readonly reason: string;
  readonly applies: (candidate: Suppressible) => boolean;
  readonly hit: Pick<Hit, 'manifest' | 'source' | 'field'>;
  readonly text: string;
}

export interface Hidden<T> {
  readonly candidate: T;
  readonly by: string;
  readonly reason: string;
}

/** Takes the suppressed findings out, and says of which wishes have no reason or nothing to hide. */
export function suppress<T extends Suppressible>(
  context: CheckContext,
  candidates: readonly T[],
  configured: readonly Suppression[],
  rules: { readonly unused: Rule; readonly unexplained: Rule },
): { kept: T[]; complaints: { rule: Rule; hit: Hit }[]; hidden: Hidden<T>[] } {
  const wishes = [...annotated(context), ...configured.map(fromConfiguration)];
  const complaints: { rule: Rule; hit: Hit }[] = [];
  const hidden: Hidden<T>[] = [];
  const used = new Set<Wish>();
  const reasoned = wishes.filter((wish) => {
    if (wish.reason !== '') return true;
    complaints.push({
      rule: rules.unexplained,
      hit: { ...wish.hit, what: `the suppression ${JSON.stringify(wish.text)} gives no reason` },
    });
    return false;
  });
  const kept = candidates.filter((candidate) => {
    const wish = reasoned.find(
      ({ rule, applies }) => [candidate.finding.id, candidate.finding.name].includes(rule) && applies(candidate),
    );
    if (wish === undefined) return true;
    used.add(wish);
    hidden.push({ candidate, by: wish.by, reason: wish.reason });
    return false;
  });
  for (const wish of reasoned) {
    if (!used.has(wish))
      complaints.push({
        rule: rules.unused,
        hit: { ...wish.hit, what: `the suppression of ${wish.rule} hides nothing` },
      });
  }
  return { kept, complaints, hidden };
}

function annotated({ manifests }: CheckContext): Wish[] {
  return manifests.flatMap((manifest) => {
    const text = manifest.annotations[SUPPRESS];
    if (text === undefined) return [];
    return text
      .split(/\n|;(?=\s*EDGE\d)/)
      .map((line) => line.trim())
      .filter(Boolean)
      .map((line): Wish => {
        const [, rule = line, reason = ''] = /^([\w-]+)\s*:?\s*(.*)$/.exec(line) ?? [];
        const field = ['metadata', 'annotations', SUPPRESS];
        return {
          by: 'annotation',
          rule,
          reason: reason.trim(),
          text: line,
          hit: { manifest, field },
          applies: ({ manifestIndex }) => manifestIndex === manifest.index,
        };
      });
  });
}

function fromConfiguration({ rule, reason, object, file, by = 'configuration' }: Suppression): Wish {
  const isObject = matcher(object ?? '');
  const fits = matcher(file ?? '');
  // A pattern is of the whole path from here; a name is the end of one.
  const isFile = (place: string): boolean => {
    const path = place.replace(/\\/g, '/').replace(/^\.\//, '');
    return isGlob(file ?? '') ? fits(path) : path.endsWith(file ?? '');
  };
  return {
    by,
    rule,
    reason: reason.trim(),
    text: rule,
    hit: { source: {}, field: [] },
    applies: ({ finding, file: place }) => {
      const of = finding.object
        ? `${finding.object.kind} ${finding.object.namespace ? `${finding.object.namespace}/` : ''}${finding.object.name}`
        : '';
      return (object === undefined || isObject(of)) && (file === undefined || (place !== undefined && isFile(place)));
    },
  };
}
