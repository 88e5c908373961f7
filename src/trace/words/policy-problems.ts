/** What Envoy Gateway does not take in its policies, in words. */
import type { ReferenceFault } from '../../model/envoy-gateway-references';
import type { PolicyProblem, SelectorProblem } from '../../model/policy-problems';
import { backendFaultWords, lackingText, referenceFaultWords } from './rule-problems';
import type { Words } from './words';

/** Whatever Envoy Gateway cannot use of a policy. */
export function policyFaultWords(fault: PolicyProblem | ReferenceFault): Words {
  return 'target' in fault ? referenceFaultWords(fault) : policyProblemWords(fault);
}

function selectorText(problem: SelectorProblem): string {
  switch (problem.is) {
    case 'selects-nothing':
      return 'has a selector that selects by nothing';
    case 'header-type':
      return 'has a header whose type and value do not go together';
    case 'parameter-type':
      return 'has a parameter whose type and value do not go together';
    case 'not-an-expression':
      return `has an expression that is none: ${problem.why}`;
    case 'no-range':
      return `has ${JSON.stringify(problem.range)}, which is no range of addresses`;
  }
}

function policyProblemWords(problem: PolicyProblem): Words {
  switch (problem.is) {
    case 'no-duration':
      return {
        what: `${problem.path} is ${JSON.stringify(problem.value)}, which is no duration`,
        fix: 'write it as 10s or 1m30s',
      };
    case 'amount':
      return {
        what: `${problem.path} is ${JSON.stringify(problem.value)}, and has to be a whole number from ${problem.least} to ${problem.most}`,
        fix: 'correct the amount',
      };
    case 'limit-not-written': {
      const field = problem.type.toLowerCase();
      return {
        what: `its rateLimit is ${problem.type} and says nothing of ${field}`,
        fix: `write rateLimit.${field}`,
      };
    }
    case 'several-general-limits':
      return { what: 'rateLimit.local has more than one rule without clientSelectors', fix: 'keep one of them' };
    case 'unit-of-limit':
      return {
        what: `the unit of rateLimit.local.rules[${problem.rule}] is no multiple of that of the rule without clientSelectors`,
        fix: 'give that rule the smaller unit',
      };
    case 'selector':
      return {
        what: `${problem.path}.rules[${problem.rule}] ${selectorText(problem.why)}`,
        fix: 'correct the selector',
      };
    case 'bandwidth':
      return {
        what: `${problem.path} comes to less than 1 KiB a second, or is no amount`,
        fix: 'write at least 1Ki a second',
      };
    case 'table-size':
      return {
        what: `loadBalancer.consistentHash.tableSize is ${problem.size}, and has to be a prime of at most ${problem.most}`,
        fix: 'use 65537, say',
      };
    case 'interval-of-nothing':
      return { what: `${problem.path} has an interval of 0s`, fix: 'write a longer interval' };
    case 'intervals-in-disorder':
      return {
        what: `${problem.path}.maxInterval is shorter than baseInterval`,
        fix: 'write the longer interval as maxInterval',
      };
    case 'body-missing':
      return {
        what: `responseOverride[${problem.override}] takes its body from ${lackingText(problem.lacking)}`,
        fix: `make ConfigMap ${problem.lacking.config} with the key response.body`,
      };
    case 'buffer-of-upgrades':
      return { what: 'requestBuffer goes with no httpUpgrade', fix: 'take one of them out' };
    case 'header-name':
      return {
        what: `${problem.path} has ${JSON.stringify(problem.header)}, which is no name of a header`,
        fix: 'correct the name',
      };
    case 'header-value':
      return {
        what: `${problem.path} gives ${problem.header} the value ${JSON.stringify(problem.value)}`,
        fix: 'write a value of visible characters',
      };
    case 'default-host':
      return {
        what: `the listener has ${problem.hasSeveral ? 'several hostnames' : 'no hostname'} to take for the one of requests without a Host`,
        fix: 'give the listener a hostname, or take useDefaultHost off',
      };
    case 'ca-of-other-kind':
      return {
        what: `its CA is a ${problem.kind}, which Envoy Gateway does not read`,
        fix: 'keep the CA in ca.crt of a ConfigMap',
      };
    case 'no-ca':
      return {
        what: `tls.clientValidation names no CA to verify clients by (${problem.mode})`,
        fix: `name one in ${problem.path}`,
      };
    case 'processor-not-usable':
      return backendFaultWords(problem.backend);
    case 'processor-timeout':
      return { what: `${problem.path} is no duration`, fix: 'write it as 10s' };
    case 'lua-off':
      return {
        what: "Envoy Gateway's configuration does not let Lua be",
        fix: 'write extensionApis.enableLua: true in it',
      };
    case 'code-missing':
      return {
        what: `its code is in ${lackingText(problem.lacking)}`,
        fix: `make ConfigMap ${problem.lacking.config} with the key lua`,
      };
    case 'code-not-written':
      return {
        what: `${problem.path} has no ${problem.part}`,
        fix: `write ${problem.path}.${problem.part}`,
      };
    case 'module-not-allowed':
      return {
        what: `no EnvoyProxy of the Gateway allows the module ${problem.module}`,
        fix: 'name it in dynamicModules of the EnvoyProxy',
      };
  }
}
