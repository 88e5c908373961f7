/** What Envoy Gateway does not take of a route's rules, and of what these and its policies refer to, in words. */
import type { BackendFault, ReferenceFault } from '../../model/envoy-gateway-references';
import type { RuleProblem } from '../../model/envoy-gateway-rules';
import type { RefusedRuleProblem } from '../../model/gateway-api-refused';
import type { LackingData } from '../../model/lacking-data';
import type { ProviderFault } from '../../model/oidc-provider';
import type { PasswordFault } from '../../model/secret-fault';
import { named, type Words } from './words';

const TWICE = 'take one of the filters out';
const EXPRESSION = 'correct the expression';

export function lackingText({ config, isEmpty }: LackingData): string {
  return `ConfigMap ${config}, which is ${isEmpty ? 'empty' : 'not there'}`;
}

/** Why a backend cannot be used that a policy or a copy names. */
export function backendFaultWords(fault: BackendFault): Words {
  const { target } = fault;
  const whole = named(target);
  switch (fault.is) {
    case 'backends-not-enabled':
      return {
        what: `${whole} is not read, since Envoy Gateway's configuration has no enableBackend`,
        fix: 'set extensionApis.enableBackend in it',
      };
    case 'missing':
      return { what: `there is no ${whole}`, fix: `correct the name of the backend, or create ${whole}` };
    case 'external-name':
      return { what: `${whole} is of type ExternalName, which is no backend`, fix: 'use a Backend with the name' };
    case 'resolver':
      return {
        what: `${whole} is a DynamicResolver, which policies may not name`,
        fix: 'name a Backend with endpoints',
      };
    case 'no-port':
      return {
        what: `${whole} has port ${fault.ports.join(', ')}, and not ${fault.port}`,
        fix: 'write a port of the Service',
      };
    case 'not-granted': {
      const { group, kind, namespace } = fault.owner;
      return {
        what: `no ReferenceGrant in ${target.namespace} lets a ${kind} of ${namespace} use ${whole}`,
        fix: `write a ReferenceGrant in ${target.namespace} that lets a ${kind} (${group}) of ${namespace} use ${target.kind} ${target.name}`,
      };
    }
  }
}

const PROVIDER: Readonly<Record<ProviderFault['has'], string>> = {
  address: 'has an address for its host, and Envoy Gateway takes names only',
  'other-scheme': 'is no https URL, and Envoy Gateway takes no other',
  'no-host': 'has no host',
  user: 'has a user in it',
  query: 'has a query',
  fragment: 'has a fragment',
};

const PASSWORDS: Readonly<Record<PasswordFault, string>> = {
  'no-name': 'a line without a colon',
  'other-hash': 'a password that is not hashed by SHA-1 ({SHA}), and Envoy takes no other',
  'no-hash': 'a password after {SHA} that is no SHA-1 hash',
};

/** Why a SecurityPolicy cannot have what it refers to. */
export function referenceFaultWords(fault: ReferenceFault): Words {
  switch (fault.is) {
    case 'keys-missing':
      return {
        what: `its keys are in ${lackingText(fault.lacking)}`,
        fix: `make ConfigMap ${fault.lacking.config} with the key jwks`,
      };
    case 'no-callback-path':
      return {
        what: `its redirectURL ${fault.redirectURL} has no path of its own, to which the provider leads back`,
        fix: 'write a path after the host (https://HOST/oauth2/callback) that no application uses',
      };
    case 'provider-not-taken': {
      const { field, url, has } = fault.fault;
      return { what: `its ${field} ${url} ${PROVIDER[has]}`, fix: 'write an https URL with a name for its host' };
    }
    case 'secret-elsewhere':
      return {
        what: `${named(fault.target)} is not in the namespace of the policy, and Envoy Gateway takes it from nowhere else`,
        fix: `keep the Secret in namespace ${fault.own}`,
      };
    case 'secret-not-usable': {
      const { key, has } = fault.fault;
      return has === undefined
        ? { what: `${named(fault.target)} has no key ${key}`, fix: `keep it in the Secret under the key ${key}` }
        : {
            what: `${key} of ${named(fault.target)} has ${PASSWORDS[has]}`,
            fix: 'write a line NAME:{SHA}HASH for each user (htpasswd -s)',
          };
    }
    default:
      return backendFaultWords(fault);
  }
}

