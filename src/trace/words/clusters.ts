/** Words for causes below reasons: hosts that a proxy does not know, clusters that it does not have, endpoints that these lack. */
import { isAddress } from '../../model/addresses';
import { isHttp, isTls, type Protocol } from '../../model/protocols';
import type { NoCluster, NoEndpoints, Spoken, UnknownHost, Unrouted, Wanted } from '../reasons';
import type { ObjectRef } from '../types';
import { named } from './words';

interface Cause {
  readonly why: string;
  readonly fix: string;
}

/** Who a rule leads, where this client is none of them; `more` is said after the advice. */
function held(rule: ObjectRef, admits: string, more = ''): Cause {
  return {
    why: `${named(rule)} leads clients with ${admits} alone, and this one has not`,
    fix: `give the client that if it is meant to get through, or add it to the match of ${named(rule)}${more}`,
  };
}

export function unknownHostWords(cause: UnknownHost): Cause {
  switch (cause.is) {
    case 'held-by-source':
      return held(cause.rule, cause.admits);
    case 'port-not-declared':
      return {
        why: `${named(cause.entry)} declares ${cause.declared.join(', ')}, not port ${cause.port}`,
        fix: toAddPort(cause),
      };
    case 'neither-declared-nor-exported':
      return {
        why: `${named(cause.entry)} declares ${cause.declared.join(', ')}, not port ${cause.port}, and is not exported to namespace ${cause.namespace}`,
        fix: toDeclare(cause, cause.namespace),
      };
    case 'port-not-imported':
      return {
        why: `${named(cause.sidecar)} has no egress listener for port ${cause.port} that imports ${cause.host}`,
        fix: `add port ${cause.port} to the egress listeners of ${named(cause.sidecar)}, or leave the port out of the listener that imports ${cause.host}`,
      };
    case 'replaced-by-tls-rules':
      return {
        why: `the tls rules of ${named(cause.rule)} take the place of what ${named(cause.entry)} says of ${cause.declared}, and they are for ${cause.names.join(', ')} alone`,
        fix: `add a tls rule for ${cause.host} to ${named(cause.rule)}, that leads to ${cause.declared}`,
      };
    case 'other-protocol':
      return {
        why: `${named(cause.entry)} declares port ${cause.port} as ${cause.declared}, which this ${cause.spoken} request does not match`,
        fix: toBeSpoken(cause.declared, cause.port, cause.spoken),
      };
    case 'other-address':
      return {
        why: `${named(cause.entry)} claims address ${cause.addresses.join(', ')}, and the client dials another`,
        fix: `add the address that clients dial to its addresses${cause.spoken === 'TLS' ? ', or leave addresses out' : ''}`,
      };
    case 'not-imported':
      return {
        why: `${named(cause.entry)} is not among what ${named(cause.sidecar)} imports`,
        fix: `add "${cause.entry.namespace}/${cause.host}" to the egress hosts of ${named(cause.sidecar)}`,
      };
    case 'headless-without-pods':
      return {
        why: `${named(cause.service)} is headless, and nothing that runs is behind it: sidecars have listeners on port ${cause.port} for the addresses of its Pods alone`,
        fix: `correct the selector of ${named(cause.service)}, or the labels of the Pods`,
      };
    case 'pod-by-address':
      return {
        why:
          cause.headless === null
            ? `it is the address of ${named(cause.pod)}, which the proxy knows by the name and address of ${named(cause.service)} alone`
            : `it is the address of ${named(cause.pod)}, and port ${cause.port} of headless ${named(cause.service)} is ${cause.headless}, which the proxy knows by names alone`,
        fix: `call it as ${cause.host}`,
      };
    case 'not-exported':
      return {
        why: `${named(cause.entry)} is not exported to namespace ${cause.namespace}`,
        fix: toExport(cause),
      };
    case 'neither-spoken-nor-exported':
      return {
        why: `${named(cause.entry)} declares port ${cause.port} as ${cause.declared}, which this ${cause.spoken} request does not match, and is not exported to namespace ${cause.namespace}`,
        fix: toBeSpoken(cause.declared, cause.port, cause.spoken),
      };
    case 'refused-at-admission':
      return {
        why: `${named(cause.entry)}, which declares it, is refused by ${cause.refusedBy === 'webhook' ? "istiod's webhook" : 'the API server'}: ${cause.detail}`,
        fix: `correct ${named(cause.entry)}`,
      };
    case 'not-declared':
      return {
        why: `no ServiceEntry or Service that namespace ${cause.namespace} can see declares ${cause.host} on port ${cause.port}, and the outbound policy is ${cause.mode}`,
        fix: toDeclare(cause, cause.namespace),
      };
  }
}

