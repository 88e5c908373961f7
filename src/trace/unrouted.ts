/** Why a server of a Gateway has no rule for a request: the VirtualServices that are bound to it, and what keeps each from counting. */
import { overlaps } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import type { HttpMatch, L4Match, RuleRef, VirtualService } from '../model/virtual-services';
import { serversOf } from '../model/merged-gateway';
import { admitsHosts } from './gateway-listeners';
import type { Section, Unrouted } from './reasons';
import type { Decision, ObjectRef } from './types';

export interface Wanted {
  /** `NAMESPACE/NAME` of the Gateways that have the server. */
  readonly gateways: readonly string[];
  /** The namespace of the gateway's proxy. */
  readonly namespace: string;
  /** What the server takes rules of. */
  readonly section: Section;
  /** Of the server; 0 where several have the port. */
  readonly port: number;
  /** Null for TCP, which names none. */
  readonly host: string | null;
}

interface Reason {
  readonly cause: Unrouted;
  readonly by: Decision;
}

interface Bound {
  readonly gateway: string;
  readonly service: VirtualService;
}

export function unrouted(mesh: Mesh, wanted: Wanted): Reason | undefined {
  const bound = mesh.virtualServices.all.flatMap((service): readonly Bound[] => {
    const gateway = service.gateways.find((name) => wanted.gateways.includes(name));
    const isNamed = wanted.host === null || service.hosts.some((own) => overlaps(own, wanted.host ?? ''));
    return gateway === undefined || service.semantics !== 'istio' || !isNamed ? [] : [{ gateway, service }];
  });
  const isSeen = ({ gateway, service }: Bound): boolean =>
    mesh.virtualServices.forGateway(wanted.namespace, gateway).includes(service);
  const seen = bound.filter(isSeen);
  for (const reasonOf of [forOtherPort, ofOtherKind, forOtherGateway, notAdmitted])
    for (const one of seen) {
      const reason = reasonOf(one, wanted, mesh);
      if (reason !== undefined) return reason;
    }
  const hidden = bound.find((one) => !isSeen(one));
  return hidden === undefined ? undefined : notExported(hidden, wanted);
}

function notExported({ service }: Bound, { namespace }: Wanted): Reason {
  return {
    cause: { is: 'not-exported', route: objectOf(service), namespace },
    by: { ...objectOf(service), field: 'spec.exportTo' },
  };
}

/** A rule for the gateway whose match is for another port: that of a rule is the port of the Gateway's server, and not of the Pod. */
function forOtherPort({ gateway, service }: Bound, { section, port }: Wanted): Reason | undefined {
  for (const { ref, matches } of rulesOf(service, section)) {
    const at = matches.findIndex((match) => isFor(match, service, gateway) && match.port !== 0 && match.port !== port);
    if (at < 0 || port === 0) continue;
    return {
      cause: { is: 'other-port', route: objectOf(service), rule: ref.rule, matched: matches[at]?.port ?? 0, gateway, port }, // prettier-ignore
      by: { ...objectOf(service), field: `spec.${ref.rule}.match[${at}].port` },
    };
  }
  return undefined;
}

/** A server admits hosts by name, and those of some namespaces alone where an entry says which (`./host`, `shop/*`). */
function notAdmitted({ gateway, service }: Bound, { port }: Wanted, mesh: Mesh): Reason | undefined {
  const own = mesh.gateways.find(({ namespace, name }) => `${namespace}/${name}` === gateway);
  const servers = own === undefined ? [] : serversOf(own).filter((server) => port === 0 || server.port === port);
  if (servers.length === 0 || servers.some((server) => admitsHosts(server, service))) return undefined;
  const admitted = [...new Set(servers.flatMap(({ hosts }) => hosts))];
  return {
    cause: { is: 'not-admitted', route: objectOf(service), gateway, hosts: service.hosts, admitted },
    by: { ...objectOf(service), field: 'spec.hosts[0]' },
  };
}

/** Rules of the right kind, each for sidecars or another gateway alone. */
function forOtherGateway({ gateway, service }: Bound, { section }: Wanted): Reason | undefined {
  const rules = rulesOf(service, section);
  const [first] = rules;
  const isForIt = rules.some(({ matches }) => matches.length === 0 || matches.some((match) => isFor(match, service, gateway))); // prettier-ignore
  if (first === undefined || isForIt) return undefined;
  return {
    cause: { is: 'other-gateway', route: objectOf(service), section, gateway },
    by: { ...objectOf(service), field: `spec.${first.ref.rule}.match[0]` },
  };
}

/** Rules for the gateway of a kind that its server does not read. */
function ofOtherKind({ gateway, service }: Bound, { section }: Wanted): Reason | undefined {
  for (const kind of (['http', 'tls', 'tcp'] as const).filter((one) => one !== section))
    for (const { ref, matches } of rulesOf(service, kind)) {
      const at = matches.findIndex((match) => isFor(match, service, gateway));
      if (matches.length > 0 && at < 0) continue;
      return {
        cause: { is: 'other-kind', route: objectOf(service), section, found: kind, gateway },
        by: { ...objectOf(service), field: `spec.${ref.rule}${matches.length > 0 ? `.match[${at}]` : ''}` },
      };
    }
  return undefined;
}

interface Rules {
  readonly ref: RuleRef;
  readonly matches: readonly (HttpMatch | L4Match)[];
}

const rulesOf = (service: VirtualService, section: Section): readonly Rules[] => service[section];

const isFor = (match: HttpMatch | L4Match, service: VirtualService, gateway: string): boolean =>
  (match.gateways.length > 0 ? match.gateways : service.gateways).includes(gateway);

function objectOf({ config: { kind, namespace, name } }: VirtualService): ObjectRef {
  return { kind, namespace, name };
}
