import { ApiObject, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { hostProblems } from '../core/hostname';
import { nameOfId } from '../core/ids';
import { namespaceProblems, objectNameProblems, portProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { Audience } from '../mesh/audience';
import { joinMesh } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import { TlsCredential } from '../mesh/tls-credential';
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
export interface ClassicIngressProps {
  /** The hosts that it is for. */
  readonly hosts: string[];

  /** Which paths go where. The first that fits wins, so the order counts. */
  readonly paths: ClassicIngressPath[];

  /**
   * The Secret with the certificate, in the namespace of the ingress gateway's Pods. With it, the gateway listens for HTTPS on 443.
   *
   * @default plain HTTP on 80
   */
  readonly credential?: TlsCredential;

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
   * The port that clients dial.
   *
   * @default 443 with a credential, else 80
   */
  readonly port?: number;

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
}

/**
 * Istio's own ingress gateway in Istio's own API: renders one Gateway and one VirtualService. The gateway is itself a proxy of the mesh, so no
 * host has to be rewritten for a sidecar.
 *
 * To lay beside Gateway API; new ways in are better made with `IngressGateway`.
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/ingress/ingress-control/
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

  /**
   * The Secret whose certificate it shows, with its namespace.
   *
   * @internal
   */
  public readonly _secret?: string;

  public constructor(scope: Construct, id: string, props: ClassicIngressProps) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    const proxyNamespace = props.proxyNamespace ?? 'istio-system';
    if (props.credential) this._secret = `${proxyNamespace}/${props.credential.name}`;
    const metadata = { name: this.name, namespace: this.namespace };
    this.gateway = new MeshObject<networking.GatewayProps>(this, 'Gateway', {
      ...networking.Gateway.GVK,
      metadata,
      manifest: networking.Gateway.manifest,
      spec: () => ({
        spec: {
          selector: props.selector ?? { istio: 'ingressgateway' },
          servers: [server(props)],
        },
      }),
    });
    this.virtualService = new MeshObject<networking.VirtualServiceProps>(this, 'VirtualService', {
      ...networking.VirtualService.GVK,
      metadata,
      manifest: networking.VirtualService.manifest,
      spec: () => ({
        spec: {
          hosts: props.hosts,
          gateways: [`${this.namespace}/${this.name}`],
          http: props.paths.map((path) => this.route(path)),
          exportTo: Audience.ownNamespace()._exportTo(this.namespace, proxyNamespace),
        },
      }),
    });
    refuseAtSynth(this, () => this.problems(props, proxyNamespace));
    joinMesh<ClassicIngress>('ClassicIngress', this, oneGatewayPerCertificate);
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

  private problems(props: ClassicIngressProps, proxyNamespace: string): Problem[] {
    const problems = [
      ...objectNameProblems('name', this.name),
      ...namespaceProblems('namespace', props.namespace),
      ...props.hosts.flatMap(hostProblems),
      ...(props.port === undefined ? [] : portProblems('port', props.port)),
      ...(props.credential?._problemsIn(proxyNamespace) ?? []),
      ...props.paths.flatMap((path) => path.backend._problems()),
    ];
    if (!props.hosts.length)
      problems.push({ what: 'names no host', why: 'the API server refuses it', fix: 'give `hosts` at least one' });
    if (!props.paths.length)
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

function server(props: ClassicIngressProps): networking.GatewaySpecServers {
  const { credential, hosts } = props;
  if (!credential) return { port: { number: props.port ?? 80, name: 'http', protocol: 'HTTP' }, hosts };
  return {
    port: { number: props.port ?? 443, name: 'https', protocol: 'HTTPS' },
    tls: { mode: networking.GatewaySpecServersTlsMode.SIMPLE, credentialName: credential.name },
    hosts,
  };
}

/** As for Gateway API: a browser reuses a connection for all hosts of a certificate. */
function oneGatewayPerCertificate(all: readonly ClassicIngress[]): Array<{ at: IConstruct; problem: Problem }> {
  const owners = new Map<string, ClassicIngress>();
  return all.flatMap((one) => {
    const secret = one._secret;
    if (secret === undefined) return [];
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
}
