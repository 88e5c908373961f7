/** Why listeners are not programmed, and why routes and sets of listeners are not attached, in words. */
import type { ListenerProblem } from '../../model/listener-problems';
import type { SetProblem } from '../../model/listener-sets';
import type { ListenerAgainst, UnattachedRoute, WhyUnattached } from '../reasons';
import { ruleProblemWords } from './rule-problems';
import type { Words } from './words';

function hostText(hostname: string): string {
  return hostname === '*' ? 'no hostname' : `hostname ${hostname}`;
}

interface Rivalry {
  readonly rival: string;
  readonly neither: boolean;
}

function conflictText({ rival, neither }: Rivalry): string {
  return `it is in conflict with listener ${rival}, and ${neither ? 'neither is' : 'is not'} programmed`;
}

const isStream = (protocol: string): boolean => protocol === 'TCP' || protocol === 'UDP';

export function listenerProblemWords(problem: ListenerProblem): Words {
  switch (problem.is) {
    case 'protocol-not-taken':
      return {
        what: `Envoy Gateway takes no protocol ${problem.protocol}`,
        fix: 'use HTTP, HTTPS, TLS, TCP or UDP',
      };
    case 'hostname-of-stream':
      return {
        what: `a listener of ${problem.protocol} may have no hostname`,
        fix: 'take hostname off the listener',
      };
    case 'kind-not-taken': {
      const { group, kind, protocol, takes } = problem;
      return {
        what: `allowedRoutes.kinds has ${group === '' ? '' : `${group}/`}${kind}, and a listener of ${protocol} takes ${takes.join(' or ')}`,
        fix: `take ${kind} out of allowedRoutes.kinds`,
      };
    }
    case 'no-selector':
      return {
        what: 'allowedRoutes.namespaces.from is Selector, and there is no selector',
        fix: 'write allowedRoutes.namespaces.selector',
      };
    case 'selector-not-valid':
      return {
        what: `allowedRoutes.namespaces.selector is not valid: operator ${problem.operator} of key ${problem.key}`,
        fix: 'give In and NotIn values, and Exists and DoesNotExist none',
      };
    case 'tls-not-taken':
      return {
        what: `a listener of ${problem.protocol} may have no tls`,
        fix: 'take tls off, or use protocol HTTPS or TLS',
      };
    case 'no-tls':
      return { what: `a listener of ${problem.protocol} needs tls`, fix: 'write tls with certificateRefs' };
    case 'tls-mode-of-https':
      return {
        what: `a listener of HTTPS may have no tls.mode ${problem.mode}`,
        fix: 'use protocol TLS, with TLSRoutes, or tls.mode Terminate',
      };
    case 'certificates-with-passthrough':
      return {
        what: 'tls.mode is Passthrough, and there are certificateRefs',
        fix: 'take certificateRefs off, or use tls.mode Terminate',
      };
    case 'no-certificate':
      return {
        what: 'it has no certificate (tls.certificateRefs)',
        fix: 'name a Secret of type kubernetes.io/tls',
      };
    case 'more-than-two-certificates':
      return { what: 'it has more than two certificates', fix: 'keep two, one for RSA and one for ECDSA' };
    case 'certificate-of-no-secret': {
      const { kind, namespace, name } = problem.certificate;
      return {
        what: `its certificate is ${kind} ${namespace}/${name}, and only a Secret can be one`,
        fix: 'name a Secret in certificateRefs',
      };
    }
    case 'certificate-of-other-type':
      return {
        what: `its certificate ${problem.secret} is a Secret of type ${problem.type}, and Envoy Gateway takes ${problem.takes} alone`,
        fix: `write type: ${problem.takes} in the Secret`,
      };
    case 'certificate-not-granted': {
      const { certificate: to, owner } = problem;
      return {
        what: `its certificate ${to.namespace}/${to.name} is in another namespace, and no ReferenceGrant there lets ${owner.kind}s of ${owner.namespace} use it`,
        fix: `write a ReferenceGrant in ${to.namespace} that lets ${owner.kind}s of ${owner.namespace} use Secret ${to.name}, or keep the Secret in ${owner.namespace}`,
      };
    }
    case 'several-client-cas':
      return { what: 'it has more than one CA for clients', fix: 'put the CAs into one ConfigMap' };
    case 'client-ca-of-other-kind':
      return {
        what: `the CA of its clients is a ${problem.authority.kind}, which ${problem.takes} does not read`,
        fix: 'keep the CA in a ConfigMap (key ca.crt)',
      };
    case 'client-ca-empty': {
      const { authority: to, keys } = problem;
      return {
        what: `${to.kind} ${to.namespace}/${to.name} has no CA for its clients: ${keys.length === 0 ? 'it is empty' : `its keys are ${keys.join(', ')}`}`,
        fix: `put the CA into ca.crt of ${to.kind} ${to.name}`,
      };
    }
    case 'client-ca-not-told': {
      const { authority: to, since } = problem;
      return {
        what: `the CA of its clients is in Secret ${to.namespace}/${to.name}, which istiod gives to no gateway before ${since}: the gateway waits for it, and ends no TLS`,
        fix: `keep the CA in a ConfigMap (key ca.crt), or upgrade to Istio ${since}`,
      };
    }
    case 'client-ca-not-granted': {
      const { authority: to, owner } = problem;
      return {
        what: `the CA of its clients, ${to.kind} ${to.namespace}/${to.name}, is in another namespace, and no ReferenceGrant there lets ${owner.kind}s of ${owner.namespace} use it`,
        fix: `write a ReferenceGrant in ${to.namespace} that lets ${owner.kind}s of ${owner.namespace} use ${to.kind} ${to.name}, or keep it in ${owner.namespace}`,
      };
    }
    case 'other-protocol-on-port':
      return {
        what: `${conflictText(problem)}: port ${problem.port} cannot be ${problem.protocol} and ${problem.other}`,
        fix: 'give each protocol a port of its own',
      };
    case 'same-hostname-on-port':
      return {
        what: `${conflictText(problem)}: both have port ${problem.port} and ${hostText(problem.hostname)}`,
        fix: 'give each listener of the port a hostname of its own, or attach its routes to the one that is kept',
      };
    case 'port-taken':
      return {
        what: `listener ${problem.rival} has port ${problem.port} (${problem.protocol}) already`,
        fix: 'give it a port of its own',
      };
    case 'same-at-shared-proxies': {
      const { gateway, listener, port, protocol, hostname } = problem;
      return {
        what: `a listener of Gateway ${gateway}, which has the same proxies and comes before, has port ${port}, protocol ${protocol} and ${hostText(hostname)} as ${listener} has`,
        fix: 'give each listener of the shared proxies a hostname or port of its own',
      };
    }
    case 'lost-in-istio': {
      const { rival, set } = problem;
      return {
        what: `it is in conflict with listener ${rival}${set === null ? '' : ` of ListenerSet ${set}`}, which istiod keeps: ${sharedText(problem)}`,
        fix: 'give it a port or a hostname of its own',
      };
    }
    case 'kind-unread': {
      const { kind, since, needs } = problem;
      return {
        what:
          needs === null
            ? `before ${since}, istiod takes protocol ${kind.slice(0, 3)} only with PILOT_ENABLE_ALPHA_GATEWAY_API=true in its environment`
            : `Istio ${needs.istio} reads ${kind} v1, which Gateway API ${needs.gatewayApi} does not serve: it needs ${needs.wanted}`,
        fix: "set PILOT_ENABLE_ALPHA_GATEWAY_API=true in istiod's environment, or run a release that reads such routes",
      };
    }
  }
}

