/**
 * What examples of rules say of themselves in comments. A bad one: `# expect EDGE202 error VirtualService app/cnn spec.http[1]`, one for each finding
 * of its rule. A good one: `# opens http://cnn.com/: why`, and `# weakens URL: why`, for each request that the advice lets through, or lets through with less
 * protection: it says for whom, and why the manifests meant it already.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { check } from '../../../src/check/check';
import type { Finding } from '../../../src/check/finding';
import { diff } from '../../../src/diff/diff';
import { loadText } from '../../../src/model/load';

const TEST = join(__dirname, '../..');

export interface Example {
  readonly rule: string;
  readonly file: string;
  readonly bad: string;
  readonly good: string;
}

/** Every pair of a bad example and the same as its rule would have it. */
export function examples(): readonly Example[] {
  return readdirSync(join(TEST, 'invalid')).flatMap((rule) =>
    readdirSync(join(TEST, 'invalid', rule)).map((file) => ({
      rule,
      file,
      bad: join(TEST, 'invalid', rule, file),
      good: join(TEST, 'valid', rule, file),
    })),
  );
}

export const casesOf = (rule: string): readonly Example[] =>
  existsSync(join(TEST, 'invalid', rule)) ? examples().filter((example) => example.rule === rule) : [];

export const judge = (file: string): readonly Finding[] => check(loadText(readFileSync(file, 'utf8'), file)).findings;

/** `EDGE202 error VirtualService app/cnn spec.http[1]`; a dash for a document that is no object, nothing for the object as a whole. */
export function expectationOf({ id, severity, object, field }: Finding): string {
  const name = object === null ? '-' : `${object.kind} ${object.namespace}/${object.name}`;
  return `${id} ${severity} ${name} ${field}`.trimEnd();
}

export function expectations(file: string): readonly string[] {
  return comments(file, /^# expect (.+?) *$/).map(([text = '']) => text);
}

export interface Opened {
  readonly effect: 'opens' | 'weakens';
  readonly to: string;
}

/** What is declared in a good example, with the reason. */
export function declared(file: string): readonly (Opened & { readonly reason: string })[] {
  return comments(file, /^# (opens|weakens) (.+): (.+)$/).map(([effect, to = '', reason = '']) => ({
    effect: effect as Opened['effect'],
    to,
    reason,
  }));
}

/** What a request may do by the good example that it may not by the bad one. */
export function opened({ bad, good }: Example): readonly (Opened & { readonly words: string })[] {
  const [was, is] = [bad, good].map((file) => loadText(readFileSync(file, 'utf8'), file).manifests);
  const found = diff(was!, is!).changes.flatMap(({ effect, to, from, was: before, is: after }) => {
    const kind = effect === 'widened' ? 'opens' : effect === 'weakened' ? 'weakens' : undefined;
    const words = `for ${from.join(', ')}; before: ${before.text}; after: ${after.text}`;
    return kind === undefined ? [] : [{ effect: kind, to, words } as const];
  });
  return found.filter(({ effect, to }, at) => found.findIndex((one) => one.effect === effect && one.to === to) === at);
}

function comments(file: string, pattern: RegExp): readonly string[][] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const found = pattern.exec(line);
      return found === null ? [] : [found.slice(1)];
    });
}
