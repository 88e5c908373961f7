/** Problems with objects that reasons and notes are about: each is data of the reason, and its words are fields of that as well, for who reads no data. */
import type { AuthorityFault } from '../../model/backend-authority';
import type { GatewayProblem } from '../../model/envoy-gateway';
import type { BackendProblem } from '../../model/envoy-gateway-backends';
import type { PasswordRefusal } from '../../model/secret-fault';
import type { ChainOf, RefusedByEnvoy, RouteAt } from '../../model/envoy-gateway-chains';
import type { ServerProblem } from '../../model/merged-gateway';
import type { Reason, ReasonKind, Reasons } from '../reasons';
import { authorizerWords } from './authorizers';
import { listenerProblemWords } from './listener-problems';
import { policyFaultWords } from './policy-problems';
import { ruleProblemWords } from './rule-problems';
import { named, type Words } from './words';

const WITHOUT_DOT = 'write a name with a dot, or the address under ip';

export function backendProblemWords(problem: BackendProblem): Words {
  switch (problem.is) {
    case 'names-and-addresses':
      return { what: 'it has names and addresses', fix: 'give the names a Backend of their own' };
    case 'name-without-dot':
      return { what: `${problem.name} is a name without a dot`, fix: WITHOUT_DOT };
    case 'address-as-name':
      return { what: `${problem.name} is an address, and no name`, fix: WITHOUT_DOT };
    case 'loopback':
      return { what: `${problem.address} is the proxy itself`, fix: 'write an address that leads out of the proxy' };
    case 'foreign-certificate':
      return {
        what: `its client certificate ${problem.secret} is in another namespace`,
        fix: `keep the Secret in namespace ${problem.own}`,
      };
  }
}

/** Why Envoy Gateway does not accept a Gateway. */
export function notAcceptedWords(problem: GatewayProblem): Words {
  switch (problem.is) {
    case 'address-of-other-type':
      return { what: `it asks for an address of type ${problem.type}`, fix: 'ask for an IPAddress or a Hostname' };
    case 'own-proxy-of-merged':
      return {
        what: `it names an EnvoyProxy, and EnvoyProxy ${problem.proxy} of its class has mergeGateways`,
        fix: 'take infrastructure.parametersRef off the Gateway',
      };
    case 'parameters-of-no-proxy':
      return {
        what: `its parametersRef is ${problem.parameters}, which is no EnvoyProxy`,
        fix: `name an EnvoyProxy (${problem.wanted}) in infrastructure.parametersRef`,
      };
    case 'no-such-proxy':
      return {
        what: `there is no EnvoyProxy ${problem.proxy}`,
        fix: `correct the name in infrastructure.parametersRef, or create EnvoyProxy ${problem.proxy}`,
      };
  }
}

export function authorityWords(problem: AuthorityFault): Words {
  const of = named(problem.of);
  switch (problem.is) {
    case 'no-authority': {
      const { object, keys } = problem;
      const has = keys.length === 0 ? 'it is empty' : `its keys are ${keys.join(', ')}`;
      return {
        what: `${object}, by which ${of} verifies the server, has no authority: ${has}`,
        fix: `put the authority into ca.crt of ${object}`,
      };
    }
    case 'kind-not-read':
      return {
        what: `${of} takes the authority from a ${problem.kind}, which ${problem.reader} does not read`,
        fix: 'put it into ca.crt of a ConfigMap',
      };
  }
}

function chainText({ listener, route, isIdle }: ChainOf): string {
  const at = `listener ${listener}`;
  return isIdle ? `${at}, which has no route` : route === null ? at : `${route} at ${at}`;
}

/** A listener, with its Gateway where that is another than the one it is told beside. */
export function placeText({ listener, gateway }: Pick<RouteAt, 'listener' | 'gateway'>): string {
  return `listener ${listener}${gateway === null ? '' : ` of Gateway ${gateway}`}`;
}

