/** A diff as text, JSON and Markdown. */
import type { ChangedObject, Diff, Effect, Undecided } from '../diff/types';
import { type Reading, READING_ORDER, TITLES, forReading } from './diff-rows';
import { code, text } from './markdown-text';
import { allPrintable, json } from '../model/printable';
import { wrap } from './wrap';

export type DiffFormat = 'text' | 'json' | 'markdown';

export interface DiffView {
  readonly color: boolean;
  readonly width: number;
  /** What the two sides were called. */
  readonly old: string;
  readonly new: string;
}

export function formatDiff(diff: Diff, as: DiffFormat, view: DiffView): string {
  switch (as) {
    case 'json':
      return `${json(diff, 2)}\n`;
    case 'markdown':
      return markdown(allPrintable(diff), view);
    case 'text':
      return plain(allPrintable(diff), view);
  }
}

const COLORS: Readonly<Record<Effect, number>> = {
  widened: 31,
  weakened: 31,
  narrowed: 33,
  rerouted: 36,
  unclear: 35,
  'refused-otherwise': 2,
};

const MARKS: Readonly<Record<Effect, string>> = {
  widened: '+',
  weakened: '!',
  narrowed: '-',
  rerouted: '~',
  unclear: '?',
  'refused-otherwise': 'x',
};

function plain(diff: Diff, view: DiffView): string {
  const paint = (code: number, value: string): string => (view.color ? `\u001b[${code}m${value}\u001b[0m` : value);
  const lines: string[] = [];
  for (const [effect, rows] of sections(diff)) {
    lines.push(paint(1, `${TITLES[effect]} (${rows.length})`), '');
    for (const row of rows) {
      const head = `${MARKS[effect]} ${row.from.join(', ')} to ${row.to.join(', ')}`;
      lines.push(...wrap(head, view.width, '  ').map((line) => paint(COLORS[effect], line)));
      if (row.of !== '') lines.push(...wrap(`of:  ${row.of}`, view.width - 4, '     ').map((line) => `    ${line}`));
      lines.push(...wrap(`was: ${row.was}`, view.width - 4, '     ').map((line) => `    ${line}`));
      lines.push(...wrap(`now: ${row.is}`, view.width - 4, '     ').map((line) => `    ${line}`));
      if (row.because.length > 0)
        lines.push(
          ...wrap(`by:  ${row.because.join(', ')}`, view.width - 4, '     ').map((line) => paint(2, `    ${line}`)),
        );
      lines.push('');
    }
  }
  if (diff.changes.length === 0) lines.push(nothingText(diff), '');
  if (diff.undecided.length > 0) {
    lines.push(paint(1, `Not decided (${diff.undecided.length})`), '');
    for (const one of diff.undecided.slice(0, MAX_UNDECIDED))
      lines.push(...wrap(`? ${undecidedText(one)}`, view.width, '  '));
    if (diff.undecided.length > MAX_UNDECIDED)
      lines.push(`  and ${diff.undecided.length - MAX_UNDECIDED} more: --format json has all of them`);
    lines.push('');
  }
  lines.push(summaryLine(diff));
  for (const note of diff.notes) lines.push(...wrap(`note: ${note}`, view.width, '      '));
  return `${lines.join('\n')}\n`;
}

/** Undecided requests beyond these are counted. */
const MAX_UNDECIDED = 10;

function nothingText({ complete, summary }: Diff): string {
  const { added, removed, changed } = summary.objects;
  if (!complete) return 'no change found, of what could be decided';
  return added + removed + changed === 0 ? 'no change of traffic' : 'no change of traffic, for every request';
}

function undecidedText({ from, to, what, why }: Undecided): string {
  return `${from.join(', ')} to ${to}${what === 'every request' ? '' : ` (${what})`}: ${why}`;
}

function sections(diff: Diff): readonly (readonly [Effect, readonly Reading[]])[] {
  return READING_ORDER.map(
    (effect) => [effect, forReading(diff.changes.filter((change) => change.effect === effect))] as const,
  ).filter(([, rows]) => rows.length > 0);
}

/** One line on the objects: how many differ, and how many of those alter no traffic. */
export function summaryLine(diff: Diff): string {
  const { objects } = diff.summary;
  const total = objects.added + objects.removed + objects.changed;
  if (total === 0) return 'The two sets hold the same objects.';
  const parts = [
    ...(objects.added > 0 ? [`${objects.added} added`] : []),
    ...(objects.removed > 0 ? [`${objects.removed} removed`] : []),
    ...(objects.changed > 0 ? [`${objects.changed} changed`] : []),
  ];
  const silent =
    objects.withoutEffect === 0
      ? total === 1
        ? 'it alters traffic'
        : 'all of them alter traffic'
      : objects.withoutEffect === total
        ? total === 1
          ? 'with no effect on traffic'
          : 'none of them has an effect on traffic'
        : `${objects.withoutEffect} of them with no effect on traffic (${nameSome(diff.withoutEffect)})`;
  const left = objects.withoutEffect < total && diff.changes.length === 0;
  const see =
    diff.undecided.length > 0 ? '; see what is not decided' : diff.notes.length > 0 ? '; see the notes' : undefined;
  return `${total} object${total === 1 ? '' : 's'} differ${total === 1 ? 's' : ''} (${parts.join(', ')})${left && see !== undefined ? see : `: ${silent}`}.`;
}

