/** The page of one rule, for a terminal. */
import { rules } from '../check/rules';

/** @throws UnknownRule if no rule has that id or name. */
export class UnknownRule extends Error {
  override readonly name = 'UnknownRule';
}

/** All rules, one a line. */
export function listRules(): string {
  return rules.map(({ id, severity, name, title }) => `${id} ${severity.padEnd(7)} ${name}: ${title}\n`).join('');
}

export function explain(idOrName: string): string {
  const wanted = idOrName.toLowerCase();
  const rule = rules.find(({ id, name }) => id.toLowerCase() === wanted || name === wanted);
  if (!rule) {
    const near = rules.filter(
      ({ id, name }) => id.toLowerCase().startsWith(wanted.slice(0, 5)) || name.includes(wanted),
    );
    const hint = near.length > 0 ? `; there are ${near.map(({ id, name }) => `${id} (${name})`).join(', ')}` : '';
    throw new UnknownRule(`there is no rule ${JSON.stringify(idOrName)}${hint}`);
  }
  return [
    `${rule.id} ${rule.name} (${rule.severity})`,
    rule.title,
    '',
    `Why: ${rule.why}`,
    `Fix: ${rule.fix}`,
    `See: ${rule.see}`,
    ...(rule.footguns.length > 0 ? [`Footguns: ${rule.footguns.join(', ')}`] : []),
    '',
  ].join('\n');
}