/** An export alone would let requests out past a gateway that is to carry them. */
function toExport({ entry, namespace, carrier }: Extract<UnknownHost, { is: 'not-exported' }>): string {
  const exported = `add "${namespace}" to exportTo of ${named(entry)}`;
  return carrier === null
    ? exported
    : `if ${namespace} is to reach it by the gateway: give ${named(carrier.route)} a ${carrier.section} rule for mesh and port ${carrier.port} that leads there, and then ${exported}; without the rule its requests would leave past the gateway`;
}

/** An entry to add. A TCP port takes what goes to its addresses, whatever the host: without any, what goes to everywhere. */
function toDeclare({ host, port, protocol }: Wanted, namespace: string): string {
  if (isAddress(host)) return `add a ServiceEntry with address ${host} and port ${port} ${protocol}, exported to ${namespace}`; // prettier-ignore
  return protocol === 'TCP'
    ? `add a ServiceEntry with host ${host}, its addresses and port ${port} TCP, exported to ${namespace}: without addresses it takes what goes to any host on the port`
    : `add a ServiceEntry with host ${host} and port ${port} ${protocol}, exported to ${namespace}`;
}

/** How a request gets a port: of an object for this host, without opening the port for what else the object stands for. */
function toAddPort(cause: Extract<UnknownHost, { is: 'port-not-declared' }>): string {
  if (cause.ofEntry === null) return toDeclare(cause, cause.namespace);
  if (cause.entry.kind === 'Service')
    return `call ${cause.declared.length === 1 ? 'the port that it has' : 'one of the ports that it has'}, or add port ${cause.port} to ${named(cause.entry)}`;
  const added = `add port ${cause.port} with protocol ${cause.protocol} to ${named(cause.entry)}`;
  return cause.isForEverywhere
    ? `${added}, and the addresses of ${cause.ofEntry}: without them it takes what goes to any host on the port`
    : added;
}

/** What is to change where a port is declared with another protocol than a client speaks. Whoever speaks the declared one is to get through as before. */
function toBeSpoken(declared: Protocol, port: number, spoken: Spoken): string {
  if (spoken === 'HTTP' && isTls(declared))
    return `let clients speak TLS to port ${port}; or declare a port for plain HTTP, such as 80 with targetPort ${port}, and originate TLS there`;
  if (spoken === 'TLS' && isHttp(declared))
    return `let clients speak plain HTTP to port ${port}, to which the proxy can add TLS; or declare the port TLS, if all clients are to speak TLS themselves`;
  const other = isTls(declared) ? 'TLS with the name of the host' : declared;
  return spoken === 'TCP'
    ? `let clients speak ${other} to port ${port}; or declare it TCP, with the addresses of the host: without them it takes what goes to any host on the port`
    : `declare port ${port} with the protocol that clients speak (${spoken})`;
}

export function unroutedWords(cause: Unrouted): Cause {
  const route = named(cause.route);
  switch (cause.is) {
    case 'not-exported':
      return {
        why: `${route} has a rule for this gateway, and is not exported to ${cause.namespace}, the gateway's namespace`,
        fix: `add "${cause.namespace}" to exportTo of ${route}`,
      };
    case 'other-port':
      return {
        why: `${cause.rule} of ${route} is for port ${cause.matched}, and the server of Gateway ${cause.gateway} has port ${cause.port}`,
        fix: `write port ${cause.port}, that of the Gateway's server, in the match of ${cause.rule} of ${route}`,
      };
    case 'not-admitted':
      return {
        why: `the server of Gateway ${cause.gateway} admits ${cause.admitted.join(', ') || 'nothing'}, and so none of the hosts of ${route} (${cause.hosts.join(', ')}, of namespace ${cause.route.namespace})`,
        fix: `write ${cause.route.namespace}/${cause.hosts[0] ?? ''} among the hosts of the server of Gateway ${cause.gateway}, if ${cause.route.namespace} is to have routes there`,
      };
    case 'other-gateway':
      return {
        why: `no ${cause.section} rule of ${route} is for Gateway ${cause.gateway}: each has a match for other gateways`,
        fix: `add a ${cause.section} rule whose match has gateways [${cause.gateway}] to ${route}`,
      };
    case 'other-kind':
      return {
        why: `the server of Gateway ${cause.gateway} takes ${cause.section} rules, and ${route} has ${cause.found} rules for it`,
        fix: `write the rule for the Gateway as one of ${cause.section} in ${route}; or give the server a protocol and mode that reads ${cause.found} rules (http for HTTP and HTTPS that the gateway ends, tls for PASSTHROUGH, tcp for TCP and TLS that the gateway ends)`,
      };
  }
}

