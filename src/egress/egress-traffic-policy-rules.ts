import { isIpAddress, isWildcard } from '../core/hostname';
import { portProblems } from '../core/names';
import { Problem, quote } from '../core/problem';
import { slips } from '../core/slips';
import { MeshNamespace } from '../mesh/mesh-namespace';
import { Workloads } from '../mesh/workloads';
import type { EgressTrafficPolicy, EgressTrafficRule } from './egress-traffic-policy';
import type { EgressGatewayBase } from './egress-gateway';
import { defaultWay, plainToTls } from './plain-http';
import { ExternalPort } from './external-port';
import { IExternalService } from './external-service';
import { forwardProxyWayProblems } from './forward-proxy';
import { originationProblems } from './origination-rule';
import { tunnelProblems } from './transparent-proxy';
import { upstreamProblems } from './upstream-settings';

const METHOD = /^[A-Z]+$/;

const FIELDS: Readonly<Record<keyof EgressTrafficRule, true>> = {
  from: true,
  to: true,
  ports: true,
  http: true,
  https: true,
  tcp: true,
  upstream: true,
  direct: true,
  methods: true,
  paths: true,
  gatewayPort: true,
};

/** What is wrong with one rule by itself. */
export function ruleProblems(policy: EgressTrafficPolicy, rule: EgressTrafficRule, index: number): Problem[] {
  const gateway = rule.direct ? undefined : policy.gateway;
  const at = (problems: Problem[]) => problems.map((p) => ({ ...p, what: `rules[${index}]: ${p.what}` }));
  return at([
    ...generalRuleProblems(rule),
    ...rule.from.flatMap((workloads) => cannotMatch(policy, workloads)),
    ...unknownHop(policy, rule),
    ...tunnels(rule),
    ...(gateway ? cannotCarry(rule) : cannotHold(rule)),
    ...originations(rule, gateway),
    ...upstreams(rule),
    ...plain(rule),
  ]);
}

function plain(rule: EgressTrafficRule): Problem[] {
  const isNamed = ({ number }: ExternalPort) => !rule.ports || rule.ports.includes(number);
  return rule.to.flatMap(({ hosts, ports }) =>
    ports.filter(isNamed).flatMap((port) => plainToTls(hosts, port, rule.http ?? defaultWay(port))),
  );
}

function upstreams(rule: EgressTrafficRule): Problem[] {
  const isNamed = ({ number }: ExternalPort) => !rule.ports || rule.ports.includes(number);
  const readsHttp = rule.to.every(({ ports }) => ports.some((port) => port.isHttp && isNamed(port)));
  return rule.to.slice(0, 1).flatMap(({ resolution, ports }) => {
    const way = rule.http ?? defaultWay(ports.find((port) => port.isHttp));
    return upstreamProblems({ settings: rule.upstream, resolution, readsHttp, originates: way._originates });
  });
}

/** A trust domain is part of the names of certificates. */
export function trustDomainProblems(trustDomain = 'cluster.local'): Problem[] {
  if (/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(trustDomain)) return [];
  return [
    {
      what: `trust domain ${quote(trustDomain)}`,
      why: 'no certificate carries such a name',
      fix: 'such as "cluster.local"',
    },
  ];
}

/** What is wrong with a rule whatever it goes through. */
export function generalRuleProblems(rule: EgressTrafficRule): Problem[] {
  return [
    ...slips(rule, FIELDS),
    ...allowsNothing(rule),
    ...allowsEverything(rule),
    ...rule.from.flatMap((workloads) => workloads._problems()),
    ...unknownPorts(rule),
    ...httpOnly(rule),
  ];
}

