import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { TlsEgress } from '../egress/egress-ways';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { SidecarEgress } from '../egress/sidecar-egress';
import { TransparentProxy } from '../egress/transparent-proxy';
import { ScenarioChart } from './scenario';
import { PROXY_IP, addSquid } from './squid';

/** Document 003's proxy, used by the mesh for applications that know nothing of it. */
export class ExternalHttpsProxyTransparent extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'external-https-proxy-transparent', {
      title: 'An HTTPS proxy outside the mesh that applications know nothing of',
      shows: `Applications call sites by HTTPS as if there were no proxy. The sidecar, or the egress gateway, takes their TLS to the proxy by CONNECT: for \`en.wikipedia.org\` the sidecar does, for \`edition.cnn.com\` the gateway. Each site is a subset of the proxy’s DestinationRule, with a tunnel. A squid in a namespace without injection stands in for the proxy; \`${PROXY_IP}\` stands for the address of its pod: put the real one there.`,
      outcomes: [
        {
          request: '`curl https://en.wikipedia.org/`',
          seen: 'passes; the sidecar logs `outbound|3128|to-en-wikipedia-org-443|my-company-proxy.com`, the proxy `CONNECT en.wikipedia.org:443`',
        },
        {
          request: '`curl https://edition.cnn.com/`',
          seen: 'passes; the gateway logs `outbound|3128|to-edition-cnn-com-443|my-company-proxy.com`, the proxy `CONNECT edition.cnn.com:443`',
        },
        {
          request: `\`HTTPS_PROXY=${PROXY_IP}:3128 curl https://www.aliyun.com/\``,
          seen: 'reset by the sidecar: what the mesh tunnels, it says which',
        },
      ],
      needs: [
        `\`${PROXY_IP}\` replaced by the address of the proxy`,
        'an egress gateway `istio-egressgateway` in `istio-system` (see `egress-gateway-install`)',
      ],
    });
    addSquid(this, true);
    const proxy = new TransparentProxy(this, 'proxy', { host: 'my-company-proxy.com', addresses: [PROXY_IP] });
    const site = (id: string, host: string) =>
      new ExternalService(this, id, { hosts: [host], ports: [ExternalPort.https()] });
    new SidecarEgress(this, 'wikipedia-through-proxy', {
      service: site('wikipedia', 'en.wikipedia.org'),
      https: TlsEgress.tunnel(proxy),
    });
    EgressGateway.fromInstalled(this, 'Gateway').forward(site('cnn', 'edition.cnn.com'), {
      https: TlsEgress.tunnel(proxy),
    });
  }
}
