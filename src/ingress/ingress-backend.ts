import { IConstruct } from 'constructs';
import { renderedBy } from '../core/api-objects';
import { isDnsLabel, namespaceProblems, portProblems } from '../core/names';
import { Problem, quote } from '../core/problem';
import type { NamedNamespace } from '../mesh/namespace-names';
import type { IExternalBackend } from './external-backend';
import type { GrantedReference } from './reference-grants';

/** What may be said of a backend beyond its name and port. */
export interface IngressBackendOptions {
  /**
   * The namespace of the Service. Another than the route's takes a ReferenceGrant, which is rendered too.
   *
   * @default the route's
   */
  readonly namespace?: string;

  /**
   * The share of requests that it gets, relative to the other backends of the rule.
   *
   * @default equal shares
   */
  readonly weight?: number;

  /**
   * Whether whoever owns the other namespace gives the leave (ReferenceGrant), so that none is rendered here.
   *
   * @default false
   */
  readonly grantedElsewhere?: boolean;
}

/** What a route may send to that is no Service, such as a Backend of Envoy Gateway or a Hostname of Istio. */
export interface BackendReference {
  /** Its API group, such as "gateway.envoyproxy.io". */
  readonly group: string;

  /** Its kind, such as "Backend". */
  readonly kind: string;

  /** Its name. */
  readonly name: string;

  /**
   * The port, where the kind has not its own.
   *
   * @default none
   */
  readonly port?: number;
}

/** Where a route sends requests. */
export class IngressBackend {
  /**
   * A Service of the cluster.
   *
   * @param name its name
   * @param port the Service's port, not the container's
   * @param options its namespace and share
   */
  public static service(name: string, port: number, options?: IngressBackendOptions): IngressBackend {
    return new IngressBackend(name, port, options ?? {});
  }

  /**
   * A Service that a construct makes, by any version of cdk8s-plus or as an ApiObject.
   *
   * @param service the construct
   * @param port the Service's port; left out, its only one
   * @param options its namespace and share
   * @throws Error where the construct is no Service, or has several ports and none is said
   */
  public static of(service: IConstruct, port?: number, options?: IngressBackendOptions): IngressBackend {
    const { kind, name, namespace, body } = renderedBy(service, 'IngressBackend.of');
    const where = `IngressBackend.of: ${kind} ${quote(name)} (${service.node.path})`;
    if (kind !== 'Service') throw new Error(`${where} is no Service. Give the Service before the workload`);
    const ports = ((body.spec as { ports?: { port: number }[] } | undefined)?.ports ?? []).map((one) => one.port);
    const found = port ?? (ports.length === 1 ? ports[0] : undefined);
    if (found === undefined || !ports.includes(found))
      throw new Error(
        `${where} has ${ports.length === 0 ? 'no ports' : `ports ${ports.join(', ')}`}${port === undefined ? '' : `, and not ${port}`}. Say one of the Service's own ports`,
      );
    return new IngressBackend(name, found, { ...options, namespace: options?.namespace ?? namespace });
  }

  /**
   * A host outside the cluster, behind an Envoy Gateway.
   *
   * @param backend the Backend
   * @param options its share
   */
  public static external(backend: IExternalBackend, options?: IngressBackendOptions): IngressBackend {
    return new IngressBackend(backend.name, backend.port, { ...options, namespace: backend.namespace }, backend);
  }

  /**
   * Anything else that the gateway's class sends to. Behind a gateway that sends through a sidecar, the host that is asked for stays.
   *
   * @param reference what it is
   * @param options its namespace and share
   */
  public static reference(reference: BackendReference, options?: IngressBackendOptions): IngressBackend {
    return new IngressBackend(reference.name, reference.port ?? 0, options ?? {}, undefined, reference);
  }

  /** The Service's namespace, if another than the route's was said. */
  public readonly namespace?: string;

  /** Its share of requests, if one was said. */
  public readonly weight?: number;

  private readonly grantedElsewhere: boolean;