export function noClusterWords(cause: NoCluster): Cause {
  switch (cause.is) {
    case 'no-such-name':
      // istiod's name for a backend that it makes nothing of.
      if (cause.cluster === 'UnknownService')
        return {
          why: 'a backend of the route is none that istiod takes: no Service or Hostname, or one of another namespace that no ReferenceGrant allows',
          fix: 'name a Service, and write a ReferenceGrant where it is in another namespace',
        };
      return {
        why: `cluster ${cause.cluster} is in no configuration`,
        fix: 'correct the destination of the route',
      };
    case 'external-name':
      return {
        why: `${named(cause.service)} is of type ExternalName, for which istiod makes no cluster: a route to it leads to ${cause.externalName} on the ports that the Service has${cause.ports.length === 0 ? ', which are none' : ` (${cause.ports.join(', ')})`}`,
        fix: `write host ${cause.externalName} in the route${cause.isDeclared ? '' : ', and declare that in a ServiceEntry'}`,
      };
    case 'not-imported':
      return {
        why: `${named(cause.sidecar)} does not import ${cause.host}`,
        fix: `add ${cause.namespace}/${cause.host} to the Sidecar's egress hosts`,
      };
    case 'not-exported':
      return {
        why: `${named(cause.entry)} is not exported to namespace ${cause.to}`,
        fix: `add "${cause.to}" to its exportTo${cause.hasSidecar ? `, and ${cause.entry.namespace}/${cause.host} to the Sidecar's egress hosts` : ''}`,
      };
    case 'no-service':
      return cause.inCluster
        ? {
            why: `no Service makes ${cause.host}`,
            fix: `create the Service, or correct the route's destination.host`,
          }
        : {
            why: `no ServiceEntry has host ${cause.host}`,
            fix: `add a ServiceEntry for ${cause.host} that namespace ${cause.namespace} can see`,
          };
    case 'wildcard-protocol-at-waypoint':
      return {
        why: `port ${cause.port} of ${named(cause.entry)} is ${cause.protocol}, and waypoints resolve names of DYNAMIC_DNS for ports of HTTP alone`,
        fix: 'declare the port HTTP',
      };
    case 'wildcard-by-name':
      return {
        why: `resolution DYNAMIC_DNS of ${named(cause.entry)} works in waypoints only${cause.inSidecars ? ', and in sidecars without subsets' : `, and in sidecars from Istio ${cause.since} on`}`,
        fix: cause.atGateway
          ? 'declare the hosts that are meant one by one, with resolution DNS, and route these to the gateway; or send the traffic through a waypoint'
          : 'use resolution NONE from a sidecar, or send the traffic through a waypoint',
      };
    case 'port-not-imported':
      return {
        why: `${named(cause.sidecar)} imports port ${cause.imported.join(', ')} of ${cause.host}, and not ${cause.port}`,
        fix: 'leave the port out of the egress listeners of the Sidecar',
      };
    case 'no-port':
      return {
        why: `${cause.host} has no port ${cause.port}, only ${cause.ports.join(', ')}`,
        fix: `add port ${cause.port} to ${named(cause.entry)}, or route to ${cause.ports.join(', ')}`,
      };
    case 'no-subset':
      return noSubset(cause);
    case 'no-dns-endpoint':
      return {
        why: `${cause.host} resolves by DNS but has no endpoint${cause.subset === '' ? '' : ` for subset "${cause.subset}"`}`,
        fix: 'give the ServiceEntry endpoints, or labels on them that the subset selects',
      };
    case 'no-route-of-waypoint':
      return {
        why: `waypoint ${cause.waypoint} has clusters of other services only for VirtualServices whose hosts have the whole name of one of its own, and none of these leads to ${cause.host}`,
        fix: `name the host of the waypoint's service in the VirtualService that leads to ${cause.host}, without a wildcard`,
      };
  }
}