/** What two listeners of Istio's have in common that they may not. */
function sharedText({ port, protocol, other, hostname }: Extract<ListenerProblem, { is: 'lost-in-istio' }>): string {
  if (protocol !== other) {
    const told = isStream(protocol) || isStream(other) ? '' : ' for one hostname';
    return `port ${port} cannot be ${protocol} and ${other}${told}`;
  }
  return `both have port ${port}${isStream(protocol) ? '' : ` and ${hostText(hostname)}`}`;
}

/** Why a listener does not take a route. */
export function againstText(against: ListenerAgainst): string {
  const { listener } = against;
  const { name } = listener;
  switch (against.is) {
    case 'port':
      return `listener ${name} is on port ${listener.port}, not ${against.wanted}`;
    case 'section':
      return `listener ${name} is not ${against.wanted}`;
    case 'kind':
      return `listener ${name} (${listener.protocol}) takes no ${against.kind}`;
    case 'namespace':
      return `listener ${name} admits no routes of namespace ${against.namespace}`;
    case 'hostname':
      return `no hostname of the route (${against.hostnames.join(', ')}) is within ${listener.hostname} of listener ${name}`;
    case 'rules':
      return 'Envoy Gateway takes a TCPRoute with one rule only';
    case 'listener':
      return `listener ${name} is not programmed: ${listenerProblemWords(against.problem).what}`;
    case 'taken':
      return `listener ${name} has a route already, and Envoy Gateway takes one`;
  }
}

export function unattachedRouteText({ route, why }: UnattachedRoute): string {
  return `${route.kind} ${route.namespace}/${route.name} is not attached: ${unattachedText(why)}`;
}

/** Why a route is not attached to a Gateway that it names. */
export function unattachedText(why: WhyUnattached): string {
  switch (why.is) {
    case 'no-such-parent':
      return `there is no such ${why.kind}`;
    case 'kind-unserved':
      return `Envoy Gateway ${why.envoyGateway} asks for ${why.kind}s in a version that Gateway API ${why.gatewayApi} does not serve: ${why.wanted} does`;
    case 'no-listener':
      return why.listeners.map(againstText).join('; ') || 'the Gateway has no listeners';
    case 'no-rule-accepted':
      return `Envoy Gateway accepts none of its rules, since ${ruleProblemWords(why.problem).what}`;
    default:
      return setProblemText(why);
  }
}

export function setProblemText(problem: SetProblem): string {
  const reader = (by: 'Istio' | 'Envoy Gateway'): string => (by === 'Istio' ? 'istiod' : by);
  switch (problem.is) {
    case 'set-replaced':
      return `${problem.by} ${problem.release} reads ListenerSets of gateway.networking.k8s.io/v1 in place of XListenerSets`;
    case 'set-unread':
      return `${reader(problem.by)} reads ListenerSets from ${problem.by === 'Istio' ? 'Istio ' : ''}${problem.since} on`;
    case 'set-not-switched-on':
      return problem.by === 'Istio'
        ? `istiod reads ${problem.kind}s only with PILOT_ENABLE_ALPHA_GATEWAY_API=true in its environment`
        : `Envoy Gateway reads ${problem.kind}s only with gatewayAPI.enabled: [${problem.kind}] in its configuration`;
    case 'set-not-admitted':
      return `allowedListeners of the Gateway does not admit ${problem.kind}s of namespace ${problem.namespace}`;
  }
}
