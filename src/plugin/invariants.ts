/** Rules over all requests, decided while an app is synthesized: what `EdgeInvariant` asks. */
import { acceptedMesh } from '../check/accepted';
import type { MeshOptions } from '../model/mesh-options';
import { allPrintable } from '../model/printable';
import { loadSubject } from '../model/subject';
import { type Proof, prove, unknownNames } from '../prove/prove';
import { readRules } from '../prove/rules';
import { followIt } from '../report/prove';

interface Problem {
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

/** What is wrong with a rule, or with the app by that rule. */
export function problemsOf(subject: unknown, text: string, options: MeshOptions): Problem[] {
  const { rules, problems } = readRules(text);
  if (problems.length > 0) return allPrintable(problems).map(unreadable);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const mesh = acceptedMesh(loadSubject(subject, 'EdgeInvariant').manifests, given);
  const unknown = unknownNames(mesh, rules);
  if (unknown.length > 0) return allPrintable(unknown).map(unreadable);
  return prove(mesh, rules)
    .filter(({ passes }) => !passes)
    .map((proof) => broken(allPrintable(proof)));
}

function unreadable({ key, what }: { readonly key: string; readonly what: string }): Problem {
  return {
    what: `${key.replace(/^rules\[0\]\./, '')}: ${what}`,
    why: 'a rule that cannot be read, or that is about nothing, protects nobody',
    fix: 'write what the rule is about as the objects of this app name it',
  };
}

function broken(proof: Proof): Problem {
  const { name, verdict, because } = proof;
  switch (verdict) {
    case 'refuted':
      return {
        what: `"${name}" does not hold: ${because[0] ?? ''}`,
        why: `this request breaks it: ${followIt(proof)}${because.slice(1).map((one) => `, ${one}`).join('')}`, // prettier-ignore
        fix: 'narrow what lets it through, or except who may from the rule',
      };
    case 'vacuous':
      return {
        what: `"${name}" says nothing: ${because.join('; ')}`,
        why: 'a rule that is true of nobody holds whatever happens, and is most likely misspelled',
        fix: 'correct whom and what it is about, or say mayBeVacuous: true',
      };
    case 'undecided':
    case 'proved':
      return {
        what: `"${name}" is not decided: ${because.join('; ')}`,
        why: 'what is not known to hold for every request may not hold',
        fix: 'show the objects that are missing, or narrow the rule to what they decide',
      };
  }
}
