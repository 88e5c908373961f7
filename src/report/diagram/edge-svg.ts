/** The whole edge as lanes: clients on one side, gateways between, hosts on the other, each lane a way that traffic takes. */
import type { Direction, EdgeMap, Lane } from './flows';
import type { Link } from './path';
import { arrow, box, cross, document, lines, LINE, textAt } from './svg';

const CLIENTS = { x: 32, width: 236 };
const GATEWAYS = { x: 462, width: 220 };
const HOSTS = { x: 906, width: 330 };
const WIDTH = HOSTS.x + HOSTS.width + 32;
const MAX_NAMES = 6;
const PAD = 12;
const GAP = 14;

const TITLES: Readonly<Record<Direction, string>> = {
  egress: 'Leaving the mesh',
  ingress: 'Entering the mesh',
};

export function edgeSvg(map: EdgeMap): string {
  const parts: string[] = [];
  let y = 44;
  parts.push(textAt(CLIENTS.x, y, 'What crosses the edge of the mesh', WIDTH, { size: 20, className: 'bold' }));
  y += 34;
  for (const direction of ['egress', 'ingress'] as const) {
    const lanes = map.lanes.filter((lane) => lane.direction === direction);
    if (lanes.length === 0) continue;
    const drawn = section(direction, lanes, y);
    parts.push(drawn.content);
    y = drawn.bottom + 30;
  }
  if (map.lanes.length === 0) {
    parts.push(textAt(CLIENTS.x, y, 'No object opens a way in or out.', WIDTH, {}));
    y += 30;
  }
  parts.push(textAt(CLIENTS.x, y, 'Hosts that no object names', WIDTH, { className: 'bold' }));
  y += 20;
  for (const { from, text } of map.others) {
    for (const line of lines(`${someOf(from, 10).join(', ')}: ${text}`, WIDTH - 64, {}, 4)) {
      parts.push(textAt(CLIENTS.x, y, line, WIDTH, {}));
      y += LINE;
    }
  }
  y += 8;
  for (const note of map.notes) {
    for (const line of lines(`Note: ${note}`, WIDTH - 64, { size: 12 }, 3)) {
      parts.push(textAt(CLIENTS.x, y, line, WIDTH, { size: 12, className: 'muted' }));
      y += 17;
    }
  }
  return document(WIDTH, y + 16, 'What crosses the edge of the mesh', parts.join('\n'));
}

function someOf(names: readonly string[], max: number): readonly string[] {
  return names.length <= max ? names : [...names.slice(0, max - 1), `and ${names.length - max + 1} more`];
}

interface Placed {
  readonly lane: Lane;
  readonly y: number;
  readonly height: number;
  readonly clients: readonly string[];
  readonly hosts: readonly string[];
}

function section(
  direction: Direction,
  lanes: readonly Lane[],
  top: number,
): { readonly content: string; readonly bottom: number } {
  const placed: Placed[] = [];
  let y = top + 64;
  for (const lane of lanes) {
    const clients = someOf(lane.from, MAX_NAMES);
    const hosts = [
      ...someOf([...new Set(lane.flows.map(({ to }) => to))], MAX_NAMES),
      ...(lane.arrives === '' ? [] : [`→ ${lane.arrives}`]),
    ];
    const height = Math.max((clients.length + 1) * LINE, hosts.length * LINE, 46) + PAD * 2;
    placed.push({ lane, y, height, clients, hosts });
    y += height + GAP;
  }
  const bottom = y;
  const isOut = direction === 'egress';
  const mesh = isOut
    ? { x: 16, width: GATEWAYS.x + GATEWAYS.width + 20 - 16 }
    : {
        x: GATEWAYS.x - 20,
        width: WIDTH - 16 - (GATEWAYS.x - 20),
      };
  const parts = [
    textAt(CLIENTS.x, top + 6, TITLES[direction], 300, { size: 16, className: 'bold' }),
    box(mesh.x, top + 18, mesh.width, bottom - top - 18, 'mesh', 14),
    textAt(isOut ? mesh.x + 16 : mesh.x + mesh.width - 16, top + 38, 'service mesh', 200, {
      size: 12,
      className: 'muted',
      anchor: isOut ? 'start' : 'end',
    }),
    textAt(isOut ? HOSTS.x : CLIENTS.x, top + 38, 'outside', 200, { size: 12, className: 'muted' }),
  ];
  for (const run of gatewayRuns(placed)) {
    const [first, last] = [run[0] as Placed, run[run.length - 1] as Placed];
    if (first.lane.via.length === 0) continue;
    const height = last.y + last.height - first.y;
    parts.push(box(GATEWAYS.x, first.y, GATEWAYS.width, height, 'gate'));
    let at = first.y + height / 2 - ((first.lane.via.length * 2 - 1) * LINE) / 2 + 6;
    for (const { role, name } of first.lane.via) {
      parts.push(
        textAt(GATEWAYS.x + GATEWAYS.width / 2, at, role, GATEWAYS.width - 16, {
          size: 11,
          anchor: 'middle',
          className: 'muted',
        }),
      );
      parts.push(
        textAt(GATEWAYS.x + GATEWAYS.width / 2, at + LINE, name, GATEWAYS.width - 16, {
          size: 13,
          anchor: 'middle',
          className: 'bold',
        }),
      );
      at += LINE * 2;
    }
  }
  for (const one of placed) parts.push(drawLane(one));
  return { content: parts.join('\n'), bottom };
}

