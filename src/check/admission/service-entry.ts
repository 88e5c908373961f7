/** What istiod's webhook refuses in a ServiceEntry (pkg/config/validation/validation.go of Istio 1.29). */
import { isSocket } from '../../model/endpoints';
import type { Manifest } from '../../model/manifest';
import type { IstioBehavior } from '../../model/release-behavior';
import { type Endpoint, type ServiceEntrySpec, specOf } from '../istio';
import { isHttp, isKnownProtocol, isTls } from '../protocol';
import { type Issue, exportToIssues, labelIssues } from './issue';
import { isAddress, isAddressOrCidr, isDnsLabel, isPortNumber, wrongHost, wrongName } from './names';

const quote = JSON.stringify;

export function* serviceEntryIssues(manifest: Manifest, istio: IstioBehavior): Generator<Issue> {
  const spec = specOf('ServiceEntry', manifest);
  yield* hostIssues(spec);
  yield* portIssues(spec);
  yield* resolutionIssues(manifest, spec, istio);
  for (const [at, address] of (spec.addresses ?? []).entries()) {
    if (!isAddressOrCidr(address)) {
      yield {
        field: ['spec', 'addresses', at],
        what: `${quote(address)} is no IP address or CIDR block`,
        fix: 'Write an IP address such as 240.0.0.1 or a block such as 10.0.0.0/8.',
      };
    }
  }
  if (spec.workloadSelector && (spec.endpoints ?? []).length > 0) {
    yield {
      field: ['spec', 'workloadSelector'],
      what: 'workloadSelector and endpoints are both set',
      fix: 'Keep one of them.',
    };
  }
  yield* exportToIssues(spec.exportTo, manifest.namespace, { allowsNobody: true });
}

function* hostIssues({ hosts = [], resolution = 'NONE', ports = [] }: ServiceEntrySpec): Generator<Issue> {
  if (hosts.length === 0)
    yield { field: ['spec', 'hosts'], what: 'there are no hosts', fix: 'Write at least one host.' };
  for (const [at, host] of hosts.entries()) {
    const field = ['spec', 'hosts', at];
    if (host === '*') {
      yield {
        field,
        what: 'the host is *, every name there is',
        fix: 'Name hosts, or a domain with a wildcard such as *.example.com with resolution NONE.',
      };
      continue;
    }
    const wrong = wrongHost(host);
    if (wrong)
      yield {
        field,
        what: `the host ${quote(host)} is no DNS name: ${wrong}`,
        fix: isAddress(host)
          ? 'Give it a name, and write the IP address into addresses (what the client dials) or endpoints (where it goes).'
          : 'Write a DNS name.',
      };
    else if (host.includes('*') && !host.startsWith('*.') && resolution !== 'DYNAMIC_DNS') {
      yield {
        field,
        isWarning: true,
        what: `the host ${quote(host)} has a wildcard that is no whole label`,
        fix: 'Write *. at the beginning.',
        why: 'Envoy matches *.example.com, not a part of a label.',
      };
    }
  }
  const tcp = ports.findIndex(({ protocol }) => !isHttp(protocol) && !isTls(protocol));
  if (resolution !== 'NONE' && hosts.length > 1 && tcp !== -1) {
    yield {
      field: ['spec', 'hosts'],
      what: `${hosts.length} hosts share the ${ports[tcp]?.protocol || 'TCP'} port ${ports[tcp]?.number}`,
      fix: 'Write a ServiceEntry for each host.',
      why: 'Plain TCP carries no name by which a proxy could tell the hosts apart, so istiod refuses the entry.',
    };
  }
}

