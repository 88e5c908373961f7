/** One request's path as a row of cards: the numbered way from client to end, with the objects that decide at each proxy. */
import type { Path, Stop } from './path';
import { arrow, box, cross, document, FONT, lines, LINE, textAt } from './svg';

const CARD = 214;
const GAP = 190;
const NEAR = 150;
const MARGIN = 36;
const PAD = 12;
const TOP = 92;

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly content: string;
}

export function pathSvg(path: Path): string {
  const { width, height, content } = drawPath(path);
  return document(width, height, titleOf(path), content);
}

function titleOf({ stops, outcome }: Path): string {
  return `${stops[0]?.name ?? ''}: ${stops[0]?.text.join(' ') ?? ''}, ${outcome}`;
}

export function drawPath(path: Path): Drawing {
  const { stops, links } = path;
  const places: number[] = [];
  let x = MARGIN;
  stops.forEach((_, index) => {
    places.push(x);
    x += CARD + (isOnePod(stops, index) ? NEAR : GAP);
  });
  const width = (places[places.length - 1] ?? 0) + CARD + MARGIN;
  const heights = stops.map(heightOf);
  const tallest = Math.max(...heights);
  const y = TOP + 26;
  const mid = y + 42;
  const parts: string[] = [];
  const request = `${stops[0]?.text.join(' ') ?? ''}`;
  parts.push(textAt(MARGIN, 36, request, width - MARGIN * 2, { size: 17, className: 'bold' }));
  parts.push(
    textAt(MARGIN, 58, `from ${stops[0]?.name ?? ''}: ${outcomeText(path)}`, width - MARGIN * 2, {
      className: path.outcome === 'delivered' || path.outcome === 'answered' ? 'safe' : 'bad-text',
    }),
  );
  parts.push(meshBox(stops, places, tallest));
  stops.forEach((_, index) => {
    const [left, right] = [places[index], places[index + 1]];
    if (left !== undefined && right !== undefined && isOnePod(stops, index))
      parts.push(
        box(
          left - 10,
          y - 22,
          right - left + CARD + 20,
          Math.max(heights[index] ?? 0, heights[index + 1] ?? 0) + 32,
          'pod',
          12,
        ),
        textAt(left, y - 8, 'Pod', 60, { size: 11, className: 'muted' }),
      );
  });
  stops.forEach((stop, index) => {
    parts.push(card(stop, places[index] ?? 0, y, heights[index] ?? 0));
    const next = places[index + 1];
    const link = links[index];
    if (next === undefined || link === undefined) return;
    const from = (places[index] ?? 0) + CARD;
    if (link.label === '')
      parts.push(
        cross((from + next) / 2, mid),
        `<line x1="${from}" y1="${mid}" x2="${next}" y2="${mid}" class="wire plain"/>`,
      );
    else parts.push(arrow(from, next, mid, link, index + 1));
  });
  let bottom = y + tallest + 40;
  for (const note of path.notes) {
    for (const line of lines(`Note: ${note}`, width - MARGIN * 2, { size: 12 }, 3)) {
      parts.push(textAt(MARGIN, bottom, line, width, { size: 12, className: 'muted' }));
      bottom += 17;
    }
  }
  return { width, height: bottom + 12, content: parts.join('\n') };
}

function outcomeText(path: Path): string {
  const end = path.stops[path.stops.length - 1];
  return path.outcome === 'delivered' ? `delivered to ${end?.name ?? ''}` : `${end?.role ?? ''} ${end?.name ?? ''}`;
}

function isProxyBeside(stop: Stop | undefined): boolean {
  return stop?.kind === 'sidecar';
}

/** An application and its sidecar share a Pod, at either end. */
function isOnePod(stops: readonly Stop[], index: number): boolean {
  const [own, next] = [stops[index], stops[index + 1]];
  if (own?.kind === 'client') return isProxyBeside(next) && own.role === 'application';
  return index === stops.length - 2 && index > 1 && isProxyBeside(own) && next?.kind === 'destination';
}

/** Around what is in the mesh: the application, the proxies, and the server if its own sidecar takes the request. */
function meshBox(stops: readonly Stop[], places: readonly number[], tallest: number): string {
  const inside = stops
    .map((stop, index) => {
      if (stop.kind === 'client') return stop.role === 'application' && stops[1]?.kind !== 'none';
      if (stop.kind === 'destination') return isOnePod(stops, index - 1);
      return !['none', 'answered', 'refused', 'unknown'].includes(stop.kind);
    })
    .map((isInside, index) => (isInside ? index : -1))
    .filter((index) => index >= 0);
  const [first, last] = [inside[0], inside[inside.length - 1]];
  if (first === undefined || last === undefined) return '';
  const left = (places[first] ?? 0) - 20;
  const right = (places[last] ?? 0) + CARD + 20;
  return `${box(left, TOP - 22, right - left, tallest + 72, 'mesh', 14)}${textAt(left + 12, TOP - 5, 'service mesh', 120, { size: 12, className: 'muted' })}`;
}

function heightOf(stop: Stop): number {
  return Math.max(84, contentOf(stop).length * LINE + PAD * 2 + 2);
}

interface Row {
  readonly text: string;
  readonly size: number;
  readonly mono: boolean;
  readonly className: string;
}

function contentOf(stop: Stop): readonly Row[] {
  const room = CARD - PAD * 2;
  const rows: Row[] = [
    { text: stop.role, size: 11, mono: false, className: stop.kind === 'refused' ? 'bad-text' : 'muted' },
  ];
  for (const text of lines(stop.name, room, { size: 14 }, 3))
    rows.push({ text, size: 14, mono: false, className: 'bold' });
  for (const { object, fields } of stop.decides) {
    for (const text of lines(object, room, { size: 12 }, 3)) rows.push({ text, size: 12, mono: false, className: '' });
    for (const field of fields)
      for (const text of lines(field, room, { size: 11, mono: true }, 3))
        rows.push({ text, size: 11, mono: true, className: 'muted' });
  }
  for (const one of stop.kind === 'client' ? [] : stop.text)
    for (const text of lines(one, room, { size: 12 }, 8)) rows.push({ text, size: 12, mono: false, className: '' });
  return rows;
}

function card(stop: Stop, x: number, y: number, height: number): string {
  const isGateway = stop.kind.endsWith('gateway') || stop.kind === 'waypoint';
  const parts = [box(x, y, CARD, height, stop.kind === 'refused' ? 'bad' : isGateway ? 'gate' : 'card')];
  contentOf(stop).forEach((row, index) => {
    parts.push(textAt(x + PAD, y + PAD + FONT + index * LINE - 2, row.text, CARD, row));
  });
  return parts.join('');
}
