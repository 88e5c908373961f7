import { Construct } from 'constructs';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { Resolution } from '../egress/resolution';
import { ScenarioChart } from './scenario';

/** Document 004: plain HTTP and HTTPS to two hosts, straight from the sidecar. */
export class SidecarHttpHttps extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'sidecar-http-https', {
      title: 'HTTP and HTTPS from the sidecar',
      shows:
        'One ServiceEntry opens ports 80 and 443 of two hosts. A site that redirects plain HTTP to HTTPS can be followed.',
      outcomes: [
        { request: '`curl http://www.aliyun.com/`', seen: 'passes' },
        { request: '`curl https://www.aliyun.com/`', seen: 'passes, routed by its SNI' },
      ],
    });
    new ExternalService(this, 'entry-x', {
      hosts: ['www.aliyun.com', 'hbchen.com'],
      ports: [ExternalPort.http(80, { name: 'http-port' }), ExternalPort.https(443, { name: 'https-port' })],
      resolution: Resolution.none(),
    });
  }
}