/** Why istiod takes nothing of a route. */
export function refusedRuleWords(problem: RefusedRuleProblem): Words {
  switch (problem.is) {
    case 'header-value':
      return {
        what: `a header filter${problem.ofBackend ? ' of a backend' : ''} sets ${problem.header} to a value with a line break or another control character`,
        fix: 'write the value on one line, without such characters',
      };
    case 'unknown-filter':
      return problem.ofBackend
        ? { what: `istiod knows no filter ${problem.filter} of a backend`, fix: 'move the filter to the rule' }
        : { what: `istiod knows no filter ${problem.filter}`, fix: 'take the filter out' };
    case 'no-service-name':
      return {
        what: `${problem.name} is no name of a Service`,
        fix: 'write the name alone, and its namespace beside it',
      };
    case 'hostname-with-namespace':
      return { what: `Hostname ${problem.name} has a namespace`, fix: 'leave the namespace out' };
    case 'hostname-without-port':
      return { what: `Hostname ${problem.name} has no port`, fix: 'write the port' };
  }
}

export function ruleProblemWords(problem: RuleProblem): Words {
  switch (problem.is) {
    case 'not-an-expression':
      return { what: `${JSON.stringify(problem.pattern)} is no regular expression: ${problem.why}`, fix: EXPRESSION };
    case 'not-an-expression-of-filter':
      return {
        what: `the pattern ${JSON.stringify(problem.pattern)} of an HTTPRouteFilter is no regular expression: ${problem.why ?? 'it is empty'}`,
        fix: EXPRESSION,
      };
    case 'two-filters-with-matches':
      return { what: 'it has two HTTPRouteFilters with matches', fix: TWICE };
    case 'copies-and-answers':
      return { what: `it has RequestMirror and ${problem.answers}`, fix: 'take one of them out' };
    case 'resolver-by-path':
      return {
        what: `Backend ${problem.backend} is a DynamicResolver, and would go where the path says`,
        fix: 'take the Host from elsewhere',
      };
    case 'resolver-among-others':
      return {
        what: `Backend ${problem.backend} is a DynamicResolver, which may not be one of several backends`,
        fix: 'give it a rule of its own',
      };
    case 'header-not-to-change':
      return {
        what: `a header modifier may not change ${problem.header === '' ? 'a header without a name' : problem.header}`,
        fix: 'use URLRewrite for the Host, and leave the header out',
      };
    case 'header-value':
      return {
        what: `${JSON.stringify(problem.value)} is no value that a header modifier takes (${problem.header})`,
        fix: 'write a value of visible characters',
      };
    case 'rewritten-twice':
      return { what: `two filters rewrite the ${problem.part}`, fix: TWICE };
    case 'redirect-scheme':
      return { what: `a redirect may not have scheme ${problem.scheme}`, fix: 'use http or https' };
    case 'redirect-status':
      return { what: `a redirect may not have status ${problem.status}`, fix: 'use 301 or 302' };
    case 'no-hostname':
      return { what: `${JSON.stringify(problem.host)} may not become the Host`, fix: 'write a name, and no address' };
    case 'path-of-other-type':
      return {
        what: 'the path of a URLRewrite does not go with its type',
        fix: 'write the field that is named as the type, and no other',
      };
    case 'copy-not-usable': {
      const { what, fix } = backendFaultWords(problem.backend);
      return { what: `its RequestMirror cannot be used: ${what}`, fix };
    }
    case 'foreign-filter':
      return {
        what: `Envoy Gateway knows no filter ${problem.filter}`,
        fix: 'name an HTTPRouteFilter (gateway.envoyproxy.io)',
      };
    case 'filter-for-grpc':
      return {
        what: `Envoy Gateway ${problem.release} takes no HTTPRouteFilter in a GRPCRoute: that needs Envoy Gateway 1.9`,
        fix: 'take the filter out, or install Envoy Gateway 1.9',
      };
    case 'no-such-filter':
      return {
        what: `a filter of the rule names an HTTPRouteFilter that is not there: ${problem.filter}`,
        fix: 'make that HTTPRouteFilter, or correct its name',
      };
    case 'body-missing':
      return {
        what: `its direct response is in ConfigMap ${problem.config}, which is not there`,
        fix: `make ConfigMap ${problem.config}, or correct its name`,
      };
    case 'body-empty':
      return {
        what: `its direct response is in ConfigMap ${problem.config}, which is empty`,
        fix: 'give it the key response.body',
      };
    case 'host-header-not-named':
      return {
        what: 'an HTTPRouteFilter takes the Host from a header that it does not name',
        fix: 'write urlRewrite.hostname.header',
      };
    case 'host-expression-incomplete':
      return {
        what: 'an HTTPRouteFilter makes the Host of an expression that it does not have',
        fix: 'write urlRewrite.hostname.pathRegex',
      };
    case 'success-for-grpc':
      return {
        what: `a GRPCRoute may not answer ${problem.status} by itself`,
        fix: 'use another status, or send the call on',
      };
  }
}
