/** What every drawing shares: text that fits, arrows that say how they are secured, colours for light and dark. */
import { printable } from '../../model/printable';
import type { Link } from './path';

export const FONT = 13;
export const LINE = 18;
/** Widths of a character, in parts of the font's size: generous, since fonts differ. */
const SANS = 0.56;
const MONO = 0.61;

/** For an element's text or an attribute; a control character is no XML. */
export function escape(text: string): string {
  return printable(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

export interface TextStyle {
  readonly size?: number;
  readonly mono?: boolean;
  readonly className?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
}

export function widthOf(text: string, { size = FONT, mono = false }: TextStyle = {}): number {
  return text.length * size * (mono ? MONO : SANS);
}

/** A padlock that needs no font. */
export function padlockIcon(isClosed: boolean): string {
  return `<svg class="icon" width="11" height="12" viewBox="0 0 11 12" role="img" aria-label="${isClosed ? 'encrypted' : 'plain text'}">${padlock(0, 0, isClosed)}</svg>`;
}

/** One line, cut at `width` with an ellipsis; the whole text then is its tooltip. */
export function textAt(x: number, y: number, text: string, width: number, style: TextStyle = {}): string {
  const { size = FONT, mono = false, className = '', anchor = 'start' } = style;
  const room = Math.max(4, Math.floor(width / (size * (mono ? MONO : SANS))));
  const shown = text.length <= room ? text : `${text.slice(0, room - 1)}…`;
  const title = shown === text ? '' : `<title>${escape(text)}</title>`;
  const classes = [mono ? 'mono' : '', className].filter(Boolean).join(' ');
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" text-anchor="${anchor}"${classes === '' ? '' : ` class="${classes}"`}>${escape(shown)}${title}</text>`;
}

/** Breaks a text into lines that fit, at spaces and after the signs that names are joined with. */
export function lines(text: string, width: number, style: TextStyle = {}, max = 6): readonly string[] {
  const { size = FONT, mono = false } = style;
  const room = Math.max(4, Math.floor(width / (size * (mono ? MONO : SANS))));
  const result: string[] = [];
  let line = '';
  for (const part of text.split(/(?<=[ /.,|:-])/)) {
    if (line !== '' && (line + part).trimEnd().length > room) {
      result.push(line.trimEnd());
      line = '';
    }
    line += part;
  }
  result.push(line.trimEnd());
  if (result.length <= max) return result;
  return [
    ...result.slice(0, max - 1),
    `${result
      .slice(max - 1)
      .join(' ')
      .slice(0, room - 1)}…`,
  ];
}

export function box(x: number, y: number, width: number, height: number, className: string, radius = 8): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="${radius}" class="${className}"/>`;
}

/** An arrow with what travels on it above the line, a closed or an open padlock, and its port and SNI below. */
export function arrow(x1: number, x2: number, y: number, link: Link, number?: number): string {
  const width = x2 - x1 - 16;
  const isSafe = link.tls !== 'NONE';
  const below = [link.port === null ? '' : `port ${link.port}`, link.sni === null ? '' : `SNI ${link.sni}`].filter(
    Boolean,
  );
  const labelWidth = Math.min(width - 18, widthOf(link.label, { size: 12 }));
  const middle = (x1 + x2) / 2;
  const parts = [
    `<line x1="${round(x1)}" y1="${y}" x2="${round(x2 - 7)}" y2="${y}" class="wire${isSafe ? '' : ' plain'}" marker-end="url(#tip)"/>`,
  ];
  if (link.label !== '') {
    parts.push(padlock(middle - labelWidth / 2 - 9, y - 18, isSafe));
    parts.push(
      textAt(middle + 8, y - 8, link.label, width - 18, {
        size: 12,
        anchor: 'middle',
        className: isSafe ? 'safe' : 'unsafe',
      }),
    );
  }
  below.forEach((text, index) =>
    parts.push(textAt(middle, y + 16 + index * 14, text, width, { size: 11, anchor: 'middle', className: 'muted' })),
  );
  if (number !== undefined) parts.push(badge(x1 + 2, y, number));
  return parts.join('');
}

function badge(x: number, y: number, number: number): string {
  return `<circle cx="${round(x + 9)}" cy="${y}" r="9" class="badge"/><text x="${round(x + 9)}" y="${y + 4}" font-size="11" text-anchor="middle" class="badge-text">${number}</text>`;
}

function padlock(x: number, y: number, isClosed: boolean): string {
  const shackle = isClosed ? 'M3 5V3.5a2.5 2.5 0 0 1 5 0V5' : 'M3 5V3.5a2.5 2.5 0 0 1 5 0';
  return `<g transform="translate(${round(x)} ${round(y)})" class="${isClosed ? 'lock' : 'lock open'}"><path d="${shackle}"/><rect x="1.5" y="5" width="8" height="6" rx="1"/></g>`;
}

export function cross(x: number, y: number): string {
  return `<path d="M${round(x - 7)} ${y - 7}l14 14m0-14l-14 14" class="cross"/>`;
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export const PALETTE = {
  light:
    '--bg:#fff;--ink:#1f2733;--muted:#57606d;--line:#6b7685;--card:#f6f8fa;--edge:#c9d1da;--mesh:#f0f6ff;--mesh-edge:#7da4d8;--gate:#dcebff;--gate-edge:#2f6fb7;--safe:#176c34;--unsafe:#95400a;--bad:#b3261e;--bad-bg:#fdecea',
  dark: '--bg:#0f141b;--ink:#e8edf3;--muted:#a3afbd;--line:#94a1b1;--card:#1a212b;--edge:#3b4654;--mesh:#131d2b;--mesh-edge:#47699a;--gate:#1b3350;--gate-edge:#6ea8ee;--safe:#6fd48f;--unsafe:#f0a35e;--bad:#ff8a80;--bad-bg:#3a1a19',
} as const;

export const SHAPES = [
  'text{fill:var(--ink);font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}',
  '.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}',
  '.muted{fill:var(--muted)}.bold{font-weight:600}.safe{fill:var(--safe)}.unsafe{fill:var(--unsafe)}.bad-text{fill:var(--bad)}',
  '.card{fill:var(--card);stroke:var(--edge)}.pod{fill:none;stroke:var(--edge);stroke-dasharray:3 3}',
  '.mesh{fill:var(--mesh);stroke:var(--mesh-edge);stroke-dasharray:7 5}',
  '.gate{fill:var(--gate);stroke:var(--gate-edge);stroke-width:1.5}.bad{fill:var(--bad-bg);stroke:var(--bad);stroke-width:1.5;stroke-dasharray:5 3}',
  '.wire{stroke:var(--line);stroke-width:1.6;fill:none}.wire.plain{stroke-dasharray:6 4}.cross{stroke:var(--bad);stroke-width:2.5;fill:none}',
  '.tip{fill:var(--line)}.lock path{fill:none;stroke:var(--safe);stroke-width:1.3}.lock rect{fill:var(--safe)}.lock.open path{stroke:var(--unsafe)}.lock.open rect{fill:none;stroke:var(--unsafe);stroke-width:1.2}',
  '.badge{fill:var(--ink)}.badge-text{fill:var(--bg);font-weight:600}',
].join('');

/** A picture that stands alone: it follows the reader's preference of light or dark. */
export function document(width: number, height: number, title: string, content: string): string {
  const style = `svg{${PALETTE.light};background:var(--bg)}@media(prefers-color-scheme:dark){svg{${PALETTE.dark}}}${SHAPES}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" width="${Math.ceil(width)}" height="${Math.ceil(height)}" role="img" aria-label="${escape(title)}">`,
    `<title>${escape(title)}</title><style>${style}</style>`,
    TIP,
    `<rect width="100%" height="100%" style="fill:var(--bg)"/>`,
    content,
    '</svg>',
    '',
  ].join('\n');
}

export const TIP =
  '<defs><marker id="tip" viewBox="0 0 10 10" refX="3" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" class="tip"/></marker></defs>';
