/**
 * Objects that several files give differently: environments and alternatives side by side. Which of them is meant is not known, so what
 * hangs on one of them is only probably so.
 */
import type { Manifest } from '../model/manifest';
import { type CheckContext, defineIndex } from './context';
import type { Finding } from './finding';
import type { Hit, Rule } from './rule';

const idOf = ({ kind, namespace, name }: Manifest): string => `${kind} ${namespace}/${name}`;

const doubtful = defineIndex('doubtful objects', ({ admitted }): ReadonlySet<string> => {
  const first = new Map<string, Manifest>();
  const found = new Set<string>();
  for (const { manifest } of admitted) {
    const key = `${manifest.group} ${idOf(manifest)}`;
    const known = first.get(key);
    if (known === undefined) first.set(key, manifest);
    else if (known.source.file !== manifest.source.file && JSON.stringify(known.body) !== JSON.stringify(manifest.body))
      found.add(idOf(manifest));
  }
  return found;
});

/** Rules on one object alone, which hold whichever is meant; and those that speak of the files. */
const OF_ONE = /^EDGE(0\d\d|10\d)$/;

export function severityOf(rule: Rule, hit: Hit, context: CheckContext): Finding['severity'] {
  const severity = hit.severity ?? rule.severity;
  if (severity !== 'error' || OF_ONE.test(rule.id)) return severity;
  const unsure = context.index(doubtful);
  if (unsure.size === 0) return severity;
  const touched = [hit.manifest, ...(hit.onTheWay ?? []), ...(hit.beside ?? [])].some(
    (one) => one !== undefined && unsure.has(idOf(one)),
  );
  const named = [...hit.what.matchAll(/([A-Z]\w+) ([\w.-]+\/[\w.-]+\w)/g)].some(([whole]) => unsure.has(whole));
  return touched || named ? 'warning' : severity;
}
