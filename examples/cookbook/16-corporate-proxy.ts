// Let applications use the company's HTTPS proxy
//
// They set HTTPS_PROXY=http://10.1.2.3:3128. It is TCP to the mesh: CONNECT, and then the application's own TLS.
//
//     shop/web tcp://10.1.2.3:3128 delivered
import type { Chart } from 'cdk8s';
import { ExternalProxy } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  new ExternalProxy(chart, 'Proxy', { host: 'proxy.corp.example', addresses: ['10.1.2.3'], namespace: 'shop' });
}
