/** A trace as text for people: one block a hop, what decided it, and for a refusal what to do. */
import { createColors } from 'picocolors';
import type { Hop, ProxyRef, Refusal, Trace, TraceRequest, Wire } from '../trace/types';
import { allPrintable } from '../model/printable';

export interface TextOptions {
  readonly color: boolean;
}

const KINDS: Readonly<Record<ProxyRef['kind'], string>> = {
  sidecar: 'sidecar',
  'egress-gateway': 'egress gateway',
  'ingress-gateway': 'ingress gateway',
  'envoy-gateway': 'Envoy Gateway',
  waypoint: 'waypoint',
  ztunnel: 'ztunnel',
  none: 'no proxy',
};

export function proxyLabel(proxy: ProxyRef): string {
  const name = proxy.workload === null ? proxy.namespace : `${proxy.namespace}/${proxy.workload}`;
  return `${KINDS[proxy.kind]} ${name === '' ? '(outside)' : name}`;
}

/** How a connection is secured, in words. */
export function tlsLabel(wire: { readonly tls: Wire['tls']; readonly sni: string | null }): string {
  const sni = wire.sni === null ? '' : `, SNI ${wire.sni}`;
  switch (wire.tls) {
    case 'NONE':
      return 'plain text';
    case 'SIMPLE':
      return `TLS${sni}`;
    case 'MUTUAL':
      return `mutual TLS${sni}`;
    case 'ISTIO_MUTUAL':
      return `Istio mutual TLS${sni}`;
    case 'APPLICATION':
      return `the application's own TLS${sni}`;
  }
}

function wireLabel(wire: Wire): string {
  return `${wire.protocol} on port ${wire.port}, ${tlsLabel(wire)}`;
}

export function traceText(found: Trace, asked: TraceRequest, options: TextOptions): string {
  const [trace, request] = allPrintable([found, asked] as const);
  const color = createColors(options.color);
  const lines: string[] = [];
  const field = (name: string, value: string): void => {
    lines.push(`     ${color.dim(name.padEnd(8))} ${value}`);
  };
  const method = request.method === undefined || request.method === 'GET' ? '' : `${request.method} `;
  lines.push(
    color.bold(`${method}${request.request}`) +
      color.dim(` from ${request.from}${request.at === undefined ? '' : ` at ${request.at}`}`),
    '',
  );
  trace.hops.forEach((hop, index) => {
    lines.push(`  ${index + 1}  ${color.bold(proxyLabel(hop.proxy))}`);
    field('receives', wireLabel(hop.receives));
    for (const text of hopDecisions(hop)) field('decides', text);
    if (hop.cluster !== null) field('cluster', color.cyan(hop.cluster));
    for (const other of hop.alternatives) field('', color.dim(`${other.cluster} (weight ${other.weight})`));
    if (hop.asks !== undefined) field('asks for', `${hop.asks.authority}${hop.asks.path}`);
    if (hop.sends !== null) field('sends', wireLabel(hop.sends));
    if (hop.endpointsOf !== undefined) {
      const { kind, namespace, name } = hop.endpointsOf;
      field('to', `${hop.envoy.endpoints.join(', ')} (${kind} ${namespace}/${name} spec.endpoints)`);
    }
    lines.push('');
  });
  lines.push(...ending(trace, color));
  for (const note of trace.notes) lines.push(`  ${color.dim('note')}   ${note}`);
  return `${lines.join('\n').trimEnd()}\n`;
}

function hopDecisions(hop: Hop): readonly string[] {
  return hop.decidedBy.map((one) => `${one.kind} ${one.namespace}/${one.name} ${one.field}`);
}

function ending(trace: Trace, color: ReturnType<typeof createColors>): readonly string[] {
  const { destination, refusal, answer } = trace;
  if (answer !== undefined) {
    const to = answer.location === undefined ? '' : ` to ${color.bold(answer.location)}`;
    return [
      `  ${color.green(color.bold('answered'))} by ${proxyLabel(answer.proxy)}: ${color.bold(String(answer.status))}${to}`,
      `  ${color.dim('why')}    ${answer.what}`,
      ...whereOf(answer, color),
    ];
  }
  if (destination !== null) {
    const { through } = destination;
    const by = through === undefined ? '' : `, through the CONNECT proxy ${through.host}:${through.port}`;
    return [
      `  ${color.green(color.bold('delivered'))} to ${color.bold(`${destination.host}:${destination.port}`)}, ${tlsLabel(destination)}${by}`,
    ];
  }
  if (refusal === null) return [`  ${color.yellow(color.bold('unknown'))}: the manifests do not tell`];
  const status = refusal.status === null ? 'the connection is closed' : `status ${refusal.status}`;
  return [
    `  ${color.red(color.bold('refused'))} at ${proxyLabel(refusal.proxy)}: ${color.bold(refusal.code)}, ${status}`,
    `  ${color.dim('why')}    ${refusal.what}`,
    `  ${color.dim('fix')}    ${refusal.fix}`,
    ...whereOf(refusal, color),
  ];
}

function whereOf({ by }: Pick<Refusal, 'by'>, color: ReturnType<typeof createColors>): readonly string[] {
  return by === null ? [] : [`  ${color.dim('where')}  ${by.kind} ${by.namespace}/${by.name} ${by.field}`];
}