function allowsNothing(rule: EgressTrafficRule): Problem[] {
  const empty: Array<[string, readonly unknown[] | undefined, string]> = [
    ['from', rule.from, "name the workloads, such as Workloads.in('shop', { app: 'payments' })"],
    ['to', rule.to, 'name the external services'],
    ['ports', rule.ports, 'name the ports, or leave `ports` out to mean all that the services declare'],
    ['methods', rule.methods, 'name the methods, or leave `methods` out to mean any'],
    ['paths', rule.paths, 'name the paths, or leave `paths` out to mean any'],
  ];
  return empty
    .filter(([, list]) => list !== undefined && list.length === 0)
    .map(([name, , fix]) => ({ what: `\`${name}\` is empty`, why: 'the rule would allow nothing', fix }));
}

function allowsEverything(rule: EgressTrafficRule): Problem[] {
  const broad = rule.to.flatMap(({ hosts }) => hosts).filter((host) => isWildcard(host) && host.split('.').length < 3);
  const ranges = rule.to.flatMap(({ addresses }) => addresses).filter((address) => /\/0*[0-7]$/.test(address));
  return [
    ...broad.map((host) => ({
      what: `host ${quote(host)} takes in a whole top-level domain`,
      why: 'whoever may reach it may reach anybody who buys a name there',
      fix: 'name the domain, such as "*.example.com"',
    })),
    ...ranges.map((range) => ({
      what: `address range ${quote(range)} takes in much of the internet`,
      why: 'a rule that allows everything decides nothing',
      fix: 'name the ranges of the service',
    })),
  ];
}

function cannotMatch(policy: EgressTrafficPolicy, workloads: Workloads): Problem[] {
  const namespace = MeshNamespace._called(workloads.namespace, policy);
  if (namespace && !namespace.membership.isInjected) {
    return [
      {
        what: `${workloads._words()} can't match: ${namespace.node.path} keeps sidecars out of that namespace`,
        why: 'a rule is held by the sidecar of its callers, and these have none',
        fix: 'give the namespace MeshMembership.sidecar(), or take its workloads out of the rule',
      },
    ];
  }
  if (workloads.namespace !== policy.gateway?.namespace) return [];
  return [
    {
      what: `${workloads._words()} are in the namespace of the gateway`,
      why: 'what a gateway sends is not led through it once more, and whoever may run workloads there may use its credentials',
      fix: 'run the applications in a namespace of their own',
    },
  ];
}

function unknownPorts(rule: EgressTrafficRule): Problem[] {
  const problems = (rule.ports ?? []).flatMap((port) => portProblems('port', port));
  for (const port of rule.ports ?? []) {
    for (const service of rule.to.filter(({ ports }) => !ports.some(({ number }) => number === port))) {
      problems.push({
        what: `${service.node.path} has no port ${port}`,
        why: 'the rule would allow nothing there',
        fix: `use one of ${service.ports.map(({ number }) => number).join(', ')}, or declare the port on the service`,
      });
    }
  }
  return problems;
}

function unknownHop({ gateway }: EgressTrafficPolicy, rule: EgressTrafficRule): Problem[] {
  const hop = rule.gatewayPort;
  if (hop === undefined) return [];
  if (rule.direct || !gateway) {
    return [
      {
        what: `gateway port ${hop} of a rule without a gateway`,
        why: 'what leaves from the sidecar passes no gateway',
        fix: rule.direct
          ? 'leave out `gatewayPort`, or `direct`'
          : 'leave out `gatewayPort`, or give the policy a `gateway`',
      },
    ];
  }
  if (gateway.servicePorts.includes(hop)) return [];
  return [
    {
      what: `gateway ${gateway.node.path} has no port ${hop}`,
      why: 'sidecars would have no cluster for the hop, and answer 503',
      fix: `use one of ${gateway.servicePorts.join(', ')}, or add the port to the gateway's Service`,
    },
  ];
}

