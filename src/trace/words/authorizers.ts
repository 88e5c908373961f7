import type { AuthorizerProblem } from '../../model/authorizers';
import type { Words } from './words';

const DEFINE =
  'give the workload one provider, defined in meshConfig.extensionProviders with envoyExtAuthzHttp or envoyExtAuthzGrpc';

/** Why nobody can be asked by a policy of action CUSTOM. */
export function authorizerWords(problem: AuthorizerProblem): Words {
  switch (problem.is) {
    case 'several':
      return { what: `a workload may have one provider only (there are ${problem.providers.join(', ')})`, fix: DEFINE };
    case 'unknown':
      return {
        what: `no provider "${problem.provider}" is among meshConfig.extensionProviders (${problem.known.join(', ') || 'there are none'})`,
        fix: DEFINE,
      };
    case 'named-twice':
      return {
        what: `two of meshConfig.extensionProviders have the name "${problem.provider}"`,
        fix: 'give each provider a name of its own',
      };
    case 'several-services':
      return {
        what: `"${problem.service}", the service of provider "${problem.provider}", is in several namespaces (${problem.namespaces.join(', ')})`,
        fix: `write NAMESPACE/${problem.service}`,
      };
    case 'no-service':
      return {
        what: `the mesh has no service "${problem.service}", which provider "${problem.provider}" names`,
        fix:
          problem.meant === null
            ? 'name a service that is there, with its whole host name'
            : `write the whole host name: ${problem.meant}`,
      };
  }
}
