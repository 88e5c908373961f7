import { findDecided } from '../paths/decided';
import { type Path, paths } from '../paths/paths';
import { PATH_KINDS, brokenPathHits, rulesFor } from '../paths/report';
import type { CheckContext } from '../context';
import { isVisible, nameOf, fullHost } from '../edge';
import { specOf } from '../istio';
import { policiesOf } from '../credentials';
import type { Manifest } from '../../model/manifest';
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
  causedBy: ['EDGE306'],
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
    all.filter((path) => path.trace.outcome === 'delivered' && !wrongPort(context, path)).map(({ probe }) => probe.url),
  );
  for (const path of all) {
    const wrong = wrongPort(context, path);
    // A rule for some workloads of a namespace says nothing of others that no manifest shows.
    if (wrong === undefined || (path.client.isAssumed && right.has(path.probe.url))) continue;
    const decided = path.trace.hops.at(-1)?.decidedBy.find(({ kind }) => kind === 'DestinationRule');
    const missed = decided ? undefined : missedRule(context, path);
    const others = decided || missed || !right.has(path.probe.url) ? undefined : ruleOfOthers(context, path);
    const at = (decided && findDecided(context, decided)) ?? missed ?? others ?? { manifest: path.probe.manifest, field: path.probe.field }; // prettier-ignore
    if (said.has(at.manifest)) continue;
    said.add(at.manifest);
    yield {
      ...at,
      onTheWay: [at.manifest, ...rulesFor(context, path.trace.hops.at(-1)?.cluster)],
      what: `${path.probe.url} from ${path.client.from} leaves ${wrong}${missed ? `, though ${nameOf(missed.manifest)} is to originate TLS for it` : ''}${others ? `: ${nameOf(others.manifest)} originates TLS for the workloads that it selects alone` : ''}`,
      ...(missed ? { why: missed.why, fix: missed.fix } : {}),
      ...(others ? FOR_SOME : {}),
      ...(path.trace.hops.at(-1)?.proxy.kind === 'envoy-gateway' ? AT_ENVOY_GATEWAY : {}),
      ...(decided?.field.endsWith('credentialName')
        ? { why: 'The sidecar leaves out the TLS of a DestinationRule whose credentialName it may not read: it reads a Secret only for a rule with a workloadSelector.', fix: 'Add a workloadSelector for the client, in its namespace; or originate TLS at the egress gateway.' } // prettier-ignore
        : {}),
    };
  }
}

const AT_ENVOY_GATEWAY = {
  fix: 'Attach a BackendTLSPolicy to the backend, with validation.hostname and the authority to believe; or name its port of plain HTTP.',
  see: 'https://gateway.envoyproxy.io/docs/tasks/security/backend-tls/',
} as const;

/** A host that some workloads call with TLS of their sidecars is seen by others too, which need not call it. */
const FOR_SOME = {
  severity: 'warning',
  why: 'Other workloads that see the host have no TLS originated: what they send is answered 400, or the connection is closed.',
  fix: 'If the others are not to call the host, keep it from them by Sidecars; if they are, select them too.',
} as const;

function ruleOfOthers(
  context: CheckContext,
  { trace: { hops } }: Path,
): (Pick<Hit, 'field'> & { readonly manifest: Manifest }) | undefined {
  // prettier-ignore
  const manifest = rulesFor(context, hops.at(-1)?.cluster).find((rule) => {
    const spec = specOf('DestinationRule', rule);
    return spec.workloadSelector !== undefined && originatesTls(spec);
  });
  return manifest && { manifest, field: ['spec', 'workloadSelector'] };
}

function originatesTls(spec: ReturnType<typeof specOf<'DestinationRule'>>): boolean {
  return [...policiesOf(spec)].some(({ policy }) => policy.tls?.mode === 'SIMPLE' || policy.tls?.mode === 'MUTUAL');
}

