import type { CheckResult } from '../check/finding';
import { json } from '../model/printable';

export function formatJson(result: CheckResult): string {
  return `${json(result, 2)}\n`;
}