const REFUSED_PASSWORDS: Readonly<Record<PasswordRefusal, string>> = {
  'line-end': 'lines that end with a carriage return (CRLF), which Envoy counts to the hash',
  space: 'a line with space at its end, which Envoy counts to the hash',
  'no-user': 'a line without a name before the colon',
  'user-twice': 'a user twice',
};

/** What Envoy refuses of that which Envoy Gateway makes for a port. */
export function envoyRefusalWords(problem: RefusedByEnvoy): Words {
  if (problem.is === 'passwords')
    return {
      what: `Envoy refuses the listener: .htpasswd of ${named(problem.secret)}, which ${named(problem.policy)} names, has ${REFUSED_PASSWORDS[problem.fault]}`,
      fix: 'write each user once, a line NAME:{SHA}HASH that ends with a line feed alone',
    };
  if (problem.is === 'chains-match-alike') {
    const [one, other] = problem.chains;
    const both = problem.name === null ? 'take every name' : `have the hostname ${problem.name}`;
    const idle = problem.chains.find(({ isIdle }) => isIdle);
    return {
      what: `Envoy refuses the listener: ${chainText(one)} and ${chainText(other)} both ${both}`,
      fix:
        idle !== undefined
          ? `attach a route to listener ${idle.listener}, or take that listener out`
          : problem.ofOneListener
            ? 'give each hostname of a listener to one TLSRoute'
            : 'give each listener of the port a hostname of its own',
    };
  }
  const [one, other] = problem.routes;
  // `80`, or `80 and 10080` where both come to one port of the proxies.
  const ports = [...new Set([one.port, other.port])].sort((a, b) => a - b);
  return {
    what: `Envoy refuses the routes of port ${ports.join(' and ')}: ${one.route} at ${placeText(one)} and ${other.route} at ${placeText(other)} both have the hostname ${problem.hostname}, and plain HTTP of one port${ports.length === 1 ? '' : ' of the proxies'} is one list of hosts`,
    fix: 'attach the routes of a hostname to one listener of the port (sectionName)',
  };
}

/** Why istiod leaves out a server of a Gateway. */
export function serverProblemText(problem: ServerProblem): string {
  switch (problem.is) {
    case 'hosts-taken':
      return `another server on port ${problem.port} already has host ${problem.hosts.join(', ')}`;
    case 'plain-text-already':
      return `port ${problem.port} already serves ${problem.protocol} in plain text`;
    case 'port-taken':
      return `port ${problem.port} already has a server`;
    case 'port-name-taken':
      return `its port name "${problem.portName}" is not unique for HTTPS on port ${problem.port}`;
  }
}

/** The problem of a reason, in words. */
const PROBLEMS: { readonly [kind in ReasonKind]?: (reason: Reasons[kind]) => Words | Pick<Words, 'what'> } = {
  'server-left-out': ({ problem }) => ({ what: serverProblemText(problem) }),
  'listener-not-programmed': ({ problem }) => listenerProblemWords(problem),
  'gateway-not-accepted': ({ problem }) => notAcceptedWords(problem),
  'listener-refused-by-envoy': ({ problem }) => envoyRefusalWords(problem),
  'no-authorizer': ({ problem }) => authorizerWords(problem),
  'policy-not-usable': ({ fault }) => policyFaultWords(fault),
  'filter-not-usable': ({ problem }) => ruleProblemWords(problem),
  'backend-authority-not-usable': ({ problem }) => authorityWords(problem),
  'backend-not-accepted': ({ problem }) => backendProblemWords(problem),
};

/** A reason with the words that are fields of it. */
export function spelled(reason: Reason): Reason {
  const words = (PROBLEMS[reason.kind] as ((fields: Reason) => Partial<Words>) | undefined)?.(reason);
  if (words === undefined) return reason;
  return { ...reason, detail: words.what, ...(words.fix === undefined ? {} : { cure: words.fix }) } as Reason;
}