function wrongPort({ mesh }: CheckContext, { probe, trace: { outcome, destination, hops } }: Path): string | undefined {
  if (outcome !== 'delivered' || !destination || hops.at(-1)?.proxy.kind === 'none') return undefined;
  const { host, port, tls } = destination;
  // Istio's gateways know what a port is declared as; Backends of Envoy Gateway declare nothing.
  const isByBackend = hops.at(-1)?.proxy.kind === 'envoy-gateway';
  const isAsked = probe.at === undefined ? probe.scheme === 'http' && probe.port !== 443 : isByBackend && probe.scheme !== 'tcp'; // prettier-ignore
  if (!isAsked) return undefined;
  const isOfCluster = host.endsWith(`.svc.${mesh.config.clusterDomain}`);
  if (port === 443 && tls === 'NONE' && !isOfCluster) return `as plain HTTP to port 443 of ${host}`;
  // A BackendTLSPolicy says of a Service that its Pods speak TLS, whatever number its port has.
  if (isByBackend && isOfCluster) return undefined;
  return port === 80 && (tls === 'SIMPLE' || tls === 'MUTUAL') ? `in TLS to port 80 of ${host}` : undefined;
}

interface Missed {
  readonly manifest: Manifest;
  readonly field: readonly (string | number)[];
  readonly why: string;
  readonly fix: string;
}

/**
 * A rule that would originate TLS for the last hop and is not looked up: proxies read those of their own namespace, of the service's and of the
 * root namespace, and nothing else, whatever `exportTo` says (`destinationRule` in Istio's pilot/pkg/model/push_context.go).
 */
function missedRule(context: CheckContext, { trace: { hops }, client }: Path): Missed | undefined {
  const { mesh } = context;
  const last = hops.at(-1);
  const host = last?.cluster?.split('|')[3] ?? '';
  const reader = last?.proxy.namespace ?? client.namespace;
  const owners = [...new Set([...mesh.services.named(host).values()].map(({ namespace }) => namespace))];
  const root = mesh.config.rootNamespace;
  for (const manifest of rulesFor(context, last?.cluster)) {
    const spec = specOf('DestinationRule', manifest);
    if (!originatesTls(spec)) continue;
    const isLookedUp = [reader, ...owners, root].includes(manifest.namespace);
    if (isLookedUp && isVisible(context, { manifest, spec }, reader)) {
      const first = mergedInto(context, manifest, last?.cluster);
      if (first === undefined) continue;
      return {
        manifest,
        field: ['spec', 'trafficPolicy'],
        why: `Of several DestinationRules that a namespace has for one host, the oldest gives the trafficPolicy (here ${nameOf(first)}), and the others no more than subsets of other names.`,
        fix: `Write the tls of ${nameOf(manifest)} in the trafficPolicy of ${nameOf(first)}, and one DestinationRule for the host.`,
      };
    }
    const why =
      'A DestinationRule is looked up in the namespace of the client, of the service and in the root namespace, in this order; exportTo does not add to them.';
    return isLookedUp
      ? { manifest, field: ['spec', 'exportTo'], why, fix: `Add ${reader} to its exportTo.` }
      : {
          manifest,
          field: ['metadata', 'namespace'],
          why,
          fix: `Move it to ${owners.join(' or ')} (the namespace of the service), for every client, or to ${reader} for the clients there; or to ${root} (the root namespace).`,
        };
  }
  return undefined;
}

/** Another rule of the namespace for the same host whose trafficPolicy counts in place of a rule's own (MergeDestinationRule of Istio). */
function mergedInto(
  context: CheckContext,
  manifest: Manifest,
  cluster: string | null | undefined,
): Manifest | undefined {
  // prettier-ignore
  const own = specOf('DestinationRule', manifest);
  if (!own.trafficPolicy) return undefined;
  return rulesFor(context, cluster).find((other) => {
    const spec = specOf('DestinationRule', other);
    const isTwin = other !== manifest && other.namespace === manifest.namespace && !spec.workloadSelector;
    return isTwin && fullHost(context, spec.host ?? '', other.namespace) === fullHost(context, own.host ?? '', manifest.namespace) && spec.trafficPolicy !== undefined; // prettier-ignore
  });
}