function nameSome(objects: readonly ChangedObject[]): string {
  const shown = objects.slice(0, 5).map(objectName);
  return `${shown.join(', ')}${objects.length > shown.length ? `, and ${objects.length - shown.length} more` : ''}`;
}

export function objectName({ kind, namespace, name }: ChangedObject): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

const MAX_MARKDOWN_ROWS = 60;

const EXPLAINED: Readonly<Record<Effect, string>> = {
  widened: 'These requests were refused before and now get through.',
  weakened: 'These requests still get through, with less protection than before.',
  narrowed: 'These requests got through before and are now refused.',
  rerouted: 'These requests still get through, by another path.',
  unclear: 'What happens to these requests depends on something that the manifests do not say.',
  'refused-otherwise': 'These requests were refused before and still are, for another reason.',
};

const SIGNS: Readonly<Record<Effect, string>> = {
  widened: '🔓',
  weakened: '⚠️',
  narrowed: '🔒',
  rerouted: '🔀',
  unclear: '❔',
  'refused-otherwise': '🚫',
};

const WHY_EVERY =
  'This is no sample. All that a proxy asks of a request is whether its host, path, query, method, headers, cookies, SNI or token fit the conditions in these manifests. ' +
  'For each client and each destination that these objects can reach, one request was followed through both sides for each set of answers that some request can give: ' +
  'all others give the same answers as one of these, and go the same way. Had one not been decided, it would be named here. ' +
  '`docs/every-request.md` of cdk8s-mesh-edge says what is assumed and how this is held to istiod and Envoy.';

function markdown(diff: Diff, view: DiffView): string {
  const lines = ['### What this changes in network traffic', ''];
  const counted = READING_ORDER.map(
    (effect) => [effect, diff.changes.filter((change) => change.effect === effect).length] as const,
  ).filter(([, count]) => count > 0);
  if (diff.changes.length === 0) {
    lines.push(
      diff.complete
        ? '**No change of traffic, for every request.** Each does the same before and after.'
        : '**No change found**, of what could be decided.',
      '',
    );
  } else {
    lines.push(
      `${counted.map(([effect, count]) => `${SIGNS[effect]} **${count}** ${TITLES[effect].toLowerCase()}`).join(' · ')}`,
      '',
    );
  }
  let room = MAX_MARKDOWN_ROWS;
  for (const [effect, rows] of sections(diff)) {
    const isMinor = effect === 'refused-otherwise';
    const shown = rows.slice(0, Math.max(room, 5));
    room -= shown.length;
    lines.push(
      isMinor
        ? `<details><summary>${SIGNS[effect]} ${TITLES[effect]} (${rows.length})</summary>`
        : `#### ${SIGNS[effect]} ${TITLES[effect]}`,
      '',
    );
    lines.push(
      EXPLAINED[effect],
      '',
      '| Who | Request | Before | After | Because of |',
      '| --- | --- | --- | --- | --- |',
    );
    for (const row of shown)
      lines.push(
        `| ${row.from.map(inCell).join('<br>')} | ${[...row.to.map((to) => code(to, true)), ...(row.of === '' ? [] : [inCell(row.of)])].join('<br>')} | ${inCell(capital(row.was))} | ${inCell(capital(row.is))} | ${row.because.map(inCell).join('<br>')} |`,
      );
    lines.push('');
    if (shown.length < rows.length)
      lines.push(`... and ${rows.length - shown.length} more rows: run \`mesh-edge diff\` for all of them.`, '');
    if (isMinor) lines.push('</details>', '');
  }
  if (diff.undecided.length > 0) {
    lines.push(`#### ❔ Not decided (${diff.undecided.length})`, '');
    for (const one of diff.undecided.slice(0, MAX_UNDECIDED)) lines.push(`- ${text(undecidedText(one))}`);
    if (diff.undecided.length > MAX_UNDECIDED) lines.push(`- and ${diff.undecided.length - MAX_UNDECIDED} more`);
    lines.push('');
  }
  lines.push(text(summaryLine(diff)), '');
  for (const note of diff.notes) lines.push(`> **Note** ${text(note)}`, '');
  if (diff.changes.length === 0 && diff.complete)
    lines.push('<details><summary>Why to believe it</summary>', '', WHY_EVERY, '', '</details>', '');
  lines.push(
    '<details><summary>How to read this</summary>',
    '',
    `The manifests of ${code(view.old)} and ${code(view.new)} were compared by following ${diff.summary.requestsCompared} requests through each, as the service mesh (Istio) would. ` +
      'Nothing was sent. A request is an example; which others change so stands beneath it. "Who" is a namespace, `namespace/workload`, or a gateway at which traffic enters from outside. ' +
      'A *sidecar* is the proxy beside each workload; a *gateway* is a shared proxy at the edge. ' +
      'Mutual TLS means that both ends prove who they are.',
    '',
    '</details>',
  );
  return `${lines.join('\n')}\n`;
}

function capital(value: string): string {
  return value.charAt(0).toUpperCase() + value.slice(1);
}

function inCell(value: string): string {
  return text(value, true);
}
