/** Whom policies of action CUSTOM ask, and why there is nobody to ask: istiod denies then what they are for (pilot/pkg/security/authz/builder/extauthz.go). */
import { record, text } from './fields';
import type { Mesh } from './mesh';
import type { Config } from './objects';

export type AuthorizerProblem =
  /** Of one workload there may be one provider only, unless istiod is told otherwise. */
  | { readonly is: 'several'; readonly providers: readonly string[] }
  | { readonly is: 'unknown'; readonly provider: string; readonly known: readonly string[] }
  | { readonly is: 'named-twice'; readonly provider: string }
  /** No service of the registry has its host; `meant`: the whole name of the Service that the short one may be for. */
  | { readonly is: 'no-service'; readonly provider: string; readonly service: string; readonly meant: string | null }
  | { readonly is: 'several-services'; readonly provider: string; readonly service: string; readonly namespaces: readonly string[] }; // prettier-ignore

export const providerOf = ({ spec }: Pick<Config, 'spec'>): string => text(record(spec.provider).name);

/** Why nobody can be asked by the policies of action CUSTOM of a workload. */
export function authorizerProblem(
  mesh: Mesh,
  policies: readonly Pick<Config, 'spec'>[],
): AuthorizerProblem | undefined {
  const [provider, ...others] = new Set(policies.map(providerOf));
  if (provider === undefined) return undefined;
  if (others.length > 0) return { is: 'several', providers: [provider, ...others] };
  const { authorizers } = mesh.config;
  if (authorizers === undefined) return undefined;
  const [authorizer, second] = authorizers.filter(({ name }) => name === provider);
  if (authorizer === undefined) return { is: 'unknown', provider, known: authorizers.map(({ name }) => name) };
  return second === undefined ? serviceProblem(mesh, provider, authorizer.service) : { is: 'named-twice', provider };
}

/** What LookupCluster of pilot/pkg/model/telemetry_logging.go says of the service of a provider: it takes whole host names alone. */
function serviceProblem(mesh: Mesh, provider: string, service: string): AuthorizerProblem | undefined {
  const [host = '', namespace] = service.split('/').reverse();
  const found = mesh.services.named(host);
  if (namespace !== undefined ? found.has(namespace) : found.size === 1) return undefined;
  if (namespace === undefined && found.size > 1)
    return { is: 'several-services', provider, service, namespaces: [...found.keys()] };
  const suffix = `.svc.${mesh.config.clusterDomain}`;
  const [name = '', own, svc, ...rest] = host.split('.');
  // A host that is no Service's may be that of a ServiceEntry which no manifest shows.
  const isShort = rest.length === 0 && (svc === undefined || svc === 'svc');
  const place = host.endsWith(suffix) || isShort ? own : undefined;
  if (place === undefined) {
    const [only, ...more] = isShort ? mesh.services.all.filter((one) => one.host.startsWith(`${name}.`) && one.host.endsWith(suffix)) : []; // prettier-ignore
    return only === undefined ? undefined : { is: 'no-service', provider, service, meant: more.length === 0 ? only.host : null }; // prettier-ignore
  }
  const meant = `${name}.${place}${suffix}`;
  const isThere = mesh.services.named(meant).size > 0;
  if (!isThere && mesh.isOpen(place)) return undefined;
  return { is: 'no-service', provider, service, meant: isThere && meant !== host ? meant : null };
}
