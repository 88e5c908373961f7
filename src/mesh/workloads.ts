import { IConstruct } from 'constructs';
import { renderedBy } from '../core/api-objects';
import { isDnsLabel, isObjectName, namespaceProblems } from '../core/names';
import { Problem, quote } from '../core/problem';
import type { NamedNamespace } from './namespace-names';

/** What may be said of workloads beyond their labels. */
export interface WorkloadsOptions {
  /**
   * The service accounts that they run as. A gateway learns the account of a caller from its certificate, and nothing else: labels stay at
   * home. With accounts, others of the namespace are refused at the gateway too, should they get around their sidecar.
   *
   * @default any account of the namespace
   */
  readonly serviceAccounts?: string[];
}

/**
 * Some workloads of one namespace: who a rule is for.
 *
 * Labels are judged by the caller's own sidecar, service accounts by the gateway. A rule is held at both places where both are given.
 */
export class Workloads {
  /**
   * Workloads of a namespace.
   *
   * @param namespace the namespace
   * @param labels the labels that they carry, all of them; left out, every workload of the namespace
   * @param options their service accounts
   */
  public static in(namespace: string, labels?: { [key: string]: string }, options?: WorkloadsOptions): Workloads {
    return new Workloads(namespace, labels, options?.serviceAccounts ?? []);
  }

  /**
   * Workloads that run as a service account.
   *
   * @param namespace the namespace
   * @param name the service account
   * @param labels labels that they carry as well. Without labels, others of the namespace are refused by the gateway, not yet by their sidecar.
   */
  public static serviceAccount(namespace: string, name: string, labels?: { [key: string]: string }): Workloads {
    return new Workloads(namespace, labels, [name]);
  }

  /**
   * The same as `in`, under a name that no language reserves.
   *
   * @param namespace the namespace
   * @param labels the labels that they carry, all of them; left out, every workload of the namespace
   * @param options their service accounts
   */
  public static inNamespace(
    namespace: string,
    labels?: { [key: string]: string },
    options?: WorkloadsOptions,
  ): Workloads {
    return Workloads.in(namespace, labels, options);
  }

  /**
   * The Pods of a construct: a Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob or Pod, made by any version of cdk8s-plus or as an ApiObject; all workloads of a
   * Namespace; or all that run as a ServiceAccount. Namespace, labels (those of the selector, which never change) and the service account are read from
   * the object at the time of the call.
   *
   * @param workload the construct
   * @throws Error where the construct has no such object, or nothing says its namespace
   * @example
   * Workloads.of(deployment)
   */
  public static of(workload: IConstruct): Workloads {
    const { kind, name, namespace, body } = renderedBy(workload, 'Workloads.of');
    if (kind === 'Namespace') return new Workloads(name, undefined, []);
    const where = `Workloads.of: ${kind} ${quote(name)} (${workload.node.path})`;
    if (namespace === undefined)
      throw new Error(`${where} has no namespace of its own, and its chart has none. Give either a namespace`);
    if (kind === 'ServiceAccount') return new Workloads(namespace, undefined, [name]);
    const { labels, account } = podOf(kind, body);
    if (labels === undefined)
      throw new Error(
        `${where} has no Pods. Give a workload, a ServiceAccount or a Namespace; or use Workloads.inNamespace`,
      );
    return new Workloads(namespace, labels, account === undefined || account === 'default' ? [] : [account]);
  }

  /** Their namespace. */
  public readonly namespace: string;

  /** The labels that they carry; none means any. */
  public readonly labels: { [key: string]: string };

  /** The service accounts that they run as; none means any. */
  public readonly serviceAccounts: string[];

  private readonly labelsAreEmpty: boolean;

  private constructor(namespace: string, labels: { [key: string]: string } | undefined, serviceAccounts: string[]) {
    this.namespace = namespace;
    this.labels = sortedByKey(labels ?? {});
    this.serviceAccounts = [...new Set(serviceAccounts)].sort();
    this.labelsAreEmpty = labels !== undefined && Object.keys(labels).length === 0;
  }