function httpOnly(rule: EgressTrafficRule): Problem[] {
  const ports = rule.to.flatMap((service) =>
    service.ports.filter(({ number }) => !rule.ports || rule.ports.includes(number)),
  );
  const problems: Problem[] = [];
  const opaque = ports.find((port) => !port.isHttp);
  const limited = rule.methods ?? rule.paths;
  if (limited && opaque) {
    problems.push({
      what: `methods or paths on ${opaque.protocol} port ${opaque.number}`,
      why: 'no proxy sees inside, so the condition would never match, or mean nothing',
      fix: 'name the HTTP ports in `ports`, and allow the others by a rule of their own',
    });
  }
  if (rule.http && ports.length && !ports.some((port) => port.isHttp)) {
    problems.push({
      what: 'a way for HTTP, but no plain-text HTTP port',
      why: 'there is no plain HTTP that could be taken',
      fix: 'leave out `http`, or name an HTTP port',
    });
  }
  if (rule.http?.mode === 'DIRECT') {
    problems.push({
      what: 'HttpEgress.direct() in a rule',
      why: 'a rule leads all that it allows one way',
      fix: 'leave the HTTP ports out of `ports`; a rule of its own with `direct: true` lets them leave from the sidecar',
    });
  }
  for (const method of (rule.methods ?? []).filter((name) => !METHOD.test(name))) {
    problems.push({
      what: `method ${quote(method)}`,
      why: 'methods are compared letter by letter, and written in capitals; a wildcard would mean any',
      fix: 'use GET, POST and so on, or leave `methods` out to mean any',
    });
  }
  for (const path of (rule.paths ?? []).filter((text) => !/^(\/|\*.)/.test(text) || text === '/*')) {
    problems.push({
      what: `path ${quote(path)}`,
      why: path === '/*' ? 'it takes in every path' : 'paths begin with a slash',
      fix: 'write "/v1/charges", "/v1/*" or "*/health"; leave `paths` out to mean any',
    });
  }
  return problems;
}

function cannotCarry(rule: EgressTrafficRule): Problem[] {
  return rule.to.flatMap((service) => {
    const hosts = service.hosts.map(quote).join(', ');
    const problems: Problem[] = [];
    const { kind } = service.resolution;
    const isTunnelled = (port: ExternalPort) => (port.isTls ? rule.https : port.isTcp ? rule.tcp : undefined)?.proxy;
    // A tunnel is opened by name: what the gateway knows of the site's address makes no difference.
    const tunnelled = service.ports
      .filter(({ number }) => !rule.ports || rule.ports.includes(number))
      .every(isTunnelled);
    if (tunnelled) return [];
    if (kind === 'NONE' || kind === 'DYNAMIC_DNS') {
      problems.push({
        what: `${hosts} with ${kind} resolution, through a gateway`,
        why: 'the address that the application dialled is known to its sidecar only; the gateway would send to itself, or nowhere (503)',
        fix: service.hosts.some(isWildcard)
          ? 'use Resolution.dns({ address: ... }) with one host that serves the whole domain, Resolution.dynamicForwardProxy(), or name the single hosts'
          : 'use Resolution.dns() or Resolution.static(...)',
      });
    }
    problems.push(...forwardProxyWayProblems(service, rule.http));
    if (service.ports.filter((port) => port.isHttp).length > 1 && !rule.ports) {
      const numbers = service.ports.filter((port) => port.isHttp).map(({ number }) => number);
      problems.push({
        what: `HTTP ports ${numbers.join(' and ')} of ${hosts} share one gateway`,
        why: 'the gateway tells HTTP apart by host, and can’t know which of the ports was dialled',
        fix: 'name one of them in `ports`',
      });
    }
    return problems.concat(
      service.addresses
        .filter((address) => isIpAddress(address.split('/')[0]) && address.includes('/') && kind === 'DNS')
        .map((address) => ({
          what: `range ${quote(address)} with DNS resolution`,
          why: 'Istio refuses it',
          fix: 'use single addresses',
        })),
    );
  });
}

