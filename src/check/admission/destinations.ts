/** What istiod's webhook refuses in the parts that rules of a VirtualService share: destinations, gateways, ports. */
import type { FieldPath } from '../../model/manifest';
import type { Destination, WeightedDestination } from '../istio';
import { headerOperationIssues } from './http-headers';
import type { Issue } from './issue';
import { isAddress, isDnsLabel, isPortNumber, wrongHost, wrongName } from './names';

const quote = JSON.stringify;

export function* matchPortIssues(port: number | undefined, field: FieldPath): Generator<Issue> {
  if (port !== undefined && port !== 0 && !isPortNumber(port))
    yield { field, what: `${port} is no port number`, fix: 'Write a number from 1 to 65535.' };
}

/** `gateways` of the VirtualService or of one match. */
export function* gatewayNameIssues(names: readonly string[], field: FieldPath): Generator<Issue> {
  for (const [at, name] of names.entries()) {
    const [namespace = '', gateway, ...rest] = name.split('/');
    if (gateway === undefined) {
      const wrong = wrongName(name);
      if (wrong)
        yield {
          field: [...field, at],
          what: `${quote(name)} is no name of a gateway: ${wrong}`,
          fix: 'Write namespace/name, name, or mesh.',
        };
      continue;
    }
    if (!isDnsLabel(namespace) || !isDnsLabel(gateway) || rest.length > 0) {
      yield {
        field: [...field, at],
        what: `${quote(name)} is no name of a gateway`,
        fix: 'Write namespace/name, such as istio-egress/egress.',
      };
    }
  }
}

/** Destinations with their weights. */
export function* destinationsIssues(routes: readonly WeightedDestination[], field: FieldPath): Generator<Issue> {
  let total = 0;
  for (const [at, { destination, weight = 0, headers }] of routes.entries()) {
    if (destination) yield* destinationIssues(destination, [...field, at, 'destination']);
    else yield { field: [...field, at], what: 'a route has no destination', fix: 'Write destination with its host.' };
    if (headers) yield* headerOperationIssues(headers, [...field, at, 'headers']);
    if (weight < 0) yield { field: [...field, at, 'weight'], what: `the weight is ${weight}`, fix: 'Write 0 or more.' };
    total += weight;
  }
  if (routes.length > 1 && total === 0)
    yield { field, what: `the weights of ${routes.length} destinations add up to 0`, fix: 'Give them weights.' };
}

export function* destinationIssues({ host = '', subset = '', port }: Destination, field: FieldPath): Generator<Issue> {
  const wrong = host === '*' ? 'it is every host there is' : wrongHost(host);
  if (wrong)
    yield {
      field: [...field, 'host'],
      what: `the destination ${quote(host)} is not allowed: ${wrong}`,
      fix: isAddress(host)
        ? 'Name a host of the registry; declare the address in a ServiceEntry.'
        : 'Name a Service or a host of a ServiceEntry.',
    };
  if (subset !== '' && !isDnsLabel(subset))
    yield {
      field: [...field, 'subset'],
      what: `the subset ${quote(subset)} is no DNS label`,
      fix: 'Use letters, digits and hyphens.',
    };
  if (port && !isPortNumber(port.number))
    yield {
      field: [...field, 'port', 'number'],
      what: `${port.number ?? 'nothing'} is no port number`,
      fix: 'Write a number from 1 to 65535.',
    };
}
