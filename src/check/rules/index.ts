/** Every rule, by its id. A rule that is in this folder and not in this list fails a test. */
import type { Rule } from '../rule';
import { rule as unreadableDocument } from './unreadable-document';

export const rules: readonly Rule[] = [unreadableDocument];
