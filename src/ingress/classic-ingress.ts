import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { Audience } from '../mesh/audience';
import { joinMesh } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import { namesNamespaces } from '../mesh/namespace-names';
import { ClassicIngressServer, classicServers, serverPort, serverProblems } from './classic-server';
import { IngressBackend } from './ingress-backend';

/** What of a request's path a route looks at, and what becomes of it. */
export interface ClassicIngressPath {
  /** The beginning of the paths that it takes, letter by letter: "/httpbin/" takes in "/httpbin/get". */
  readonly prefix: string;

  /** Where they go. */
  readonly backend: IngressBackend;

  /**
   * What takes the place of the prefix.
   *
   * @default the path stays
   */
  readonly rewritePrefix?: string;
}

/** What there is to say of Istio's own ingress, in Istio's own API. */
export interface ClassicIngressProps extends ClassicIngressServer {
  /** Which paths go where, at every server that ends TLS or takes plain HTTP. The first that fits wins, so the order counts. */
  readonly paths: ClassicIngressPath[];

  /**
   * Further servers of the same Gateway: hosts with certificates of their own, other ports, TLS that is passed on.
   *
   * @default none
   */
  readonly servers?: ClassicIngressServer[];

  /**
   * The labels of the ingress gateway's Pods.
   *
   * @default istio: ingressgateway
   */
  readonly selector?: { [key: string]: string };

  /**
   * The namespace of the ingress gateway's Pods.
   *
   * @default "istio-system"
   */
  readonly proxyNamespace?: string;

  /**
   * The namespace of both objects.
   *
   * @default the chart's namespace, else "default"
   */
  readonly namespace?: string;

  /**
   * The name of both objects.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of both objects.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * Istio's own ingress gateway in Istio's own API: renders one Gateway and one VirtualService. The gateway is itself a proxy of the mesh, so no
 * host has to be rewritten for a sidecar.
 *
 * With a certificate, plain HTTP is answered with a redirect to HTTPS.
 *
 * To lay beside Gateway API; new ways in are better made with `IngressGateway`.
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/ingress/ingress-control/
 * @example
 * new ClassicIngress(this, 'Shop', {
 *   hosts: ['shop.example.com'],
 *   credential: TlsCredential.fromSecretName('shop-example-com'),
 *   minTlsVersion: TlsVersion.V1_3,
 *   paths: [{ prefix: '/', backend: IngressBackend.service('shop', 80, { namespace: 'shop' }) }],
 * });
 */
export class ClassicIngress extends Construct {
  /** The name of both objects. */
  public readonly name: string;

  /** The namespace of both objects. */
  public readonly namespace: string;

  /** The rendered Gateway, to patch. */
  public readonly gateway: ApiObject;

  /** The rendered VirtualService, to patch. */
  public readonly virtualService: ApiObject;

  /** The labels of the ingress gateway's Pods. */
  public readonly selector: { [key: string]: string };

  /** The namespace of the ingress gateway's Pods. */
  public readonly proxyNamespace: string;

  /**
   * The Secrets whose certificates it shows, with their namespace.
   *
   * @internal
   */
  public readonly _secrets: readonly string[];