  /** @internal */
  public get _sourceLabels(): { [key: string]: string } | undefined {
    return Object.keys(this.labels).length ? this.labels : undefined;
  }

  /** @internal */
  public _words(): string {
    const labels = Object.entries(this.labels).map(([key, value]) => `${key}=${value}`);
    const accounts = this.serviceAccounts.map((name) => `service account ${name}`);
    const who = [...labels, ...accounts].join(', ');
    return who === '' ? `all workloads of ${quote(this.namespace)}` : `workloads ${who} of ${quote(this.namespace)}`;
  }

  /** @internal */
  public _named(where = '`from`'): NamedNamespace {
    return { where, name: this.namespace };
  }

  /**
   * Whether one workload can be both.
   *
   * @internal
   */
  public _overlaps(other: Workloads): boolean {
    if (this.namespace !== other.namespace) return false;
    if (Object.entries(this.labels).some(([key, value]) => (other.labels[key] ?? value) !== value)) return false;
    if (!this.serviceAccounts.length || !other.serviceAccounts.length) return true;
    return this.serviceAccounts.some((name) => other.serviceAccounts.includes(name));
  }

  /** @internal */
  public _problems(): Problem[] {
    const problems = namespaceProblems('namespace', this.namespace);
    if (this.labelsAreEmpty) {
      problems.push({
        what: `workloads of ${quote(this.namespace)} are chosen by no label`,
        why: 'an empty selector takes in the whole namespace, which is seldom what was meant',
        fix: 'name a label that the Pods carry, or leave the labels out to mean every workload',
      });
    }
    for (const [key, value] of Object.entries(this.labels)) {
      if (isLabelKey(key) && isLabelValue(value)) continue;
      problems.push({
        what: `label ${quote(key)}: ${quote(value)} can be on no Pod`,
        why: 'Kubernetes refuses such a label, so the rule would match nobody',
        fix: 'use up to 63 of a-z, A-Z, 0-9, hyphen, underscore and dot, beginning and ending with a letter or digit',
      });
    }
    for (const name of this.serviceAccounts.filter((account) => !isObjectName(account))) {
      problems.push({
        what: `service account ${quote(name)} can't exist`,
        why: 'Kubernetes refuses such a name, so the rule would match nobody',
        fix: "name the account alone, such as 'payments': no namespace, no slashes, no wildcard",
      });
    }
    return problems;
  }
}

interface PodTemplate {
  readonly metadata?: { readonly labels?: { [key: string]: string } };
  readonly spec?: { readonly serviceAccountName?: string };
}

/** The labels and the account of a workload's Pods; no labels where the kind makes none. */
function podOf(
  kind: string,
  body: { readonly [key: string]: unknown },
): { readonly labels?: { [key: string]: string }; readonly account?: string } {
  const spec = (body.spec ?? {}) as {
    readonly selector?: { readonly matchLabels?: { [key: string]: string } };
    readonly template?: PodTemplate;
    readonly jobTemplate?: { readonly spec?: { readonly template?: PodTemplate } };
  };
  const template = kind === 'Pod' ? (body as PodTemplate) : (spec.template ?? spec.jobTemplate?.spec?.template);
  if (template === undefined) return {};
  const labels = spec.selector?.matchLabels ?? template.metadata?.labels ?? {};
  return { labels, account: template.spec?.serviceAccountName };
}

function sortedByKey(labels: { [key: string]: string }): { [key: string]: string } {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isLabelValue(value: string): boolean {
  return value === '' || (value.length <= 63 && /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(value));
}

function isLabelKey(key: string): boolean {
  const [name, prefix, more] = key.split('/').reverse();
  if (more !== undefined || name === '' || !isLabelValue(name)) return false;
  return prefix === undefined || (prefix.length <= 253 && prefix.split('.').every(isDnsLabel));
}
