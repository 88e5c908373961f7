/** A mesh with a gateway and a site, as tests of policies want it. */
import { ApiObject, Chart } from 'cdk8s';
import { EgressGateway, EgressGatewayBase, InstalledEgressGatewayProps } from '../../src/egress/egress-gateway';
import { EgressTrafficPolicy, EgressTrafficRule } from '../../src/egress/egress-traffic-policy';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService, ExternalServiceProps } from '../../src/egress/external-service';
import { Workloads } from '../../src/mesh/workloads';
import { refusals, rendered, world } from './world';

export const http = ExternalPort.http();
export const https = ExternalPort.https();
export const payments = Workloads.serviceAccount('shop', 'payments', { app: 'payments' });
export const orders = Workloads.in('shop', { app: 'orders' });
export const HOST = 'istio-egressgateway.istio-system.svc.cluster.local';

export class Mesh {
  public readonly chart: Chart = world();
  public readonly gateway: EgressGatewayBase;
  private count = 0;

  public constructor(gateway?: InstalledEgressGatewayProps) {
    this.gateway = EgressGateway.fromInstalled(this.chart, 'Egress', gateway);
  }

  public service(host: string, props: Partial<ExternalServiceProps> = {}, id = host): ExternalService {
    return new ExternalService(this.chart, id, { hosts: [host], ports: [http, https], namespace: 'shop', ...props });
  }

  public policy(...rules: EgressTrafficRule[]): EgressTrafficPolicy {
    return new EgressTrafficPolicy(this.chart, `Policy${++this.count}`, { gateway: this.gateway, rules });
  }

  public spec(kind: string, name?: string): any {
    return rendered(this.chart, kind, name).spec;
  }

  public names(kind: string): string[] {
    const objects = this.chart.node.findAll().filter((node): node is ApiObject => ApiObject.isApiObject(node));
    return objects.filter((object) => object.kind === kind).map(({ name }) => name);
  }

  /** The VirtualService that the sidecars of a namespace read. */
  public first(name: string): any {
    const found = this.names('VirtualService').filter((other) => other.includes(name));
    expect(found).toHaveLength(1);
    return this.spec('VirtualService', found[0]);
  }

  public refused(): string {
    return refusals(this.chart).join('\n');
  }
}
