/** Every rule, by its id. A rule that is in this folder and not in this list fails a test. */
import type { Rule } from '../rule';
import { rule as celRuleViolation } from './cel-rule-violation';
import { rule as schemaViolation } from './schema-violation';
import { rule as unknownKind } from './unknown-kind';
import { rule as unreadableDocument } from './unreadable-document';

export const rules: readonly Rule[] = [unreadableDocument, schemaViolation, celRuleViolation, unknownKind];