function noSubset(cause: Extract<NoCluster, { is: 'no-subset' }>): Cause {
  const { host, subset, rules, subsets } = cause;
  const from =
    rules === null
      ? 'no DestinationRule for it reaches the proxy'
      : `DestinationRule ${rules.map((one) => `${one.namespace}/${one.name}`).join(', ')} has ${subsets.join(', ') || 'no subsets'}`;
  return { why: `${host} has no subset "${subset}" here: ${from}`, fix: adviceForSubset(cause) };
}

function adviceForSubset({ host, subset, rules, elsewhere }: Extract<NoCluster, { is: 'no-subset' }>): string {
  const inReach = rules?.map((one) => `${one.namespace}/${one.name}`).join(', ');
  if (elsewhere === null)
    return inReach === undefined
      ? `add subset "${subset}" to a DestinationRule for ${host}`
      : `name one of these subsets, or add subset "${subset}" to the DestinationRule`;
  const { service, proxy, root, rule } = elsewhere;
  if (![service, proxy, root].includes(rule.namespace))
    return `put the DestinationRule with subset "${subset}" in namespace ${either([service, proxy, root])}, and export it to ${proxy}`;
  return inReach === undefined
    ? `export DestinationRule ${rule.namespace}/${rule.name} to ${proxy}`
    : `add subset "${subset}" to DestinationRule ${inReach}, which the proxy looks at first`;
}

export function noEndpointsWords(cause: NoEndpoints): Cause {
  switch (cause.is) {
    case 'held-by-source':
      return held(
        cause.rule,
        cause.admits,
        `; endpoints in ${named(cause.entry)} would let everyone through who sees it`,
      );
    case 'no-original-destination':
      return {
        why: `a gateway cannot use resolution NONE of ${named(cause.entry)}: it has no original destination to go to`,
        fix: cause.isAddress
          ? `set resolution STATIC, with the address that the gateway is to dial as endpoint: what ${cause.host} claims is an address`
          : 'set resolution DNS, with one real host as endpoint if the host is a wildcard, or let sidecars go direct',
      };
    case 'entry-without-endpoint':
      return {
        why: cause.selects
          ? `the workloadSelector of ${named(cause.entry)} selects nothing in namespace ${cause.entry.namespace}`
          : `${named(cause.entry)} has no endpoint with an IP`,
        fix: cause.selects
          ? `correct the workloadSelector, or the labels of Pods and WorkloadEntries in namespace ${cause.entry.namespace}: it selects none there`
          : cause.isBlock
            ? `add endpoints with IPs (a block of addresses cannot be resolved by DNS); whoever sees ${named(cause.entry)} gets through then`
            : `add endpoints with IPs, or set resolution DNS; whoever sees ${named(cause.entry)} gets through then`,
      };
    case 'nothing-selected':
      return {
        why: `nothing that runs is selected by ${named(cause.service)}`,
        fix: 'correct the selector or the labels of the Pods',
      };
    case 'not-exported-to-waypoint':
      return {
        why: `${named(cause.service)} is not exported to namespace ${cause.namespace} of the waypoint, or another of the same name is nearer there: istiod tells the waypoint no endpoints of it`,
        fix: `export ${named(cause.service)} to namespace ${cause.namespace}, or use a waypoint of namespace ${cause.service.namespace}`,
      };
    case 'nothing-in-subset':
      return {
        why: `no endpoint of ${named(cause.service)} has the labels of subset "${cause.subset}"`,
        fix: cause.ofEntry
          ? `correct the labels of subset "${cause.subset}" in its DestinationRule, or those of the endpoints`
          : 'correct the selector or the labels of the Pods',
      };
    case 'no-service-at-endpoint':
      return {
        why: `no Service makes ${cause.host}, to which ${named(cause.entry)} leads`,
        fix: `create the Service, or correct the endpoint of ${named(cause.entry)}`,
      };
  }
}

/** Each name once. */
function either(names: readonly string[]): string {
  const all = [...new Set(names)];
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`;
}
