/** Hosts that objects of Istio's name: what is known to be wrong with one, where manifests show what its namespace has. */
import type { Manifest } from '../model/manifest';
import type { CheckContext } from './context';
import { nameOf, fullHost } from './edge';
import { isSubsetOf } from '../model/hostnames';
import { nearestName } from '../model/near-names';

export interface NamedHost {
  readonly what: string;
  readonly fix?: string;
  readonly isSure: boolean;
  /** Manifests show nothing of the namespace, which may well be there. */
  readonly isElsewhere?: boolean;
}

/** Nothing for a host that is declared, or whose namespace no manifest shows. */
export function judgeHost(context: CheckContext, written: string, manifest: Manifest): NamedHost | undefined {
  if (written === '' || written.startsWith('*')) return undefined;
  const { services, config } = context.mesh;
  const { clusterDomain } = config;
  const host = fullHost(context, written, manifest.namespace);
  if (
    services.named(host).size > 0 ||
    // A wildcard may stand for a host outside; a Service of the cluster has its own name.
    (!host.endsWith(`.svc.${clusterDomain}`) &&
      services.all.some((service) => service.host.startsWith('*') && isSubsetOf(host, service.host)))
  )
    return undefined;
  const whole = /\.svc$/.test(written) ? `${written}.${clusterDomain}` : `${written}.svc.${clusterDomain}`;
  if (written.includes('.') && services.named(whole).size > 0)
    return {
      what: `${nameOf(manifest)} names ${JSON.stringify(written)}, which Istio takes as it is written, and not for ${whole}`,
      fix: `Write ${whole}: only a name without a dot is completed.`,
      isSure: true,
    };
  const parts = host.endsWith(`.svc.${clusterDomain}`) ? host.split('.') : [];
  const namespace = parts.length === 3 + clusterDomain.split('.').length ? parts[1] : undefined;
  if (namespace !== undefined) {
    const siblings = services
      .inNamespace(namespace)
      .filter(({ assumed, registry }) => !assumed && registry === 'Kubernetes');
    if (siblings.length === 0) return namesakeOf(context, host, namespace, written, manifest);
    const near = nearestName(
      host.split('.')[0] ?? '',
      siblings.map(({ host: name }) => name.split('.')[0] ?? ''),
    );
    return {
      what: `${nameOf(manifest)} names ${JSON.stringify(written)}, and namespace ${namespace} has ${siblings
        .map(({ host: name }) => name.split('.')[0])
        .slice(0, 6)
        .join(', ')}`,
      isSure: near !== undefined,
      ...(near ? { fix: `Did you mean ${near}?` } : {}),
    };
  }
  const outside = services.all.filter((one) => !one.assumed && !one.host.endsWith(`.svc.${clusterDomain}`));
  const near = nearestName(
    host,
    outside.map((one) => one.host),
  );
  return {
    what: `${nameOf(manifest)} names ${JSON.stringify(written)}, which no ServiceEntry declares`,
    isSure: near !== undefined,
    ...(near ? { fix: `Did you mean ${near}?` } : {}),
  };
}

/** A Service of a namespace that no manifest shows, while one of that name is in another. */
function namesakeOf(
  { mesh, manifests }: CheckContext,
  host: string,
  namespace: string,
  written: string,
  manifest: Manifest,
): NamedHost | undefined {
  if (manifests.some((one) => one.namespace === namespace || (one.kind === 'Namespace' && one.name === namespace)))
    return undefined;
  const found = mesh.services.ofCluster(manifest.namespace, host.split('.')[0] ?? '');
  if (found?.assumed !== false) return undefined;
  return {
    what: `${nameOf(manifest)} names ${JSON.stringify(written)}, and no manifest has anything of namespace ${namespace}; there is ${nameOf(found.config.manifest)}`,
    fix: `If ${found.host} is meant, write that; else nothing is to be done.`,
    isSure: false,
    isElsewhere: true,
  };
}
