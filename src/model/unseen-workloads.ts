import { selectsMachine } from './endpoints';
import { labelsMatch, optionalRecord, record, strings } from './fields';
import type { Manifest } from './manifest';
import type { Service } from './services';
import { assumedWorkload, isShown, type Membership, type Workload } from './workloads';

/** What is known of a mesh before its workloads are. */
interface MeshSoFar {
  of(group: string, kind: string): readonly Manifest[];
  membershipIn(namespace: string): Membership;
}

/** Whether it is what istiod makes a Service for, and Pods with it. */
function isGatewayOfApi({ namespace, selector }: Service, workloads: readonly Workload[]): boolean {
  return workloads.some((one) => one.namespace === namespace && !isShown(one) && labelsMatch(selector, one.labels));
}

/** The workloads that Services select in namespaces whose workloads no manifest shows: the cluster has them, or nothing would work. */
export function unseenWorkloads(
  mesh: MeshSoFar,
  services: readonly Service[],
  workloads: readonly Workload[],
  known: ReadonlySet<string>,
): readonly Workload[] {
  const shown = new Set([...known, ...workloads.filter(isShown).map((workload) => workload.namespace)]);
  const selectors = mesh
    .of('networking.istio.io', 'Gateway')
    .map((gateway) => optionalRecord(record(record(gateway.body).spec).selector))
    .filter((selector) => selector !== undefined)
    .map(strings);
  const unseen = new Map<string, Workload>();
  const machines = mesh.of('networking.istio.io', 'WorkloadEntry');
  for (const service of services) {
    if (
      service.registry !== 'Kubernetes' ||
      Object.keys(service.selector).length === 0 ||
      shown.has(service.namespace) ||
      isGatewayOfApi(service, workloads) ||
      machines.some(
        ({ namespace, body }) =>
          namespace === service.namespace && selectsMachine(service.selector, record(record(body).spec)),
      )
    )
      continue;
    const key = `${service.namespace} ${JSON.stringify(service.selector)}`;
    if (unseen.has(key)) continue;
    const isGateway =
      /gateway/.test(service.selector.istio ?? '') ||
      selectors.some((selector) => Object.keys(selector).length > 0 && labelsMatch(selector, service.selector));
    const { namespace, name, selector: labels } = service;
    const membership = isGateway ? 'gateway' : mesh.membershipIn(namespace);
    unseen.set(key, assumedWorkload({ namespace, name, labels, membership }));
  }
  return [...unseen.values()];
}
