/** The whole edge, or one request, as one page that needs nothing from elsewhere: searchable, by keyboard, in light and dark. */
import { createHash } from 'node:crypto';
import type { Direction, EdgeMap, Lane } from './flows';
import type { Link, Path } from './path';
import { drawPath } from './path-svg';
import { PAGE_SCRIPT } from './page-script';
import { PAGE_STYLE } from './page-style';
import { escape, padlockIcon, SHAPES, TIP } from './svg';

/** Hosts of a lane that are shown before it is opened. */
const SHOWN_HOSTS = 5;

const HEADINGS: Readonly<Record<Direction, string>> = { egress: 'Leaving the mesh', ingress: 'Entering the mesh' };

export function edgeHtml(map: EdgeMap): string {
  const sections = (['egress', 'ingress'] as const).map((direction) => sectionOf(map, direction)).join('\n');
  const flows = map.lanes.reduce((sum, lane) => sum + lane.flows.length, 0);
  const content = [
    '<header><div><h1>What crosses the edge of the mesh</h1>',
    `<p class="muted">${count(map.hosts, 'host')}, ${count(flows, 'way')} in ${count(map.lanes.length, 'group')}</p></div>`,
    '<div class="tools"><label for="search">Find <input id="search" type="search" placeholder="host, client, gateway or object" autocomplete="off"> <kbd>/</kbd></label>',
    '<button type="button" id="theme" aria-pressed="false">Dark</button></div></header>',
    '<p id="found" role="status" class="muted"></p>',
    LEGEND,
    `<main>${sections || '<p>No object opens a way in or out.</p>'}${othersOf(map)}</main>`,
    '<dialog id="path" aria-labelledby="path-title"><form method="dialog"><h2 id="path-title"></h2><button>Close</button></form><div id="path-body" tabindex="0"></div></dialog>',
    `<script type="application/json" id="data">${embed(map.lanes.map((lane) => lane.flows.map(({ path }) => path)))}</script>`,
    `<template id="locked">${padlockIcon(true)}</template><template id="unlocked">${padlockIcon(false)}</template>`,
    `<script>${PAGE_SCRIPT}</script>`,
  ];
  return page('What crosses the edge of the mesh', content.join('\n'));
}

export function pathHtml(path: Path): string {
  const { width, height, content } = drawPath(path);
  const title = `${path.stops[0]?.text.join(' ') ?? ''} from ${path.stops[0]?.name ?? ''}`;
  return page(
    title,
    [
      `<header><h1>${escape(title)}</h1><div class="tools"><button type="button" id="theme" aria-pressed="false">Dark</button></div></header>`,
      `<main><div class="picture" tabindex="0"><svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">${TIP}${content}</svg></div>`,
      `<h2>In words</h2>${pathList(path)}</main>`,
      `<script>${PAGE_SCRIPT}</script>`,
    ].join('\n'),
  );
}

const LEGEND = `<p class="legend muted"><span><b class="wire safe" aria-hidden="true"></b> ${padlockIcon(true)} encrypted</span> <span><b class="wire plain" aria-hidden="true"></b> ${padlockIcon(false)} plain text</span> <span><b class="no" aria-hidden="true">✕</b> refused</span> <span>Choose a host to see its whole path and the objects that decide.</span></p>`;

function sectionOf(map: EdgeMap, direction: Direction): string {
  const lanes = map.lanes.map((lane, index) => ({ lane, index })).filter(({ lane }) => lane.direction === direction);
  if (lanes.length === 0) return '';
  const [from, to] = direction === 'egress' ? ['Who', 'Outside hosts'] : ['Outside clients', 'Hosts'];
  return [
    `<section aria-labelledby="${direction}"><h2 id="${direction}">${HEADINGS[direction]}</h2>`,
    `<div class="lanes ${direction}"><div class="heads muted" aria-hidden="true"><span>${from}</span><span></span><span>Gateway</span><span></span><span>${to}</span></div>`,
    ...lanes.map(({ lane, index }) => laneHtml(lane, index)),
    '</div></section>',
  ].join('\n');
}