/** Lanes next to each other that pass the same gateways share one box. */
function gatewayRuns(placed: readonly Placed[]): readonly (readonly Placed[])[] {
  const runs: Placed[][] = [];
  const key = ({ lane }: Placed): string => lane.via.map(({ name }) => name).join();
  for (const one of placed) {
    const run = runs[runs.length - 1];
    if (run?.[0] !== undefined && key(run[0]) === key(one)) run.push(one);
    else runs.push([one]);
  }
  return runs;
}

function drawLane({ lane, y, height, clients, hosts }: Placed): string {
  const mid = Math.round(y + height / 2);
  const isAnswered = lane.outcome === 'answered';
  const isRefused = lane.outcome !== 'delivered' && !isAnswered;
  const parts = [
    box(CLIENTS.x, y, CLIENTS.width, height, 'card'),
    ...clients.map((name, index) =>
      textAt(CLIENTS.x + PAD, y + PAD + 12 + index * LINE, name, CLIENTS.width - PAD * 2, { className: 'bold' }),
    ),
    textAt(
      CLIENTS.x + PAD,
      y + PAD + 12 + clients.length * LINE,
      `${lane.speaks}${lane.bypasses ? ', no proxy' : ''}`,
      CLIENTS.width - PAD * 2,
      { size: 12, className: 'muted' },
    ),
    box(HOSTS.x, y, HOSTS.width, height, isRefused ? 'bad' : 'card'),
    ...hosts.map((host, index) =>
      textAt(HOSTS.x + PAD, mid - (hosts.length * LINE) / 2 + 13 + index * LINE, host, HOSTS.width - PAD * 2, {
        size: 12,
        mono: true,
      }),
    ),
  ];
  const right = CLIENTS.x + CLIENTS.width;
  const hasGateway = lane.via.length > 0;
  const [first] = lane.links;
  const last = lane.links[lane.links.length - 1];
  if (hasGateway) {
    if (first !== undefined) parts.push(arrow(right, GATEWAYS.x, mid, first));
    const out = GATEWAYS.x + GATEWAYS.width;
    if (isAnswered) parts.push(answer(out, HOSTS.x, mid, lane.end));
    else if (isRefused) parts.push(refusal(out, HOSTS.x, mid, lane.end));
    else if (last !== undefined) parts.push(arrow(out, HOSTS.x, mid, last));
  } else if (isAnswered) parts.push(answer(right, HOSTS.x, mid, lane.end));
  else if (isRefused) parts.push(refusal(right, HOSTS.x, mid, lane.end));
  else if (last !== undefined) parts.push(arrow(right, HOSTS.x, mid, direct(last)));
  return `<g>${parts.join('')}</g>`;
}

function direct(link: Link): Link {
  return { ...link, label: `direct: ${link.label}` };
}

/** Nothing goes on to the host: the proxy replies. */
function answer(x1: number, x2: number, y: number, text: string): string {
  return [
    `<line x1="${x1}" y1="${y}" x2="${x2}" y2="${y}" class="wire plain"/>`,
    textAt((x1 + x2) / 2, y - 14, text, x2 - x1 - 12, { size: 12, anchor: 'middle', className: 'muted' }),
  ].join('');
}

function refusal(x1: number, x2: number, y: number, text: string): string {
  return [
    `<line x1="${x1}" y1="${y}" x2="${x2}" y2="${y}" class="wire plain"/>`,
    cross((x1 + x2) / 2, y),
    textAt((x1 + x2) / 2, y - 14, text, x2 - x1 - 12, { size: 12, anchor: 'middle', className: 'bad-text' }),
  ].join('');
}
