import { Construct } from 'constructs';
import { HttpEgress } from '../egress/egress-ways';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { SidecarEgress } from '../egress/sidecar-egress';
import { ScenarioChart } from './scenario';

/** Document 004: the sidecar makes TLS of plain HTTP, and leaves HTTPS alone. */
export class SidecarTlsOrigination extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'sidecar-tls-origination', {
      title: 'TLS made by the sidecar',
      shows:
        'Plain HTTP to `www.aliyun.com` leaves the sidecar as TLS. The TLS hangs on a subset, so HTTPS that an application makes itself passes untouched, with no second layer.',
      outcomes: [
        {
          request: '`curl http://www.aliyun.com/`',
          seen: '200 without a redirect; the site sees HTTPS; cluster `outbound|443|originate-tls|www.aliyun.com`',
        },
        { request: '`curl https://www.aliyun.com/`', seen: '200; cluster `outbound|443||www.aliyun.com`' },
        { request: '`curl http://hbchen.com/`', seen: 'passes as plain HTTP' },
      ],
    });
    const entry = new ExternalService(this, 'entry-x', {
      hosts: ['www.aliyun.com', 'hbchen.com'],
      ports: [ExternalPort.http(80, { name: 'http-port' }), ExternalPort.https(443, { name: 'https-port' })],
    });
    new SidecarEgress(this, 'Upgrade', {
      service: entry,
      hosts: ['www.aliyun.com'],
      http: HttpEgress.originateTls({ subset: 'originate-tls', destinationRule: 'originate-tls-for-entry' }),
      virtualService: 'rewrite-port-for-entry',
    });
  }
}