  public constructor(scope: Construct, id: string, props: ClassicIngressProps) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.selector = { ...(props.selector ?? { istio: 'ingressgateway' }) };
    this.proxyNamespace = props.proxyNamespace ?? 'istio-system';
    const servers = [props, ...(props.servers ?? [])];
    const secrets = servers.flatMap(({ credential }) => (credential ? [credential.name] : []));
    this._secrets = [...new Set(secrets)].map((name) => `${this.proxyNamespace}/${name}`);
    const metadata = objectMetadata({ name: this.name, namespace: this.namespace }, props.metadata);
    this.gateway = new MeshObject<networking.GatewayProps>(this, 'Gateway', {
      ...networking.Gateway.GVK,
      metadata,
      manifest: networking.Gateway.manifest,
      spec: () => ({
        spec: {
          selector: this.selector,
          servers: classicServers(servers),
        },
      }),
    });
    this.virtualService = new MeshObject<networking.VirtualServiceProps>(this, 'VirtualService', {
      ...networking.VirtualService.GVK,
      metadata,
      manifest: networking.VirtualService.manifest,
      spec: () => ({
        spec: {
          hosts: [...new Set(servers.flatMap(({ hosts }) => hosts))],
          gateways: [`${this.namespace}/${this.name}`],
          http: props.paths.length ? props.paths.map((path) => this.route(path)) : undefined,
          tls: this.passedOn(servers),
          exportTo: Audience.ownNamespace()._exportTo(this.namespace, this.proxyNamespace),
        },
      }),
    });
    refuseAtSynth(this, () => this.problems(props, servers));
    joinMesh<ClassicIngress>('ClassicIngress', this, oneGatewayPerCertificate);
    namesNamespaces(this, () => [
      { where: '`proxyNamespace`', name: this.proxyNamespace },
      ...props.paths.flatMap((path) => path.backend._named()),
      ...servers.flatMap(({ passthrough }) => passthrough?._named() ?? []),
    ]);
  }

  private passedOn(servers: readonly ClassicIngressServer[]): networking.VirtualServiceSpecTls[] | undefined {
    const routes = servers.flatMap((server) => {
      const { passthrough: to, hosts } = server;
      if (!to) return [];
      const destination = { host: to._host(this.namespace, 'cluster.local'), port: { number: to.port } };
      return [{ match: [{ port: serverPort(server), sniHosts: [...hosts] }], route: [{ destination }] }];
    });
    return routes.length ? routes : undefined;
  }

  private route(path: ClassicIngressPath): networking.VirtualServiceSpecHttp {
    const { backend, rewritePrefix } = path;
    return {
      match: [{ uri: { prefix: path.prefix } }],
      rewrite: rewritePrefix === undefined ? undefined : { uri: rewritePrefix },
      route: [
        { destination: { host: backend._host(this.namespace, 'cluster.local'), port: { number: backend.port } } },
      ],
    };
  }

  private problems(props: ClassicIngressProps, servers: readonly ClassicIngressServer[]): Problem[] {
    const problems = [
      ...objectNameProblems('name', this.name),
      ...namespaceProblems('namespace', props.namespace),
      ...serverProblems(servers, this.proxyNamespace),
      ...props.paths.flatMap(({ backend }) => [
        ...backend._problems(),
        ...backend._hostProblems('a VirtualService sends to hosts'),
      ]),
    ];
    if (!props.paths.length && servers.some(({ passthrough }) => !passthrough))
      problems.push({ what: 'has no path', why: 'clients would get 404', fix: 'give `paths` at least one' });
    props.paths.forEach((path, i) => {
      const earlier = props.paths.slice(0, i).find((other) => path.prefix.startsWith(other.prefix));
      if (!earlier) return;
      const fix = `put ${quote(path.prefix)} first`;
      problems.push({
        what: `prefix ${quote(path.prefix)} comes after ${quote(earlier.prefix)}`,
        why: 'the first that fits wins, so it would get nothing',
        fix,
      });
    });
    return problems;
  }
}

/** As for Gateway API: a browser reuses a connection for all hosts of a certificate. */
function oneGatewayPerCertificate(all: readonly ClassicIngress[]): Array<{ at: IConstruct; problem: Problem }> {
  const owners = new Map<string, ClassicIngress>();
  return all.flatMap((one) => {
    return one._secrets.flatMap((secret) => {
      const other = owners.get(secret);
      owners.set(secret, other ?? one);
      if (!other) return [];
      const problem: Problem = {
        what: `certificate ${quote(secret)} is shown by both ${other.node.path} and ${one.node.path}`,
        why: 'browsers reuse a connection for all hosts of a certificate, and get 404 for those of the other gateway',
        fix: 'make them one, or give each a certificate of its own',
      };
      return [{ at: one, problem }];
    });
  });
}
