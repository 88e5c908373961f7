/** What istiod's webhook refuses in a VirtualService (pkg/config/validation of Istio 1.29). */
import type { FieldPath, Manifest } from '../../model/manifest';
import { isSubsetOf } from '../../model/hostnames';
import { type HttpRoute, type TlsRoute, type VirtualServiceSpec, specOf } from '../istio';
import { destinationsIssues, gatewayNameIssues, matchPortIssues } from './destinations';
import { isClaim } from './http-headers';
import { httpRouteIssues } from './http-route';
import { type Issue, exportToIssues, labelIssues } from './issue';
import { isAddress, isAddressOrCidr, wrongHost } from './names';

const quote = JSON.stringify;

export function* virtualServiceIssues(manifest: Manifest): Generator<Issue> {
  const spec = specOf('VirtualService', manifest);
  const { http = [], tls = [], tcp = [], gateways = [] } = spec;
  yield* hostIssues(spec);
  yield* gatewayNameIssues(gateways, ['spec', 'gateways']);
  if (http.length + tls.length + tcp.length === 0) {
    yield { field: ['spec'], what: 'there are no routes', fix: 'Write at least one of http, tls and tcp.' };
  }
  if (gateways.length === 0 || gateways.includes('mesh')) yield* claimIssues(http);
  for (const [at, route] of http.entries()) {
    yield* httpRouteIssues(route, (spec.hosts ?? []).length === 0, ['spec', 'http', at]);
  }
  for (const [at, route] of tls.entries()) yield* tlsRouteIssues(route, spec, ['spec', 'tls', at]);
  for (const [at, { match = [], route = [] }] of tcp.entries()) {
    const field = ['spec', 'tcp', at];
    if (route.length === 0)
      yield { field, what: 'a TCP route has no destination', fix: 'Write route with a destination.' };
    for (const [m, { destinationSubnets = [], port, gateways: names = [], sourceLabels }] of match.entries()) {
      yield* labelIssues(sourceLabels, [...field, 'match', m, 'sourceLabels']);
      yield* subnetIssues(destinationSubnets, [...field, 'match', m, 'destinationSubnets']);
      yield* matchPortIssues(port, [...field, 'match', m, 'port']);
      yield* gatewayNameIssues(names, [...field, 'match', m, 'gateways']);
    }
    yield* destinationsIssues(route, [...field, 'route']);
  }
  yield* exportToIssues(spec.exportTo, manifest.namespace);
}

/** Tokens are read at gateways alone; what is for the mesh as well is refused whole. */
function* claimIssues(http: readonly HttpRoute[]): Generator<Issue> {
  for (const [at, { match = [] }] of http.entries())
    for (const [m, one] of match.entries())
      for (const part of ['headers', 'withoutHeaders'] as const)
        for (const name of Object.keys(one[part] ?? {}))
          if (isClaim(name))
            yield {
              field: ['spec', 'http', at, 'match', m, part, name],
              what: `a route is chosen by the claim ${quote(name)}, and the VirtualService is not for gateways alone`,
              fix: 'Name the gateways, without mesh, and write a VirtualService of its own for the mesh.',
            };
}

