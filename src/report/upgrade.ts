/** What an upgrade does, as text, JSON and Markdown. */
import type { Finding } from '../check/finding';
import type { Support, Upgrade } from '../upgrade/upgrade';
import { allPrintable, json } from '../model/printable';
import { formatDiff } from './diff';
import { text } from './markdown-text';
import { formatWhere, objectName } from './text';
import { wrap } from './wrap';

export type UpgradeFormat = 'text' | 'json' | 'markdown';

interface View {
  readonly color: boolean;
  readonly width: number;
}

/** A part of the report: its heading, and its entries, each with lines beneath. */
interface Part {
  readonly title: string;
  readonly entries: readonly (readonly [head: string, ...rest: string[]])[];
}

export function formatUpgrade(upgrade: Upgrade, as: UpgradeFormat, view: View): string {
  if (as === 'json') return `${json(upgrade, 2)}\n`;
  const told = allPrintable(upgrade);
  return as === 'text' ? plain(told, view) : markdown(told, view);
}

function titleOf({ moves }: Upgrade): string {
  if (moves.length === 0) return 'no release changes';
  return moves.map(({ title, from, to }) => `${title} ${from} to ${to}`).join(', ');
}

function parts(upgrade: Upgrade): readonly Part[] {
  const refused = upgrade.newly.filter(isRefused);
  const others = upgrade.newly.filter((one) => !isRefused(one) && one.severity !== 'info');
  const all: readonly Part[] = [
    { title: 'Refused or dropped by the new release', entries: refused.map(entryOf) },
    { title: 'Found by check under the new release, and not before', entries: others.map(entryOf) },
    {
      title: 'Deprecated in the new release',
      entries: upgrade.deprecated.map(({ apiVersion, kind, objects, instead }) => [
        `${kind} as ${apiVersion}: ${some(objects)}`,
        ...(instead === undefined ? [] : [`write apiVersion: ${instead}`]),
      ]),
    },
    {
      title: 'Defaults that changed',
      entries: upgrade.defaults.map(({ component, release, what, advice, objects, source }) => [
        `${component} ${release}: ${what}`,
        `here: ${some(objects)}`,
        advice,
        `source: ${source}`,
      ]),
    },
    {
      title: 'Steps, in this order',
      // What is done again is not explained again.
      entries: upgrade.steps.map(({ what, why }, at) =>
        upgrade.steps.findIndex((other) => other.why === why) === at ? [what, `because ${why}`] : [what],
      ),
    },
    {
      title: 'Settled by the new release',
      entries: upgrade.settled.filter(({ severity }) => severity !== 'info').map((finding) => [`${finding.id} ${placeOf(finding)}: ${finding.what}`]), // prettier-ignore
    },
    { title: 'End of life', entries: [...upgrade.support.map((one) => [supportLine(one), `source: ${one.source}`] as const), ...undated(upgrade)] }, // prettier-ignore
    { title: 'Notes', entries: upgrade.notes.map((note) => [note]) },
  ];
  return all.filter(({ entries }) => entries.length > 0);
}

/** Of a diff of releases: they are the same objects on purpose. */
const SAME_OBJECTS = /\n?The two sets hold the same objects\.\n/;

/** What an API server and istiod's webhook say of the objects themselves. */
const isRefused = ({ id }: Finding): boolean => /^EDGE(00[234]|10\d)$/.test(id);

function entryOf(finding: Finding): readonly [string, ...string[]] {
  return [`${finding.severity} ${finding.id} ${placeOf(finding)}: ${finding.what}`, `why: ${finding.why}`, `fix: ${finding.fix}`]; // prettier-ignore
}

function placeOf({ object, field, where }: Finding): string {
  return [objectName(object), field, `(${formatWhere(where)})`]
    .filter((part) => part !== '' && part !== '()')
    .join(' ');
}

function some(objects: readonly string[]): string {
  const shown = objects.slice(0, 5);
  return `${shown.join(', ')}${objects.length > shown.length ? ` and ${objects.length - shown.length} more` : ''}`;
}

function supportLine({ component, release, date, isExpected }: Support): string {
  return `${component} ${release}: mended until ${date}${isExpected === true ? ' (expected)' : ''}`;
}

/** New releases whose end no one has told yet. */
function undated({ moves, support }: Upgrade): readonly (readonly [string])[] {
  const dated = (title: string, release: string): boolean => support.some((one) => one.component === title && (one.release === release || release.startsWith(`${one.release}.`))); // prettier-ignore
  return moves
    .filter(({ title, to }) => (title === 'Istio' || title === 'Envoy Gateway') && !dated(title, to))
    .map(({ title, to }) => [`${title} ${to}: no date was published yet`]);
}

/** What a release manager reads first. */
function inShort({ traffic, newly, deprecated, defaults }: Upgrade): string {
  const count = (number: number, one: string, many: string): string => number === 0 ? `no ${one}` : `${number} ${number === 1 ? one : many}`; // prettier-ignore
  const refused = newly.filter(isRefused).length;
  const found = newly.filter((one) => !isRefused(one) && one.severity !== 'info').length;
  const parts = [
    `${count(traffic.changes.length, 'change', 'changes')} of traffic${traffic.complete ? '' : ', as far as it was decided'}`,
    `${count(refused, 'object or field', 'objects or fields')} newly refused or dropped`,
    ...(found === 0 ? [] : [count(found, 'other finding', 'other findings')]),
    ...(deprecated.length === 0 ? [] : [count(deprecated.length, 'deprecated version', 'deprecated versions')]),
    `${count(defaults.length, 'default that changed is', 'defaults that changed are')} about what is here`,
  ];
  return `In short: ${parts.join('; ')}.`;
}

function plain(upgrade: Upgrade, view: View): string {
  const paint = (code: number, value: string): string => (view.color ? `\u001b[${code}m${value}\u001b[0m` : value);
  const lines: string[] = [paint(1, titleOf(upgrade)), '', ...wrap(inShort(upgrade), view.width, ''), ''];
  for (const { title, entries } of parts(upgrade)) {
    lines.push(paint(1, `${title} (${entries.length})`), '');
    for (const [head, ...rest] of entries) {
      lines.push(...wrap(`- ${head}`, view.width, '  '));
      for (const line of rest) lines.push(...wrap(line, view.width - 4, '').map((part) => paint(2, `    ${part}`)));
    }
    lines.push('');
  }
  lines.push(paint(1, 'Traffic'), '');
  return `${lines.join('\n')}\n${formatDiff(upgrade.traffic, 'text', { ...view, ...sides(upgrade) })}`.replace(
    SAME_OBJECTS,
    '',
  );
}

function markdown(upgrade: Upgrade, view: View): string {
  const lines: string[] = [`### mesh-edge upgrade: ${text(titleOf(upgrade))}`, '', text(inShort(upgrade)), ''];
  for (const { title, entries } of parts(upgrade)) {
    lines.push(`#### ${title}`, '');
    for (const [head, ...rest] of entries) lines.push(`- ${text(head)}`, ...rest.map((line) => `  <br>${text(line)}`));
    lines.push('');
  }
  return `${lines.join('\n')}\n${formatDiff(upgrade.traffic, 'markdown', { ...view, ...sides(upgrade) })}`;
}

function sides({ moves }: Upgrade): { readonly old: string; readonly new: string } {
  return {
    old: moves.map(({ title, from }) => `${title} ${from}`).join(', '),
    new: moves.map(({ title, to }) => `${title} ${to}`).join(', '),
  };
}
