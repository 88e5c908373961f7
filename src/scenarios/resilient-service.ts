import { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { EgressGateway } from '../egress/egress-gateway';
import { HttpEgress } from '../egress/egress-ways';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { ScenarioChart } from './scenario';

/** An external service that may be slow or fail, and a gateway that waits, tries again and gives up in time. */
export class ResilientService extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'resilient-service', {
      title: 'Timeouts, retries and limits towards an external service',
      shows:
        'Plain HTTP to `httpbin.org` leaves the gateway as TLS. The gateway waits 2 s in all, sends a request that got 503 twice more, and leaves out an address that failed ten times in a row. All of it holds at the gateway alone: the sidecar in front of it has no timeout, and retries only what never left it.',
      outcomes: [
        { request: '`curl http://httpbin.org/get`', seen: '200; the site sees HTTPS' },
        { request: 'a path that the site answers with 503', seen: '503; the site sees three requests' },
        { request: 'a path that the site answers too slowly', seen: '504 after 2 s, with flag UT at the gateway' },
      ],
      needs: ['an egress gateway `istio-egressgateway` in `istio-system` (see `egress-gateway-install`)'],
    });
    const httpbin = new ExternalService(this, 'Httpbin', {
      hosts: ['httpbin.org'],
      ports: [ExternalPort.http(80, { targetPort: 443 })],
    });
    EgressGateway.fromInstalled(this, 'Gateway').forward(httpbin, {
      http: HttpEgress.originateTls(),
      upstream: {
        timeout: Duration.seconds(2),
        retries: { attempts: 2, on: ['503', 'connect-failure', 'refused-stream'] },
        connections: { maxConnections: 100, connectTimeout: Duration.seconds(1) },
        outlierDetection: { consecutiveGatewayErrors: 10, baseEjectionTime: Duration.seconds(30) },
      },
    });
  }
}