function* portIssues({ ports = [] }: ServiceEntrySpec): Generator<Issue> {
  const names = new Set<string>();
  const numbers = new Set<number>();
  for (const [at, { name = '', number = 0, protocol = '', targetPort }] of ports.entries()) {
    const field = ['spec', 'ports', at];
    if (names.has(name))
      yield {
        field: [...field, 'name'],
        what: `two ports are named ${quote(name)}`,
        fix: 'Give each port a name of its own.',
      };
    if (numbers.has(number))
      yield { field: [...field, 'number'], what: `port ${number} is there twice`, fix: 'Remove one of the two.' };
    names.add(name);
    numbers.add(number);
    if (!isDnsLabel(name))
      yield {
        field: [...field, 'name'],
        what: name === '' ? `port ${number} has no name` : `the port's name ${quote(name)} is no DNS label`,
        fix: 'Name it after its protocol, such as http, tls or tcp-db.',
      };
    if (protocol !== '' && !isKnownProtocol(protocol)) {
      yield {
        field: [...field, 'protocol'],
        what: `${quote(protocol)} is no protocol that Istio knows`,
        fix: 'Write HTTP, HTTPS, HTTP2, GRPC, TLS, TCP, MONGO, REDIS, MYSQL or UDP.',
      };
    }
    if (!isPortNumber(number))
      yield {
        field: [...field, 'number'],
        what: `${number} is no port number`,
        fix: 'Write a number from 1 to 65535.',
      };
    if (targetPort !== undefined && targetPort !== 0 && !isPortNumber(targetPort))
      yield {
        field: [...field, 'targetPort'],
        what: `${targetPort} is no port number`,
        fix: 'Write a number from 1 to 65535.',
      };
  }
}

function* resolutionIssues(manifest: Manifest, spec: ServiceEntrySpec, istio: IstioBehavior): Generator<Issue> {
  const { hosts = [], addresses = [], endpoints = [], ports = [], resolution = 'NONE', workloadSelector } = spec;
  const field = ['spec', 'resolution'];
  const cidr = addresses.find((address) => address.includes('/'));
  switch (resolution) {
    case 'NONE':
      if (endpoints.length > 0)
        yield {
          field,
          what: 'resolution is NONE, and there are endpoints',
          fix: 'Write resolution: STATIC for IP addresses or DNS for names, or remove the endpoints.',
        };
      if (workloadSelector)
        yield {
          field,
          isWarning: true,
          what: 'resolution is NONE, and there is a workloadSelector',
          fix: 'Write resolution: STATIC.',
          why: 'With NONE the proxy goes to whatever address the client dialled, and selects no workload.',
        };
      break;
    case 'STATIC':
      yield* endpointIssues(
        endpoints,
        ports.map(({ name = '' }) => name),
        false,
      );
      break;
    case 'DNS':
    case 'DNS_ROUND_ROBIN': {
      const wild = endpoints.length === 0 ? hosts.findIndex((host) => wrongName(host) !== undefined) : -1;
      if (wild !== -1) {
        yield {
          field: ['spec', 'hosts', wild],
          what: `the host ${quote(hosts[wild])} cannot be resolved by DNS, as resolution ${resolution} asks`,
          fix: 'For a wildcard write resolution: NONE (the sidecar dials the address the client looked up), DYNAMIC_DNS (ambient), or give endpoints.',
          why: 'There is no address for a name with a wildcard, so istiod refuses the entry, and the whole apply fails.',
        };
      }
      if (resolution === 'DNS_ROUND_ROBIN' && endpoints.length > 1)
        yield {
          field,
          what: `DNS_ROUND_ROBIN allows one endpoint, and there are ${endpoints.length}`,
          fix: 'Keep one endpoint, or write resolution: DNS.',
        };
      yield* endpointIssues(
        endpoints,
        ports.map(({ name = '' }) => name),
        true,
      );
      break;
    }
    case 'DYNAMIC_DNS': {
      const plain = hosts.find((host) => !host.startsWith('*'));
      if (plain !== undefined)
        yield {
          field,
          what: `DYNAMIC_DNS is for wildcards only, and ${quote(plain)} is none`,
          fix: 'Write resolution: DNS for it, in an entry of its own.',
        };
      if (addresses.length > 0)
        yield { field: ['spec', 'addresses'], what: 'DYNAMIC_DNS allows no addresses', fix: 'Remove the addresses.' };
      if (endpoints.length > 0)
        yield { field: ['spec', 'endpoints'], what: 'DYNAMIC_DNS allows no endpoints', fix: 'Remove the endpoints.' };
      const allowed = istio.resolvesWildcardsInSidecars ? ['HTTP', 'HTTP2', 'GRPC', 'TLS'] : ['HTTP', 'TLS'];
      const other = ports.find(({ protocol = '' }) => !allowed.includes(protocol.toUpperCase()));
      if (other)
        yield {
          field: ['spec', 'ports'],
          what: `DYNAMIC_DNS allows ports of ${allowed.join(', ')} only, and port ${other.number} is ${other.protocol || 'without a protocol'}`,
          fix: 'Write one of these protocols.',
        };
      const waypoint = manifest.labels['istio.io/use-waypoint'] ?? '';
      const isByWaypoint = waypoint !== '' && waypoint.toLowerCase() !== 'none';
      if (
        (spec.location ?? 'MESH_EXTERNAL') !== 'MESH_EXTERNAL' &&
        (isByWaypoint || !istio.resolvesWildcardsInSidecars)
      )
        yield {
          field: ['spec', 'location'],
          what: `DYNAMIC_DNS is for hosts outside the mesh${isByWaypoint ? ' where a waypoint resolves them' : ''}, and location is MESH_INTERNAL`,
          fix: 'Write location: MESH_EXTERNAL.',
        };
      break;
    }
  }
  if (cidr !== undefined && !['NONE', 'STATIC'].includes(resolution)) {
    yield {
      field: ['spec', 'addresses'],
      what: `the address ${quote(cidr)} is a block, and resolution is ${resolution}`,
      fix: 'Write resolution: NONE (go where the client dialled) or STATIC.',
    };
  }
}

