import { isWildcard } from '../core/hostname';
import { Problem, quote } from '../core/problem';
import type { ForwardOptions } from './egress-route';
import { defaultWay, plainToTls } from './plain-http';
import { ExternalPort } from './external-port';
import { IExternalService } from './external-service';
import { forwardProxyWayProblems } from './forward-proxy';
import { GatewayHop } from './gateway-hop';
import { originationProblems } from './origination-rule';
import { tunnelProblems } from './transparent-proxy';
import { upstreamProblems } from './upstream-settings';

interface Forward {
  readonly service: IExternalService;
  readonly options: ForwardOptions;
  readonly gatewayNamespace: string;
  readonly hop: GatewayHop;
  readonly tlsPort: number;
}

/** What can't be forwarded, or not so. */
export function forwardProblems(forward: Forward): Problem[] {
  return [
    ...waysWithoutPorts(forward),
    ...portsAlike(forward),
    ...tunnels(forward),
    ...resolutionLost(forward),
    ...originations(forward),
    ...sharedSni(forward),
    ...forwardProxyWayProblems(forward.service, forward.options.http),
    ...upstreams(forward),
    ...plain(forward),
  ];
}

function waysWithoutPorts({ service, options }: Forward): Problem[] {
  const { ports } = service;
  const problems: Problem[] = [];
  const has = { http: ports.some((p) => p.isHttp), tls: ports.some((p) => p.isTls), tcp: ports.some((p) => p.isTcp) };
  if (options.http && options.http.mode !== 'DIRECT' && !has.http) {
    const what = options.http._originates
      ? 'TLS origination, but the service has no plain-text HTTP port'
      : 'a way for HTTP, but the service has no plain-text HTTP port';
    problems.push({
      what,
      why: 'there is no plain HTTP that the gateway could take',
      fix: 'declare ExternalPort.http() on the service, or leave out `http`',
    });
  }
  if (options.https && options.https.mode !== 'DIRECT' && !has.tls) {
    problems.push({
      what: 'a way for HTTPS, but the service has no TLS port',
      why: 'there is no TLS that the gateway could pass on',
      fix: 'declare ExternalPort.https() on the service, or leave out `https`',
    });
  }
  if (options.tcp && options.tcp.mode !== 'DIRECT' && !has.tcp) {
    problems.push({
      what: 'a way for TCP, but the service has no TCP port',
      why: 'there is nothing that the gateway could pass on',
      fix: 'declare ExternalPort.tcp(...) on the service, or leave out `tcp`',
    });
  }
  const used =
    (has.http && options.http?.mode !== 'DIRECT') ||
    (has.tls && options.https?.mode !== 'DIRECT') ||
    (has.tcp && options.tcp?.mode !== 'DIRECT');
  if (!used && ports.length)
    problems.push({
      what: 'every port goes direct',
      why: 'nothing would go through the gateway',
      fix: 'leave out the call of forward(...), or one of the `direct()`',
    });
  return problems;
}

function plain({ service, options }: Forward): Problem[] {
  const port = service.ports.find(({ isHttp }) => isHttp);
  return plainToTls(service.hosts, port, options.http ?? defaultWay(port));
}

function upstreams({ service, options }: Forward): Problem[] {
  const readsHttp = service.ports.some((port) => port.isHttp) && options.http?.mode !== 'DIRECT';
  const way = options.http ?? defaultWay(service.ports.find((port) => port.isHttp));
  const { resolution } = service;
  return upstreamProblems({
    settings: options.upstream,
    resolution,
    readsHttp,
    originates: readsHttp && way._originates,
  });
}