/** What a sidecar can't decide by itself. */
function cannotHold(rule: EgressTrafficRule): Problem[] {
  const problems: Problem[] = [];
  const accounts = rule.from.filter(({ serviceAccounts }) => serviceAccounts.length);
  if (accounts.length)
    problems.push({
      what: `${accounts[0]._words()}, straight from the sidecar`,
      why: 'a sidecar tells its workload by labels; the account is known to who is called, and no gateway is',
      fix: 'name the workloads by their labels alone, or let the rule go through a gateway',
    });
  if (rule.http?.mode === 'MUTUAL' || rule.http?.tls?.trust?.secretName !== undefined)
    problems.push({
      what: 'a credential at the sidecar',
      why: 'istiod gives it only to workloads whose account may read every Secret of their namespace',
      fix: 'let the rule go through a gateway, where credentials lie apart from applications; or use SidecarEgress, and grant that right',
    });
  for (const service of rule.to.filter(({ resolution }) => rule.http?._originates && resolution.kind === 'NONE'))
    problems.push({
      what: `TLS origination for ${service.node.path}, which has no resolution`,
      why: 'the sidecar would speak TLS to the plain-text port that the application dialled',
      fix: 'use Resolution.dns() on the service',
    });
  for (const service of rule.to.filter(({ resolution }) => resolution.kind === 'DYNAMIC_DNS'))
    problems.push({
      what: `${service.hosts.map(quote).join(', ')} with DYNAMIC_DNS resolution, from a sidecar`,
      why: 'only waypoints of ambient mode honour it; a sidecar cuts such traffic',
      fix: 'use Resolution.none()',
    });
  for (const service of rule.to.filter(({ resolution }) => resolution._isForwardProxy))
    problems.push({
      what: `${service.hosts.map(quote).join(', ')} with Resolution.dynamicForwardProxy(), from a sidecar`,
      why: 'only an egress gateway resolves such names; the sidecar would look for one that does not exist',
      fix: 'use Resolution.none(), or let the rule go through a gateway',
    });
  return problems;
}

function tunnels(rule: EgressTrafficRule): Problem[] {
  const chosen = (service: IExternalService) =>
    service.ports.filter(({ number }) => !rule.ports || rule.ports.includes(number));
  const problems: Problem[] = [];
  for (const [field, way] of [
    ['https', rule.https],
    ['tcp', rule.tcp],
  ] as const) {
    if (way?.mode === 'DIRECT')
      problems.push({
        what: `\`${field}\` that is direct in a rule`,
        why: 'a rule leads all that it allows through the gateway, or none of it',
        fix: 'leave its ports out of `ports`, and allow them by a rule of their own with `direct: true`',
      });
    const fits = (port: ExternalPort) => (field === 'https' ? port.isTls : port.isTcp);
    if (way?.proxy && rule.to.length && !rule.to.some((service) => chosen(service).some(fits)))
      problems.push({
        what: `a tunnel for ${field === 'https' ? 'TLS' : 'TCP'}, but no such port`,
        why: 'there is nothing that could be tunnelled',
        fix: `leave out \`${field}\`, or name such a port`,
      });
  }
  if (!rule.https?.proxy && !rule.tcp?.proxy) return problems;
  return [...problems, ...rule.to.flatMap((service) => tunnelProblems(service, chosen(service)))];
}

function originations(rule: EgressTrafficRule, gateway: EgressGatewayBase | undefined): Problem[] {
  const way = rule.http;
  if (!way?._originates) return [];
  const host = rule.to.flatMap(({ hosts }) => hosts)[0];
  const problems = host === undefined || !gateway ? [] : originationProblems(host, way, gateway.namespace);
  for (const service of rule.to) {
    problems.push(...noTlsPort(service, service.ports));
  }
  return problems;
}

/** TLS that is originated to a service needs a port to go to. @param used the ports that a rule speaks of */
export function noTlsPort(service: IExternalService, used: readonly ExternalPort[]): Problem[] {
  const http = used.find((port) => port.isHttp);
  if (!http || http.targetPort !== undefined || service.ports.some((port) => port.isTls)) return [];
  return [
    {
      what: `TLS origination, but ${service.node.path} has no port for the TLS to go to`,
      why: `TLS would be spoken to plain-text port ${http.number}`,
      fix: `declare ExternalPort.https() beside it, or ExternalPort.http(${http.number}, { targetPort: 443 })`,
    },
  ];
}
