import { Construct } from 'constructs';
import { AccessLogs } from './access-log';
import { AppsGatewayHttp, AppsGatewayHttps } from './apps-gateway';
import { ControlPlaneRestart } from './control-plane-restart';
import { DemoHttpbin } from './demo-httpbin';
import { DirectIpRanges } from './direct-ip-ranges';
import { EgressGatewayInstall } from './egress-gateway-install';
import { EnvoyGatewayMember } from './envoy-gateway-in-mesh';
import { ExternalHttpsProxy } from './external-https-proxy';
import { ExternalMutualTlsServer } from './external-mutual-tls-server';
import { GatewayHttp } from './gateway-http';
import { GatewayMutualTlsOrigination } from './gateway-mutual-tls-origination';
import { GatewayTlsOrigination } from './gateway-tls-origination';
import { GatewayTlsOriginationSubset } from './gateway-tls-origination-subset';
import { GatewayTlsPassthrough } from './gateway-tls-passthrough';
import { IstioMinimal } from './istio-minimal';
import { ManyHosts } from './many-hosts';
import { OutboundPolicy } from './outbound-policy';
import { SidecarHttp } from './sidecar-http';
import { SidecarHttpHttps } from './sidecar-http-https';
import { SidecarTlsOrigination } from './sidecar-tls-origination';
import { StrictMutualTls } from './strict-mutual-tls';

/** Adds every scenario to the app, in the order of the documentation. */
export function addScenarios(app: Construct): void {
  new OutboundPolicy(app);
  new SidecarHttp(app);
  new SidecarHttpHttps(app);
  new SidecarTlsOrigination(app);
  new GatewayHttp(app);
  new GatewayTlsPassthrough(app);
  new GatewayTlsOrigination(app);
  new GatewayTlsOriginationSubset(app);
  new GatewayMutualTlsOrigination(app);
  new ExternalMutualTlsServer(app);
  new ExternalHttpsProxy(app);
  new DirectIpRanges(app);
  new EgressGatewayInstall(app);
  new AccessLogs(app);
  new ManyHosts(app);
  new IstioMinimal(app);
  new EnvoyGatewayMember(app);
  new ControlPlaneRestart(app);
  new DemoHttpbin(app);
  new AppsGatewayHttp(app);
  new StrictMutualTls(app);
  new AppsGatewayHttps(app);
}
