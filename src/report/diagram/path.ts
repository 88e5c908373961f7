/** A trace as the stops of a picture: client, proxies, end, and what travels between them. */
import { proxyLabel } from '../trace-text';
import { whyUnknown } from '../../trace/words';
import type { Destination, Hop, ProxyKind, TlsKind, Trace, TraceRequest, Wire } from '../../trace/types';

export interface Stop {
  readonly kind: ProxyKind | 'client' | 'forward-proxy' | 'destination' | 'answered' | 'refused' | 'unknown';
  /** What it is: `sidecar`, `egress gateway`, `destination`. */
  readonly role: string;
  readonly name: string;
  /** Objects that decide here, with the fields that do. */
  readonly decides: readonly { readonly object: string; readonly fields: readonly string[] }[];
  /** Further lines: for a refusal the reason and the cure. */
  readonly text: readonly string[];
}

export interface Link {
  readonly protocol: string;
  readonly port: number | null;
  readonly tls: TlsKind;
  readonly sni: string | null;
  readonly label: string;
}

export interface Path {
  readonly outcome: Trace['outcome'];
  /** One more than links. */
  readonly stops: readonly Stop[];
  readonly links: readonly Link[];
  readonly notes: readonly string[];
}

/** TLS in a few words; the same words in every picture. */
export function tlsWords(tls: TlsKind): string {
  switch (tls) {
    case 'NONE':
      return 'plain text';
    case 'SIMPLE':
      return 'TLS';
    case 'MUTUAL':
      return 'mutual TLS';
    case 'ISTIO_MUTUAL':
      return 'mesh mTLS';
    case 'APPLICATION':
      return "app's own TLS";
  }
}

export function linkOf(wire: Wire): Link {
  const label =
    wire.tls === 'NONE'
      ? wire.protocol === 'TCP'
        ? 'TCP as the app sends it'
        : `${wire.protocol}, plain text`
      : wire.tls === 'APPLICATION'
        ? "app's own TLS"
        : wire.protocol === 'TLS'
          ? `app's TLS in ${tlsWords(wire.tls)}`
          : `${wire.protocol} in ${tlsWords(wire.tls)}`;
  const sni = wire.sni?.startsWith('outbound_.') ? null : wire.sni;
  return { protocol: wire.protocol, port: wire.port, tls: wire.tls, sni, label };
}

/** What leaves a CONNECT proxy: what was in the tunnel. */
export function linkBehind(destination: Destination): Link {
  return linkOf({ protocol: destination.tls === 'NONE' ? 'TCP' : 'TLS', ...destination });
}

export function pathOf(trace: Trace, request: TraceRequest): Path {
  const stops: Stop[] = [
    {
      kind: 'client',
      role: request.from === 'outside' ? 'outside client' : 'application',
      name: request.from,
      decides: [],
      text: [
        `${request.method === undefined || request.method === 'GET' ? '' : `${request.method} `}${request.request}`,
      ],
    },
  ];
  const links: Link[] = [];
  for (const [index, hop] of trace.hops.entries()) {
    const before = trace.hops[index - 1]?.sends;
    links.push(linkOf(before ?? hop.receives));
    const label = proxyLabel(hop.proxy);
    const name = hop.proxy.workload === null ? hop.proxy.namespace : `${hop.proxy.namespace}/${hop.proxy.workload}`;
    stops.push({
      kind: hop.proxy.kind,
      role: hop.proxy.kind === 'none' ? 'no proxy' : label.slice(0, label.length - name.length).trim(),
      name,
      decides: decidesOf(hop),
      text: [],
    });
  }
  const through = trace.destination?.through;
  if (through !== undefined)
    stops.push({
      kind: 'forward-proxy',
      role: 'CONNECT proxy',
      name: `${through.host}:${through.port}`,
      decides: [],
      text: [],
    });
  stops.push(endOf(trace));
  const last = trace.hops[trace.hops.length - 1];
  links.push(
    last?.sends != null
      ? linkOf(last.sends)
      : trace.destination !== null
        ? linkOf({ protocol: 'TCP', ...trace.destination })
        : { protocol: '', port: null, tls: 'NONE', sni: null, label: '' },
  );
  if (through !== undefined && trace.destination !== null) links.push(linkBehind(trace.destination));
  return { outcome: trace.outcome, stops, links, notes: trace.notes };
}

function decidesOf({ decidedBy }: Hop): Stop['decides'] {
  const byObject = new Map<string, string[]>();
  for (const { kind, namespace, name, field } of decidedBy) {
    const object = `${kind} ${namespace}/${name}`;
    byObject.set(object, [...(byObject.get(object) ?? []), field]);
  }
  return [...byObject].map(([object, fields]) => ({ object, fields }));
}

function endOf(trace: Trace): Stop {
  const { destination, refusal, answer } = trace;
  if (answer !== undefined)
    return {
      kind: 'answered',
      role: 'answered',
      name: `${answer.status}${answer.location === undefined ? '' : ` to ${answer.location}`}`,
      decides: [],
      text: [answer.what],
    };
  if (destination !== null)
    return {
      kind: 'destination',
      role: 'destination',
      name: `${destination.host}:${destination.port}`,
      decides: [],
      text: [],
    };
  if (refusal !== null)
    return {
      kind: 'refused',
      role: 'refused',
      name: `${refusal.code}${refusal.status === null ? ', closed' : ` ${refusal.status}`}`,
      decides: [],
      text: [refusal.what, `Fix: ${refusal.fix}`],
    };
  return {
    kind: 'unknown',
    role: 'unknown',
    name: 'unknown',
    decides: [],
    text: [whyUnknown(trace)],
  };
}
