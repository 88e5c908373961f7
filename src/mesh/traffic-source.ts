import { Workloads } from './workloads';

/** Clients, as an EdgeInvariant speaks of them. */
export class TrafficSource {
  /** Every workload, shown by a manifest or not. */
  public static everyone(): TrafficSource {
    return new TrafficSource(['*']);
  }

  /** Every client outside of the mesh, at every gateway that lets clients in. */
  public static outside(): TrafficSource {
    return new TrafficSource(['outside']);
  }

  /**
   * All workloads of a namespace.
   *
   * @param name the namespace
   */
  public static namespace(name: string): TrafficSource {
    return new TrafficSource([name]);
  }

  /**
   * One workload.
   *
   * @param namespace its namespace
   * @param name the name of its Deployment, StatefulSet, DaemonSet, Job or Pod
   */
  public static workload(namespace: string, name: string): TrafficSource {
    return new TrafficSource([`${namespace}/${name}`]);
  }

  /**
   * Workloads that run as a service account.
   *
   * @param namespace the namespace
   * @param name the service account
   */
  public static serviceAccount(namespace: string, name: string): TrafficSource {
    return new TrafficSource([{ serviceAccount: `${namespace}/${name}` }]);
  }

  /**
   * Workloads that carry labels.
   *
   * @param labels the labels, all of them
   * @param namespace their namespace; left out, in every namespace
   */
  public static labeled(labels: { [key: string]: string }, namespace?: string): TrafficSource {
    return new TrafficSource([{ ...(namespace === undefined ? {} : { namespace }), labels: { ...labels } }]);
  }

  /**
   * Workloads as the other constructs know them. Where they have service accounts, those are meant and the labels are not: a proxy
   * knows of its caller the account, and nothing else.
   *
   * @param workloads the workloads
   */
  public static of(workloads: Workloads): TrafficSource {
    const { namespace, labels, serviceAccounts } = workloads;
    if (serviceAccounts.length > 0)
      return new TrafficSource(serviceAccounts.map((name) => ({ serviceAccount: `${namespace}/${name}` })));
    return Object.keys(labels).length > 0
      ? TrafficSource.labeled(labels, namespace)
      : TrafficSource.namespace(namespace);
  }

  private constructor(private readonly written: unknown[]) {}

  /** @internal */
  public _written(): unknown[] {
    return this.written;
  }
}
