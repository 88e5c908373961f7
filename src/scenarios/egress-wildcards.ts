import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { EgressTrafficPolicy } from '../egress/egress-traffic-policy';
import { HttpEgress } from '../egress/egress-ways';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { Resolution } from '../egress/resolution';
import { Workloads } from '../mesh/workloads';
import { ScenarioChart } from './scenario';

/** Domains whose hosts nobody lists. */
export class EgressWildcards extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'egress-wildcards', {
      title: 'Wildcards, from the sidecar and through the gateway',
      shows:
        'Any host of `wikipedia.org` is reached straight from the sidecar, at the address that the application dialled (resolution NONE). A gateway does not know that address. Where one host serves the whole domain, as `edge.cdn.example.com` does for `*.cdn.example.com`, the gateway sends to that one. Where each host has an address of its own, as in `*.mirror.example.com`, the gateway resolves the name that was asked for, by an EnvoyFilter. In both, TLS of the application passes by its SNI, and the gateway makes TLS of plain HTTP with the SNI of the host that was asked for.',
      outcomes: [
        {
          request: '`curl http://en.wikipedia.org/`, `curl https://www.wikipedia.org/`',
          seen: 'pass from the sidecar: `outbound|80||*.wikipedia.org`, `outbound|443||*.wikipedia.org`',
        },
        {
          request: '`curl https://en.cdn.example.com/`',
          seen: 'passes the gateway unopened, to the address of `edge.cdn.example.com`',
        },
        {
          request: '`curl http://en.cdn.example.com/`',
          seen: 'leaves the gateway as TLS with the SNI `en.cdn.example.com`, to the same address',
        },
        {
          request: '`curl https://eu.mirror.example.com/`, `curl https://us.mirror.example.com/`',
          seen: 'pass the gateway unopened, each to its own address',
        },
        {
          request: '`curl http://eu.mirror.example.com/`',
          seen: 'leaves the gateway as TLS with the SNI `eu.mirror.example.com`, to the address of that name',
        },
        {
          request: '`curl http://eu.mirror.example.com:22/`, or with such a Host header',
          seen: '502 from the sidecar, 403 from the gateway: no port but the one that was allowed',
        },
        { request: '`curl https://wikipedia.org.example.com/`, or any other name', seen: 'reset by the sidecar' },
      ],
      needs: ['an egress gateway `istio-egressgateway` in `istio-system` (see `egress-gateway-install`)'],
    });
    const ports = [ExternalPort.http(), ExternalPort.https()];
    const all = [Workloads.in('default')];
    const wikipedia = new ExternalService(this, 'wikipedia', { hosts: ['*.wikipedia.org'], ports });
    const cdn = new ExternalService(this, 'cdn', {
      hosts: ['*.cdn.example.com'],
      ports,
      resolution: Resolution.dns({ address: 'edge.cdn.example.com' }),
    });
    const mirror = new ExternalService(this, 'mirror', {
      hosts: ['*.mirror.example.com'],
      ports,
      resolution: Resolution.dynamicForwardProxy(),
    });
    new EgressTrafficPolicy(this, 'Policy', {
      gateway: EgressGateway.fromInstalled(this, 'Gateway'),
      rules: [
        { from: all, to: [wikipedia], direct: true },
        { from: all, to: [cdn, mirror], http: HttpEgress.originateTls() },
      ],
    });
  }
}
