import { Construct } from 'constructs';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { Resolution } from '../egress/resolution';
import { ScenarioChart } from './scenario';

/** Document 004: plain HTTP to two hosts, straight from the sidecar. */
export class SidecarHttp extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'sidecar-http', {
      title: 'Plain HTTP from the sidecar',
      shows:
        'One ServiceEntry opens port 80 of two hosts in a mesh that lets nothing else out (`REGISTRY_ONLY`). Port 443 is not registered, so HTTPS to the same hosts is cut.',
      outcomes: [
        { request: '`curl http://www.aliyun.com/`', seen: 'passes, by the sidecar alone' },
        { request: '`curl https://www.aliyun.com/`', seen: 'reset by the sidecar' },
      ],
    });
    new ExternalService(this, 'entry-x', {
      hosts: ['www.aliyun.com', 'hbchen.com'],
      ports: [ExternalPort.http()],
      resolution: Resolution.none(),
    });
  }
}
