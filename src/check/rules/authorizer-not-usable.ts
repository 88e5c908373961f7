import { authorizerProblem, type AuthorizerProblem } from '../../model/authorizers';
import { record, type Json } from '../../model/fields';
import { authorizerWords } from '../../trace/words/authorizers';
import { asSentence } from '../../trace/words/words';
import { type JudgingPolicy, judgingPolicies } from '../authorization';
import type { CheckContext } from '../context';
import { nearestName } from '../../model/near-names';
import type { Rule } from '../rule';
import { meshesServing } from '../served';

export const rule: Rule = {
  id: 'EDGE523',
  name: 'authorizer-not-usable',
  severity: 'error',
  title: 'A policy asks an external authorizer that istiod cannot find',
  why: 'istiod looks up the provider in the mesh configuration, and the host of its service in the registry, by its whole name. Where it finds none, or several for one workload, it denies all that the policy is for (403), as if the authorizer had.',
  fix: 'Define the provider in meshConfig.extensionProviders with envoyExtAuthzHttp or envoyExtAuthzGrpc, and give each workload one.',
  see: 'https://istio.io/latest/docs/tasks/security/authorization/authz-custom/',
  reads: ['AuthorizationPolicy'],
  footguns: ['I11'],
  *check(context) {
    const asking = context.index(judgingPolicies).filter(({ action }) => action === 'CUSTOM');
    for (const policy of asking) {
      const problem = problemOf(context, policy, asking);
      if (problem === undefined) continue;
      const { what, fix } = authorizerWords(problem);
      const near = problem.is === 'unknown' ? nearestName(problem.provider, problem.known) : undefined;
      yield {
        manifest: policy.manifest,
        field: ['spec', 'provider', 'name'],
        what: `nobody can be asked, and what the policy is for is denied: ${what}`,
        fix: near === undefined ? asSentence(fix) : `Did you mean ${near}?`,
      };
    }
  },
};

function problemOf(
  context: CheckContext,
  policy: JudgingPolicy,
  asking: readonly JudgingPolicy[],
): AuthorizerProblem | undefined {
  const { manifest, spec, proxies } = policy;
  for (const mesh of meshesServing(context, manifest.namespace, spec.selector?.matchLabels)) {
    const beside = mesh.config.severalAuthorizers ? [] : asking.filter((other) => isBeside(other, proxies));
    const problem = authorizerProblem(mesh, [policy, ...beside].map(asConfig));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Whether a policy is for one of the same proxies. */
function isBeside(other: JudgingPolicy, proxies: JudgingPolicy['proxies']): boolean {
  return other.proxies.some((one) => proxies.some(({ kind, name }) => kind === one.kind && name === one.name));
}

const asConfig = ({ manifest }: JudgingPolicy): { readonly spec: Json } => ({
  spec: record(record(manifest.body).spec),
});
