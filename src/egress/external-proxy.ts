import { Construct, IConstruct } from 'constructs';
import { nameOfId } from '../core/ids';
import { covers } from '../core/hostname';
import { Problem, quote } from '../core/problem';
import { Audience } from '../mesh/audience';
import { joinMesh, meshMembers } from '../mesh/mesh-boundary';
import { ExternalPort } from './external-port';
import { ExternalService } from './external-service';
import { Resolution } from './resolution';

/** A proxy outside the mesh. */
export interface ExternalProxyProps {
  /** Its name. Istio needs one to call it by; applications dial the address. */
  readonly host: string;

  /** Its IP addresses, or ranges. */
  readonly addresses: string[];

  /**
   * Its port.
   *
   * @default 3128
   */
  readonly port?: number;

  /**
   * The sites that are reached by it. None of them may have an ExternalService that the proxy's clients see.
   *
   * @default none are named, so none can be checked
   */
  readonly sites?: string[];

  /**
   * Who may use it.
   *
   * @default its own namespace
   */
  readonly audience?: Audience;

  /**
   * The namespace of its ServiceEntry.
   *
   * @default the chart's namespace, else "default"
   */
  readonly namespace?: string;

  /**
   * The name of its ServiceEntry.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;
}

/**
 * Lets applications use an HTTPS proxy outside the mesh (`HTTPS_PROXY=IP:3128`). Declared as TCP and by address, because what passes is
 * CONNECT and then the application's own TLS, which a sidecar that took it for HTTP would answer with 404.
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/egress/http-proxy/
 * @example
 * new ExternalProxy(this, 'Proxy', { host: 'proxy.corp.example', addresses: ['10.1.2.3'], namespace: 'shop' });
 */
export class ExternalProxy extends Construct {
  /** The proxy as a service. */
  public readonly service: ExternalService;

  /** The sites that are reached by it. */
  public readonly sites: string[];

  public constructor(scope: Construct, id: string, props: ExternalProxyProps) {
    super(scope, id);
    this.sites = props.sites ?? [];
    this.service = new ExternalService(this, 'Service', {
      hosts: [props.host],
      addresses: props.addresses,
      ports: [ExternalPort.tcp(props.port ?? 3128)],
      resolution: Resolution.none(),
      audience: props.audience,
      namespace: props.namespace,
      name: props.name ?? nameOfId(id),
    });
    joinMesh('ExternalProxy', this, sitesRegistered);
  }
}

/** Istio sees only the connection to the proxy, so an entry for a site behind it is never used, or takes its traffic past the proxy. */
function sitesRegistered(proxies: readonly ExternalProxy[]): Array<{ at: IConstruct; problem: Problem }> {
  const found: Array<{ at: IConstruct; problem: Problem }> = [];
  const services = proxies.length ? meshMembers<ExternalService>('ExternalService', proxies[0]) : [];
  for (const proxy of proxies) {
    for (const service of services) {
      if (service === proxy.service) continue;
      const site = proxy.sites.find((host) => service.hosts.some((other) => covers(other, host)));
      if (site === undefined || !overlap(proxy.service._visibleIn(), service._visibleIn())) continue;
      found.push({
        at: service,
        problem: {
          what: `${quote(site)} is reached by the proxy ${proxy.node.path}, and registered by ${service.node.path}`,
          why: 'applications that use the proxy never use the entry, and those that do not are led past the proxy',
          fix: 'remove the ExternalService, or take the site out of `sites`',
        },
      });
    }
  }
  return found;
}

function overlap(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return !a || !b || a.some((namespace) => b.includes(namespace));
}
