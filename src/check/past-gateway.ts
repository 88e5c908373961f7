/** Why requests go past a gateway that a rule leads to, and what mends it: for whom something opens is said. */
import { isHttpOrAuto, isTls } from '../model/protocols';
import { heldBySource } from '../trace/held-by-source';
import type { ObjectRef } from '../trace/types';
import { asSentence } from '../trace/words/words';
import type { CheckContext } from './context';
import { type RuleMatch, nameOf } from './edge';
import type { WayOut } from './egress-gateways';
import type { Path } from './paths/paths';
import type { Hit } from './rule';

/** Why a client that the rule is exported to is not led by it: its Sidecar leaves the rule out, the rule names other callers, or other requests. */
export function missed(
  { mesh }: CheckContext,
  service: WayOut['service'],
  rule: RuleMatch,
  { client, probe }: Path,
): Pick<Hit, 'why' | 'fix'> {
  const { namespace, labels } = client;
  const proxy = { type: 'sidecar', namespace, labels, addresses: [] } as const;
  const scope = mesh.scopeOf(proxy);
  const { manifest } = service;
  const isThere = scope.listeners.some(({ virtualServices }) =>
    virtualServices.some(({ config }) => config.namespace === manifest.namespace && config.name === manifest.name),
  );
  const sidecar = mesh.sidecarFor(namespace, labels);
  if (!isThere && sidecar !== undefined)
    return {
      why: `Sidecar ${sidecar.namespace}/${sidecar.name} leaves the rule out for ${client.from}, and lets the request out all the same: it leaves from the sidecar, unseen by the gateway and its policies.`,
      fix: `Set outboundTrafficPolicy of Sidecar ${sidecar.namespace}/${sidecar.name} to REGISTRY_ONLY. If its workloads are meant to call the host, add ${manifest.namespace}/${probe.host} to its egress hosts, so that they are led to the gateway.`,
    };
  const held = heldBySource({ mesh, scope, proxy }, probe.host, probe.port);
  if (held !== undefined) return forOtherCallers(held.by, held.admits, client.from);
  return ofOtherProtocol(mesh, rule, probe, namespace) ?? missesRequest(service, rule);
}

/** Rules under `http` are for ports of HTTP, and count for nothing elsewhere. */
function ofOtherProtocol(
  { services }: CheckContext['mesh'],
  { kind, rule }: RuleMatch,
  { host, port: number }: Path['probe'],
  namespace: string,
): Pick<Hit, 'why' | 'fix'> | undefined {
  const entry = services.declaring(host).find((one) => services.isVisible(one, namespace));
  const port = entry?.ports.find((one) => one.port === number);
  if (kind !== 'http' || entry?.config.manifest === undefined || port === undefined || isHttpOrAuto(port.protocol))
    return undefined;
  const at = `port ${number} of ${nameOf(entry.config.manifest)}`;
  return {
    why: asSentence(`${at} is ${port.protocol}, where rules under http count for nothing: the request leaves from the sidecar, unseen by the gateway and its policies`), // prettier-ignore
    fix: isTls(port.protocol)
      ? `Write ${kind}[${rule}] under tls, with sniHosts, since ${at} is ${port.protocol}.`
      : `Declare ${at} with protocol HTTP, if that is what clients send.`,
  };
}

function forOtherCallers({ kind, namespace, name }: ObjectRef, admits: string, from: string): Pick<Hit, 'why' | 'fix'> {
  return {
    why: `${kind} ${namespace}/${name} leads callers with ${admits} alone to the gateway. Others see the host too, and leave from the sidecar, unseen by the gateway and its policies.`,
    fix: `If ${from} is not meant to call the host, take it out of its sight (exportTo of the ServiceEntry, and REGISTRY_ONLY), or give those who share a namespace with ${admits} an entry without endpoints. If it is meant to, add it to the match.`,
  };
}

export function notExported({ manifest }: WayOut['service'], namespace: string): Pick<Hit, 'why' | 'fix'> {
  return {
    why: `The rule that leads to the gateway is not exported to ${namespace}, whose requests leave from the sidecar, unseen by the gateway and its policies.`,
    fix: `If ${namespace} is meant to call the host, add it to exportTo of ${nameOf(manifest)}. If not, take the host's ServiceEntry out of its sight (exportTo), and set outboundTrafficPolicy to REGISTRY_ONLY for it.`,
  };
}

export function unreadByZtunnel(namespace: string): Pick<Hit, 'why' | 'fix'> {
  return {
    why: `ztunnel reads no VirtualService: what ambient workloads of ${namespace} send leaves past the gateway, unseen by it and its policies.`,
    fix: `Bind the host's ServiceEntry to a waypoint (istio.io/use-waypoint), which applies policies to it, and hold what leaves ${namespace} otherwise with NetworkPolicies.`,
  };
}

function missesRequest(service: WayOut['service'], { kind, rule, match }: RuleMatch): Pick<Hit, 'why' | 'fix'> {
  const name = `${kind}[${rule}]`;
  const own = kind === 'http' ? undefined : service.spec[kind]?.[rule]?.match?.[match ?? 0];
  const subnets = own?.destinationSubnets ?? [];
  return {
    why: `Rule ${name} leads sidecars to the gateway, and does not take this request: it leaves from the sidecar, unseen by the gateway and its policies.`,
    fix:
      subnets.length > 0
        ? `Write destinationSubnets of ${name} so that they hold the addresses of the host's ServiceEntry (now ${subnets.join(', ')}).`
        : `Compare the match of ${name} with the request (port, sniHosts, source), and the addresses of the host's ServiceEntry: where the host has one, given or allocated, the rule holds for connections to that address only.`,
  };
}