function* hostIssues(spec: VirtualServiceSpec): Generator<Issue> {
  const { hosts = [], gateways = [], tls = [], tcp = [] } = spec;
  if (hosts.length === 0) {
    if (gateways.length > 0)
      yield {
        field: ['spec', 'gateways'],
        what: 'there are no hosts, so this is a delegate, and a delegate has no gateways',
        fix: 'Write hosts, or remove gateways.',
      };
    if (tls.length > 0)
      yield {
        field: ['spec', 'tls'],
        what: 'there are no hosts, so this is a delegate, and a delegate has no tls routes',
        fix: 'Write hosts: only http routes can be delegated.',
      };
    if (tcp.length > 0)
      yield {
        field: ['spec', 'tcp'],
        what: 'there are no hosts, so this is a delegate, and a delegate has no tcp routes',
        fix: 'Write hosts: only http routes can be delegated.',
      };
  }
  const isForMesh = gateways.length === 0 || gateways.includes('mesh');
  let allValid = true;
  for (const [at, host] of hosts.entries()) {
    const field = ['spec', 'hosts', at];
    const wrong = host.startsWith('outbound_') && !isForMesh ? undefined : wrongHost(host);
    if (wrong && !isAddress(host)) {
      allValid = false;
      yield {
        field,
        what: `the host ${quote(host)} is no DNS name: ${wrong}`,
        fix: 'Write a DNS name, a wildcard such as *.example.com, or an IP address.',
      };
    } else if (host === '*' && isForMesh) {
      allValid = false;
      yield {
        field,
        what: 'the host is *, and the VirtualService is for the mesh',
        fix: 'Name hosts; * is for a VirtualService on gateways only.',
        why: 'Routes for * would take every request of every sidecar, so istiod refuses them.',
      };
    }
  }
  if (!allValid) return;
  for (const [at, host] of hosts.entries()) {
    const other = hosts.find(
      (candidate, index) => index > at && (isSubsetOf(candidate, host) || isSubsetOf(host, candidate)),
    );
    if (other !== undefined)
      yield {
        field: ['spec', 'hosts', at],
        what: `the hosts ${quote(host)} and ${quote(other)} cover one another`,
        fix: 'Keep the wider one, or write a VirtualService for each.',
      };
  }
}

function* tlsRouteIssues(
  { match = [], route = [] }: TlsRoute,
  { hosts = [], gateways = [] }: VirtualServiceSpec,
  field: FieldPath,
): Generator<Issue> {
  if (match.length === 0) yield { field, what: 'a TLS route has no match', fix: 'Write match with sniHosts.' };
  if (route.length === 0)
    yield { field, what: 'a TLS route has no destination', fix: 'Write route with a destination.' };
  // Without gateways too (isGateway): only `mesh` by its name is none.
  const onGateway = !gateways.includes('mesh');
  for (const [
    m,
    { sniHosts = [], destinationSubnets = [], port, gateways: names = [], sourceLabels },
  ] of match.entries()) {
    const at = [...field, 'match', m];
    if (sniHosts.length === 0)
      yield { field: at, what: 'a TLS match has no sniHosts', fix: 'Write the SNI that it is for.' };
    for (const [s, sni] of sniHosts.entries()) {
      const wrong = sni.startsWith('outbound_') && onGateway ? undefined : wrongHost(sni);
      if (wrong && isAddress(sni)) {
        yield {
          field: [...at, 'sniHosts', s],
          isWarning: true,
          what: `${quote(sni)} is an IP address, which no client sends as SNI`,
          fix: 'Match a host name; for connections to an address write a tcp route with destinationSubnets.',
          why: 'RFC 6066 allows host names only, so the match is never met.',
        };
      } else if (wrong) {
        yield {
          field: [...at, 'sniHosts', s],
          what: `the SNI ${quote(sni)} is no DNS name: ${wrong}`,
          fix: 'Write a DNS name or a wildcard such as *.example.com.',
        };
      } else if (!hosts.some((host) => isSubsetOf(sni, host))) {
        yield {
          field: [...at, 'sniHosts', s],
          what: `the SNI ${quote(sni)} is none of the hosts ${hosts.map((host) => quote(host)).join(', ')}`,
          fix: 'Add it to hosts, or match one of them.',
          why: 'istiod refuses a match on an SNI that the VirtualService is not for.',
        };
      }
    }
    yield* subnetIssues(destinationSubnets, [...at, 'destinationSubnets']);
    yield* matchPortIssues(port, [...at, 'port']);
    yield* labelIssues(sourceLabels, [...at, 'sourceLabels']);
    yield* gatewayNameIssues(names, [...at, 'gateways']);
  }
  yield* destinationsIssues(route, [...field, 'route']);
}

function* subnetIssues(subnets: readonly string[], field: FieldPath): Generator<Issue> {
  for (const [at, subnet] of subnets.entries()) {
    if (!isAddressOrCidr(subnet))
      yield {
        field: [...field, at],
        what: `${quote(subnet)} is no IP address or CIDR block`,
        fix: 'Write an address or a block such as 10.0.0.0/8.',
      };
  }
}