function portsAlike({ service, options }: Forward): Problem[] {
  const alike = [
    { ports: service.ports.filter((p) => p.isHttp), off: options.http?.mode === 'DIRECT', what: 'HTTP', by: 'host' },
    { ports: service.ports.filter((p) => p.isTls), off: options.https?.mode === 'DIRECT', what: 'TLS', by: 'SNI' },
  ];
  return alike
    .filter(({ ports, off }) => !off && ports.length > 1)
    .map(({ ports, what, by }) => ({
      what: `${what} ports ${ports.map((p) => p.number).join(' and ')} of ${service.hosts.map(quote).join(', ')} share one gateway`,
      why: `the gateway tells traffic apart by ${by}, and can't know which of the ports was dialled`,
      fix: 'forward one of the ports, and declare the other as a service that leaves from the sidecar or through another gateway',
    }));
}

/** A tunnel is opened by name: what the proxies know of the site's address makes no difference. */
function tunnels({ service, options }: Forward): Problem[] {
  const isUsed = options.https?.proxy ?? options.tcp?.proxy;
  if (!isUsed) return [];
  return tunnelProblems(service, options.http?.mode === 'DIRECT' ? [] : service.ports);
}

function resolutionLost({ service, options }: Forward): Problem[] {
  const { kind } = service.resolution;
  const isTunnelled = (port: ExternalPort) =>
    (port.isTls ? options.https : port.isTcp ? options.tcp : undefined)?.proxy;
  if (service.ports.every(isTunnelled)) return [];
  const wildcard = service.hosts.find(isWildcard);
  if (kind === 'NONE') {
    return [
      {
        what: `${service.hosts.map(quote).join(', ')} ${service.hosts.length > 1 ? 'have' : 'has'} no resolution, and goes through a gateway`,
        why: 'the address that the application dialled is known to its sidecar only; the gateway would send to itself, or nowhere (503)',
        fix:
          wildcard === undefined
            ? 'use Resolution.dns() or Resolution.static(...)'
            : 'use Resolution.dns({ address: ... }) with one host that serves the whole domain, Resolution.dynamicForwardProxy(), forward the single hosts, or let the wildcard leave from the sidecar',
      },
    ];
  }
  if (kind === 'DYNAMIC_DNS') {
    return [
      {
        what: `${service.hosts.map(quote).join(', ')} with DYNAMIC_DNS resolution, through an egress gateway`,
        why: 'only waypoints of ambient mode honour it: gateway and sidecar get no cluster for it',
        fix: 'use Resolution.dns({ address: ... }) with one host that serves the whole domain, or Resolution.dynamicForwardProxy()',
      },
    ];
  }
  return [];
}

function originations({ service, options, gatewayNamespace }: Forward): Problem[] {
  const way = options.http;
  if (!way?._originates) return [];
  const problems = service.hosts.slice(0, 1).flatMap((host) => originationProblems(host, way, gatewayNamespace));
  const plain = service.ports.find((port) => port.isHttp);
  if (plain && plain.targetPort === undefined && !service.ports.some((port) => port.isTls)) {
    problems.push({
      what: 'TLS origination, but the service has no port for the TLS to go to',
      why: `TLS would be spoken to plain-text port ${plain.number}`,
      fix: `declare ExternalPort.https() beside it, or ExternalPort.http(${plain.number}, { targetPort: 443 }) where applications shall not use HTTPS themselves`,
    });
  }
  return problems;
}

function sharedSni({ service, options, hop, tlsPort }: Forward): Problem[] {
  const bothWays =
    service.ports.some((p) => p.isHttp) &&
    options.http?.mode !== 'DIRECT' &&
    service.ports.some((p) => p.isTls) &&
    options.https?.mode !== 'DIRECT';
  if (options.subset === undefined || !bothWays || !hop.isMutualTls || hop.port !== tlsPort) return [];
  return [
    {
      what: `subset ${quote(options.subset)} takes HTTP and HTTPS of one host to port ${tlsPort} of the gateway`,
      why: "the SNI of both is the host, so the gateway can't tell the hop's TLS from the application's",
      fix: 'leave out `subset`, or give the hop another port',
    },
  ];
}