function* endpointIssues(
  endpoints: readonly Endpoint[],
  portNames: readonly string[],
  mayBeName: boolean,
): Generator<Issue> {
  for (const [at, { address = '', network, ports = {}, labels }] of endpoints.entries()) {
    yield* labelIssues(labels, ['spec', 'endpoints', at, 'labels']);
    const field = ['spec', 'endpoints', at];
    const isAtSocket = isSocket(address);
    if (address === '' && !network && !mayBeName)
      yield { field, what: 'an endpoint has no address', fix: 'Write its address.' };
    else if (isAtSocket && Object.keys(ports).length > 0)
      yield {
        field: [...field, 'ports'],
        what: `the Unix socket ${quote(address)} has ports`,
        fix: 'Remove the ports.',
      };
    else if (isAtSocket && !mayBeName && !/^(@|\/(.*[^/])?$)/.test(address.slice('unix://'.length)))
      yield {
        field: [...field, 'address'],
        what: `${quote(address)} is no absolute path of a socket`,
        fix: 'Write unix:// and the whole path of the socket.',
      };
    else if (isAtSocket && !mayBeName && portNames.length !== 1)
      yield {
        field,
        what: `an endpoint is a Unix socket, and the entry has ${portNames.length} ports`,
        fix: 'Keep one port: a socket has none to tell them apart.',
      };
    else if (
      (address !== '' || mayBeName) &&
      (mayBeName || !isAtSocket) &&
      !isAddress(address) &&
      (!mayBeName || wrongName(address))
    ) {
      yield {
        field: [...field, 'address'],
        what: `the endpoint ${quote(address)} is no IP address${mayBeName ? ' and no DNS name' : ', as resolution STATIC asks'}`,
        fix: mayBeName ? 'Write an IP address or a DNS name.' : 'Write an IP address, or resolution: DNS.',
      };
    }
    for (const [name, number] of Object.entries(ports)) {
      if (!portNames.includes(name))
        yield {
          field: [...field, 'ports', name],
          what: `an endpoint has a port ${quote(name)}, and the entry has none of that name (${portNames.join(', ') || 'it has no ports'})`,
          fix: 'Use the name of one of the ports of the entry.',
        };
      if (!isPortNumber(number))
        yield {
          field: [...field, 'ports', name],
          what: `${number} is no port number`,
          fix: 'Write a number from 1 to 65535.',
        };
    }
  }
}
