/** ConfigMaps of what carries traffic beside the mesh, or puts workloads into it, of which nothing here is read. */
import { canonical } from '../model/canonical';
import { record } from '../model/fields';
import type { ObjectChange } from './objects';

interface Configured {
  readonly name: RegExp;
  readonly why: string;
}

const CONFIGURED: readonly Configured[] = [
  { name: /^istio-sidecar-injector($|-)/, why: 'it says which Pods get a sidecar, and of what that is made' },
  { name: /^istio-cni-(config|repair)/, why: "it says whose traffic Istio's CNI plugin redirects to the proxies" },
];

/** In the namespace of the cluster's own parts. */
const OF_CLUSTER: readonly Configured[] = [
  { name: /^(coredns|node-local-dns|kube-dns)($|-)/, why: 'it says what names resolve to' },
  { name: /^(cilium-config|calico-config|canal-config|antrea-config|kube-flannel-cfg|amazon-vpc-cni|kube-router-cfg|kube-ovn-config|ovn-config)($|-)/, why: "it configures the cluster's network, and what enforces NetworkPolicies there" },
  { name: /^(kube-proxy|ip-masq-agent)($|-)/, why: "it configures the cluster's network" },
]; // prettier-ignore

/** Why what a changed ConfigMap does is not known; undefined for one that configures nothing of the kind. */
export function networkConfig({ ref, was, is }: ObjectChange): string | undefined {
  const manifest = is ?? was;
  if (ref.kind !== 'ConfigMap' || manifest?.group !== '') return undefined;
  const known = [...CONFIGURED, ...(ref.namespace === 'kube-system' ? OF_CLUSTER : [])];
  const found = known.find(({ name }) => name.test(ref.name));
  const data = (side: typeof was): string => canonical(record(side?.body).data ?? null);
  return found !== undefined && data(was) !== data(is) ? found.why : undefined;
}
