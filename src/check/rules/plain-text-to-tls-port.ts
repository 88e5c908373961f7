import { findDecided } from '../paths/decided';
import { type Path, paths } from '../paths/paths';
import { PATH_KINDS, brokenPathHits, rulesFor } from '../paths/report';
import type { CheckContext } from '../context';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE302',
  name: 'plain-text-to-tls-port',
  severity: 'error',
  title: 'Plain HTTP is sent to a TLS port, or TLS to a plain one',
  why: 'One side begins with a TLS handshake and the other with a request: the answer is 400, or the connection is closed.',
  fix: 'Originate TLS with a DestinationRule for that host and port, mode SIMPLE or MUTUAL, and send it to the TLS port of the server.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: PATH_KINDS,
  footguns: ['T03', 'T09'],
  *check(context) {
    yield* brokenPathHits(context, ['plaintext-to-tls']);
    yield* wrongPorts(context);
  },
};

/** Requests that leave for the port of the other protocol: no object declares it, and yet 443 is TLS and 80 is not. */
function* wrongPorts(context: CheckContext): Generator<Hit> {
  const said = new Set<unknown>();
  const all = context.index(paths);
  const right = new Set(
    all.filter((path) => path.trace.outcome === 'delivered' && !wrongPort(path)).map(({ probe }) => probe.url),
  );
  for (const path of all) {
    const wrong = wrongPort(path);
    // A rule for some workloads of a namespace says nothing of others that no manifest shows.
    if (wrong === undefined || (path.client.isAssumed && right.has(path.probe.url))) continue;
    const decided = path.trace.hops.at(-1)?.decidedBy.find(({ kind }) => kind === 'DestinationRule');
    const at = (decided && findDecided(context, decided)) ?? { manifest: path.probe.manifest, field: path.probe.field };
    if (said.has(at.manifest)) continue;
    said.add(at.manifest);
    yield {
      ...at,
      onTheWay: [at.manifest, ...rulesFor(context, path.trace.hops.at(-1)?.cluster)],
      what: `${path.probe.url} from ${path.client.from} leaves ${wrong}`,
      ...(decided?.field.endsWith('credentialName')
        ? { why: 'The sidecar leaves out the TLS of a DestinationRule whose credentialName it may not read: it reads a Secret only for a rule with a workloadSelector.', fix: 'Add a workloadSelector for the client, in its namespace; or originate TLS at the egress gateway.' } // prettier-ignore
        : {}),
    };
  }
}

function wrongPort({ probe, trace: { outcome, destination, hops } }: Path): string | undefined {
  if (outcome !== 'delivered' || !destination || hops.at(-1)?.proxy.kind === 'none') return undefined;
  const { host, port, tls } = destination;
  if (probe.scheme !== 'http' || probe.port === 443 || probe.at !== undefined) return undefined;
  if (port === 443 && tls === 'NONE' && !host.endsWith('.svc.cluster.local'))
    return `as plain HTTP to port 443 of ${host}`;
  return port === 80 && (tls === 'SIMPLE' || tls === 'MUTUAL') ? `in TLS to port 80 of ${host}` : undefined;
}
