/** A trace as a Mermaid flowchart: client, proxies and destination in a row, each arrow with what travels on it. */
import { whyUnknown } from '../trace/words';
import type { Hop, Trace, TraceRequest } from '../trace/types';
import { label } from './mermaid-text';
import { allPrintable } from '../model/printable';
import { proxyLabel, tlsLabel } from './trace-text';

/** Rows of text. */
function quoted(text: string): string {
  return label(text.split('\n'));
}

function decidedLabel(hop: Hop): string {
  const shown = hop.decidedBy.slice(0, 3).map((one) => `${one.kind} ${one.namespace}/${one.name}\n${one.field}`);
  return [proxyLabel(hop.proxy), ...shown].join('\n');
}

export function traceMermaid(found: Trace, asked: TraceRequest): string {
  const [trace, request] = allPrintable([found, asked] as const);
  const lines = ['flowchart LR', `  client([${quoted(`${request.from}\n${request.request}`)}])`];
  let previous = 'client';
  trace.hops.forEach((hop, index) => {
    const id = `hop${index + 1}`;
    const isRefused = trace.refusal !== null && index === trace.hops.length - 1;
    lines.push(`  ${id}[${quoted(decidedLabel(hop))}]${isRefused ? ':::refused' : ''}`);
    const arrow = index === 0 ? hop.receives : (trace.hops[index - 1]?.sends ?? hop.receives);
    lines.push(`  ${previous} -->|${quoted(`${arrow.protocol} ${arrow.port}\n${tlsLabel(arrow)}`)}| ${id}`);
    previous = id;
  });
  const { destination, refusal, answer } = trace;
  const last = trace.hops[trace.hops.length - 1];
  if (destination !== null) {
    lines.push(`  target([${quoted(`${destination.host}:${destination.port}`)}]):::delivered`);
    const arrow = destination.through === undefined ? (last?.sends ?? null) : null;
    const { through } = destination;
    if (through !== undefined) {
      lines.push(`  tunnel[${quoted(`CONNECT proxy\n${through.host}:${through.port}`)}]`);
      lines.push(`  ${previous} -->|${quoted(`CONNECT ${destination.host}:${destination.port}`)}| tunnel`);
      previous = 'tunnel';
    }
    lines.push(
      `  ${previous} -->|${quoted(arrow === null ? tlsLabel(destination) : `${arrow.protocol} ${arrow.port}\n${tlsLabel(arrow)}`)}| target`,
    );
  } else if (answer !== undefined) {
    const to = answer.location === undefined ? answer.what : `to ${answer.location}`;
    lines.push(`  end1([${quoted(`answered: ${answer.status}\n${to}`)}]):::delivered`, `  ${previous} -.-> end1`);
  } else if (refusal !== null) {
    lines.push(
      `  end1{{${quoted(`refused: ${refusal.code}${refusal.status === null ? '' : ` ${refusal.status}`}\n${refusal.what}`)}}}:::refused`,
    );
    lines.push(`  ${previous} -.-x end1`);
  } else {
    lines.push(`  end1{{${quoted(`unknown\n${whyUnknown(trace)}`)}}}`);
    lines.push(`  ${previous} -.- end1`);
  }
  lines.push(
    '  classDef refused stroke:#b3261e,stroke-width:2px,stroke-dasharray:4 3',
    '  classDef delivered stroke:#1b7f3b,stroke-width:2px',
  );
  return `${lines.join('\n')}\n`;
}