  private constructor(
    /** The Service's name. */
    public readonly name: string,
    /** The Service's port. */
    public readonly port: number,
    options: IngressBackendOptions,
    /**
     * What lies outside the cluster.
     *
     * @internal
     */
    public readonly _external?: IExternalBackend,
    /**
     * What is no Service.
     *
     * @internal
     */
    public readonly _reference?: BackendReference,
  ) {
    this.grantedElsewhere = options.grantedElsewhere ?? false;
    this.namespace = options.namespace;
    this.weight = options.weight;
  }

  /**
   * The name that a sidecar knows the Service by.
   *
   * @internal
   */
  public _host(routeNamespace: string, clusterDomain: string): string {
    if (this._reference) return this.name;
    return this._external?.hostname ?? `${this.name}.${this.namespace ?? routeNamespace}.svc.${clusterDomain}`;
  }

  /** @internal */
  public _ref(routeNamespace: string): {
    group?: string;
    kind: string;
    name: string;
    namespace?: string;
    port?: number;
    weight?: number;
  } {
    const namespace = this.namespace === routeNamespace ? undefined : this.namespace;
    // A Backend has its port in itself.
    if (this._external)
      return { group: 'gateway.envoyproxy.io', kind: 'Backend', name: this.name, namespace, weight: this.weight };
    if (this._reference) {
      const { group, kind, name, port } = this._reference;
      return { group, kind, name, namespace, port, weight: this.weight };
    }
    return { kind: 'Service', name: this.name, namespace, port: this.port, weight: this.weight };
  }

  /** @internal */
  public _grants(fromGroup: string, fromKind: string, fromNamespace: string): GrantedReference[] {
    if (this.grantedElsewhere) return [];
    if (this._external) {
      const toNamespace = this._external.namespace;
      const to = { toGroup: 'gateway.envoyproxy.io', toKind: 'Backend', toNamespace, toName: this.name };
      return [{ fromGroup, fromKind, fromNamespace, ...to }];
    }
    const { group: toGroup, kind: toKind } = this._reference ?? { group: '', kind: 'Service' };
    const to = { toGroup, toKind, toNamespace: this.namespace ?? fromNamespace, toName: this.name };
    return [{ fromGroup, fromKind, fromNamespace, ...to }];
  }

  /** @internal */
  public _named(): NamedNamespace[] {
    if (this._external || this.namespace === undefined) return [];
    return [{ where: `backend ${quote(this.name)}`, name: this.namespace }];
  }

  /**
   * Where a host has to be written for it: a Service, a site outside and Istio's Hostname have one.
   *
   * @internal
   */
  public _hostProblems(why: string): Problem[] {
    if (!this._reference || this._reference.kind === 'Hostname') return [];
    const fix = 'use IngressBackend.service, or a gateway of Gateway API that sends by itself';
    return [{ what: `backend ${quote(this.name)} is a ${this._reference.kind}, which has no host name`, why, fix }];
  }

  /** @internal */
  public _problems(): Problem[] {
    const hasPort = this._reference === undefined || this._reference.port !== undefined;
    const problems = [
      ...(hasPort ? portProblems(`port of backend ${quote(this.name)}`, this.port) : []),
      ...namespaceProblems(`namespace of backend ${quote(this.name)}`, this.namespace),
    ];
    if (!this._external && !this._reference && !isDnsLabel(this.name)) {
      const [name, namespace] = this.name.split('.');
      problems.push({
        what: `backend ${quote(this.name)} is not the name of a Service`,
        why: 'routes refer to a Service by its bare name',
        fix: namespace
          ? `did you mean IngressBackend.service(${quote(name)}, ${this.port}, { namespace: ${quote(namespace)} })?`
          : 'use a-z, 0-9 and inner hyphens, 63 characters at most',
      });
    }
    if (this.weight !== undefined && !(Number.isInteger(this.weight) && this.weight >= 0 && this.weight <= 1_000_000)) {
      problems.push({
        what: `weight ${quote(this.weight)} of backend ${quote(this.name)}`,
        why: 'the API server takes whole numbers from 0 to 1000000',
        fix: 'use shares such as 90 and 10',
      });
    }
    return problems;
  }
}
