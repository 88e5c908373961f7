/** Findings in the forms that people and tools read. */
import type { CheckResult } from '../check/finding';
import { formatGithub } from './github';
import { formatJson } from './json';
import { formatMarkdown } from './markdown';
import { formatSarif } from './sarif';
import { type TextOptions, textBlocks } from './text';

export type Format = 'text' | 'json' | 'sarif' | 'github' | 'markdown';

/** The parts of what is written, in turn. */
export function format(result: CheckResult, as: Format, options: TextOptions): Iterable<string> {
  switch (as) {
    case 'text':
      return textBlocks(result, options);
    case 'json':
      return [formatJson(result)];
    case 'sarif':
      return [formatSarif(result)];
    case 'github':
      return [formatGithub(result)];
    case 'markdown':
      return [formatMarkdown(result)];
  }
}
