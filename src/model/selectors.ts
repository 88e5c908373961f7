import { records, strings, text, texts, type Json } from './fields';

/** Whether a selector of labels, by values or by expressions, takes them. */
export function selects(selector: Json, labels: Readonly<Record<string, string>>): boolean {
  const wanted = strings(selector.matchLabels);
  if (Object.keys(wanted).some((key) => labels[key] !== wanted[key])) return false;
  return records(selector.matchExpressions).every((expression) => {
    const value = labels[text(expression.key)];
    const values = texts(expression.values);
    if (expression.operator === 'In') return value !== undefined && values.includes(value);
    if (expression.operator === 'NotIn') return value === undefined || !values.includes(value);
    if (expression.operator === 'Exists') return value !== undefined;
    return expression.operator === 'DoesNotExist' && value === undefined;
  });
}
