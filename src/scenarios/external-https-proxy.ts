import { Construct } from 'constructs';
import { ExternalProxy } from '../egress/external-proxy';
import { ScenarioChart } from './scenario';
import { PROXY_IP, addSquid } from './squid';

/** Document 003: an HTTPS proxy outside the mesh, reached by CONNECT. */
export class ExternalHttpsProxy extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'external-https-proxy', {
      title: 'An HTTPS proxy outside the mesh',
      shows: `Applications use a proxy (\`HTTPS_PROXY\`), and the mesh lets them reach it as TCP, by address. A squid in a namespace without injection stands in for it. \`${PROXY_IP}\` stands for the address of its pod: put the real one there.`,
      outcomes: [
        {
          request: `\`HTTPS_PROXY=${PROXY_IP}:3128 curl https://en.wikipedia.org/\``,
          seen: 'passes; the sidecar logs a TCP line with `outbound|3128||my-company-proxy.com`',
        },
      ],
      needs: [`\`${PROXY_IP}\` replaced by the address of the proxy`],
    });
    addSquid(this);
    new ExternalProxy(this, 'proxy', {
      host: 'my-company-proxy.com',
      addresses: [`${PROXY_IP}/32`],
      sites: ['en.wikipedia.org'],
    });
  }
}
