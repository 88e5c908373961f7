/** The whole edge as a Mermaid flowchart: a node for each group of clients, each gateway, each group of hosts. */
import { label } from '../mermaid-text';
import type { EdgeMap, Lane } from './flows';

const MAX_NAMES = 8;

export function edgeMermaid(map: EdgeMap): string {
  const output = ['flowchart LR'];
  const ids = new Map<string, string>();
  const inside: string[] = [];
  const outside: string[] = [];
  const wires: string[] = [];
  const node = (key: string, prefix: string, into: string[], shape: (id: string) => string): string => {
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = `${prefix}${ids.size + 1}`;
    ids.set(key, id);
    into.push(shape(id));
    return id;
  };
  for (const lane of map.lanes) {
    const isOut = lane.direction === 'egress';
    const clients = node(
      `${lane.direction} from ${lane.from.join()}`,
      'client',
      isOut ? inside : outside,
      (id) => `${id}([${label(some(lane.from))}])`,
    );
    let previous = clients;
    lane.via.forEach(({ role, name }, index) => {
      const id = node(`via ${role} ${name}`, 'gateway', inside, (own) => `${own}[[${label([role, name])}]]`);
      wires.push(wire(previous, id, wireLabel(lane, index)));
      previous = id;
    });
    const hosts = [...new Set(lane.flows.map(({ to }) => to))];
    const end = node(
      `to ${lane.direction} ${hosts.join()}`,
      'host',
      isOut ? outside : inside,
      (id) => `${id}([${label(some(hosts))}])`,
    );
    if (lane.outcome === 'delivered') wires.push(wire(previous, end, lane.links[lane.links.length - 1]?.label ?? ''));
    else if (lane.outcome === 'answered') wires.push(`  ${previous} -.->|${label([lane.end])}| ${end}`);
    else wires.push(`  ${previous} -.-x|${label([lane.end])}| ${end}`);
  }
  output.push('  subgraph mesh["service mesh"]', ...inside.map((line) => `    ${line}`), '  end');
  output.push(...outside.map((line) => `  ${line}`), ...wires);
  return `${output.join('\n')}\n`;
}

function wireLabel(lane: Lane, index: number): string {
  const own = lane.links[index]?.label ?? '';
  return index === 0 && lane.direction === 'egress' ? `${lane.speaks}: ${own}` : own;
}

function wire(from: string, to: string, text: string): string {
  return text === '' ? `  ${from} --> ${to}` : `  ${from} -->|${label([text])}| ${to}`;
}

function some(names: readonly string[]): readonly string[] {
  return names.length <= MAX_NAMES
    ? names
    : [...names.slice(0, MAX_NAMES - 1), `and ${names.length - MAX_NAMES + 1} more`];
}
