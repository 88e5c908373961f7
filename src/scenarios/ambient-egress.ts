import { Construct } from 'constructs';
import { EgressLockdown } from '../egress/egress-lockdown';
import { EgressWaypoint } from '../egress/egress-waypoint';
import { HttpEgress } from '../egress/egress-ways';
import { ExternalPort } from '../egress/external-port';
import { ExternalService } from '../egress/external-service';
import { WaypointTrafficPolicy } from '../egress/waypoint-traffic-policy';
import { MeshMembership } from '../mesh/mesh-membership';
import { MeshNamespace } from '../mesh/mesh-namespace';
import { TlsCredential } from '../mesh/tls-credential';
import { Workloads } from '../mesh/workloads';
import { ScenarioChart } from './scenario';

/** Ambient mode: what an egress gateway does for sidecars, done by a waypoint. */
export class AmbientEgress extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'ambient-egress', {
      title: 'Ambient mode: who may reach what, through a waypoint',
      shows:
        'Workloads of `shop` have no sidecars. What they dial of the registered hosts is led by ztunnel through a waypoint in `istio-egress`, which knows every caller by its certificate, makes TLS of plain HTTP, and shows a client certificate where a partner asks for one. Nobody passes it whom no rule names. What is not registered is held by NetworkPolicies: ztunnel itself would let it out.',
      outcomes: [
        {
          request: '`curl http://edition.cnn.com/` from service account `storefront`',
          seen: 'passes; the site sees HTTPS',
        },
        { request: '`curl https://edition.cnn.com/` from `storefront`', seen: 'passes, in the application’s own TLS' },
        {
          request: 'either from any other service account',
          seen: '403 from the waypoint; a closed connection for HTTPS',
        },
        {
          request: '`curl http://partner.example.com/` from service account `payments`',
          seen: 'passes; the site sees the waypoint’s client certificate',
        },
        {
          request: '`curl -X DELETE http://partner.example.com/` from `payments`',
          seen: '403: the rule allows GET and POST',
        },
        {
          request: 'a connection of `payments` to `db.example.com:5432`',
          seen: 'passes; of `storefront`: closed at its first byte',
        },
        { request: 'a host that nobody registered', seen: 'dropped by the network' },
      ],
      needs: [
        'Istio in ambient mode (`istioctl install --set profile=ambient`), with DNS capture, which is its default',
        'a network plugin that enforces NetworkPolicies',
        'the Secret `partner-client` in `istio-egress` (`tls.crt`, `tls.key`, `ca.crt`)',
      ],
    });
    new MeshNamespace(this, 'istio-egress', { membership: MeshMembership.none() });
    new MeshNamespace(this, 'shop', { membership: MeshMembership.ambient() });
    const namespace = 'istio-egress';
    const waypoint = new EgressWaypoint(this, 'egress', { namespace });
    const cnn = new ExternalService(this, 'cnn', {
      hosts: ['edition.cnn.com'],
      ports: [ExternalPort.http(), ExternalPort.https()],
      namespace,
    });
    const partner = new ExternalService(this, 'partner', {
      hosts: ['partner.example.com'],
      ports: [ExternalPort.http(80, { targetPort: 443 })],
      namespace,
    });
    const database = new ExternalService(this, 'database', {
      hosts: ['db.example.com'],
      ports: [ExternalPort.tcp(5432)],
      namespace,
    });
    const storefront = Workloads.serviceAccount('shop', 'storefront');
    const payments = Workloads.serviceAccount('shop', 'payments');
    const credential = TlsCredential.fromSecretName('partner-client');
    new WaypointTrafficPolicy(this, 'Policy', {
      waypoint,
      rules: [
        { from: [storefront], to: [cnn], http: HttpEgress.originateTls() },
        { from: [payments], to: [partner], http: HttpEgress.originateMutualTls(credential), methods: ['GET', 'POST'] },
        { from: [payments], to: [database] },
      ],
    });
    new EgressLockdown(this, 'lockdown', { gateway: waypoint, namespaces: ['shop'] });
  }
}