function laneHtml(lane: Lane, index: number): string {
  const first = lane.links[0];
  const last = lane.links[lane.links.length - 1];
  const isAnswered = lane.outcome === 'answered';
  const isRefused = lane.outcome !== 'delivered' && !isAnswered;
  const hasGateway = lane.via.length > 0;
  const hosts = lane.flows.map(({ to }, at) => ({ to, at }));
  const button = ({ to, at }: { to: string; at: number }): string =>
    `<li><button type="button" class="host" data-lane="${index}" data-flow="${at}">${escape(to)}</button></li>`;
  const rest = hosts.slice(SHOWN_HOSTS);
  const list = `<ul class="hosts">${hosts.slice(0, SHOWN_HOSTS).map(button).join('')}</ul>${
    rest.length === 0
      ? ''
      : `<details><summary>and ${rest.length} more</summary><ul class="hosts">${rest.map(button).join('')}</ul></details>`
  }`;
  const end = isRefused ? `<span class="end">✕ ${escape(lane.end)}</span>` : '';
  const search = [
    ...lane.from,
    ...lane.namespaces,
    ...lane.via.map(({ name }) => name),
    ...new Set(
      lane.flows
        .slice(0, 1)
        .flatMap(({ path }) => path.stops.flatMap((stop) => stop.decides.map(({ object }) => object))),
    ),
  ];
  const direct = hasGateway ? '' : ' direct';
  return [
    `<article class="lane${isRefused ? ' refused' : ''}${direct}" data-text="${escape(search.join(' ').toLowerCase())}">`,
    `<div class="clients card"><ul>${lane.from.map((name) => `<li>${escape(name)}</li>`).join('')}</ul><p class="muted">${escape(lane.speaks)}${lane.bypasses ? ', no proxy' : ''}</p></div>`,
    hasGateway ? linkHtml(first) : '',
    hasGateway
      ? `<div class="gateway card">${lane.via.map(({ role, name }) => `<p class="muted">${escape(role)}</p><p><b>${escape(name)}</b></p>`).join('')}</div>`
      : '',
    isAnswered
      ? `<div class="link answered"><span>${escape(lane.end)}</span></div>`
      : isRefused
        ? `<div class="link no"><span>${end}</span></div>`
        : linkHtml(last, hasGateway ? '' : 'direct: '),
    `<div class="ends card">${list}${lane.arrives === '' ? '' : `<p class="muted">→ ${escape(lane.arrives)}</p>`}</div>`,
    '</article>',
  ].join('');
}

function linkHtml(link: Link | undefined, before = ''): string {
  if (link === undefined) return '<div class="link"></div>';
  const isSafe = link.tls !== 'NONE';
  const below = link.port === null ? '' : `port ${link.port}`;
  return `<div class="link ${isSafe ? 'safe' : 'plain'}"><span>${padlockIcon(isSafe)} ${escape(before + link.label)}</span><i aria-hidden="true"></i><small class="muted">${below}</small></div>`;
}

function othersOf(map: EdgeMap): string {
  const rows = map.others
    .map(({ from, text }) => `<li><b>${escape(from.join(', '))}</b>: ${escape(text)}</li>`)
    .join('');
  const notes = map.notes.map((note) => `<li class="muted">${escape(note)}</li>`).join('');
  return `<section><h2>Hosts that no object names</h2><ul>${rows}</ul>${notes === '' ? '' : `<h2>Assumed</h2><ul>${notes}</ul>`}</section>`;
}

/** A path as a list, for those who read rather than look, and for printing. */
export function pathList(path: Path): string {
  const items = path.stops.map((stop, index) => {
    const link = path.links[index];
    const decides = stop.decides
      .map(
        ({ object, fields }) =>
          `<li>${escape(object)} ${fields.map((field) => `<code>${escape(field)}</code>`).join(', ')}</li>`,
      )
      .join('');
    const text = stop.text.map((one) => `<p>${escape(one)}</p>`).join('');
    return `<li class="${stop.kind}"><span class="muted">${escape(stop.role)}</span> <b>${escape(stop.name)}</b>${text}${decides === '' ? '' : `<ul>${decides}</ul>`}${
      link === undefined || link.label === ''
        ? ''
        : `<p class="sent">${padlockIcon(link.tls !== 'NONE')} ${escape(link.label)}${link.port === null ? '' : `, port ${link.port}`}${link.sni === null ? '' : `, SNI ${escape(link.sni)}`}</p>`
    }</li>`;
  });
  return `<ol class="path">${items.join('')}</ol>${path.notes.map((note) => `<p class="muted">Note: ${escape(note)}</p>`).join('')}`;
}

/** A second wall: should a name ever come out as markup, no browser runs or fetches what it says. */
const POLICY = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${createHash('sha256').update(PAGE_SCRIPT).digest('base64')}'`;

function page(title: string, content: string): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    `<title>${escape(title)}</title><style>${PAGE_STYLE}${SHAPES}</style></head><body>`,
    content,
    '</body></html>',
    '',
  ].join('\n');
}

/** JSON inside a script element: nothing in it can end the element. */
function embed(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, '\\u003c')
    .replace(/\u2028|\u2029/g, ' ');
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
