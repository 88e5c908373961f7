import { Chart } from 'cdk8s';
import {
  EdgeApp,
  EgressGateway,
  EgressLockdown,
  EgressTrafficPolicy,
  ExternalPort,
  ExternalService,
  HttpIngressRoute,
  HttpMatch,
  IngressBackend,
  IngressClass,
  IngressGateway,
  IngressListener,
  MeshMembership,
  MeshNamespace,
  Workloads,
} from 'cdk8s-mesh-edge';
import { Construct } from 'constructs';

/** This platform's rule: an external API is called over TLS, by its one name. */
class ExternalApi extends ExternalService {
  public constructor(scope: Construct, id: string, host: string) {
    super(scope, id, { hosts: [host], ports: [ExternalPort.https(443)], namespace: 'platform' });
  }
}

class Egress extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);
    new MeshNamespace(this, 'Namespace', { name: 'istio-egress', membership: MeshMembership.none() });
    const gateway = new EgressGateway(this, 'Gateway', { name: 'egress' });
    const stripe = new ExternalApi(this, 'Stripe', 'api.stripe.com');
    new EgressTrafficPolicy(this, 'Policy', {
      gateway,
      rules: [{ from: [Workloads.in('shop', { app: 'payments' })], to: [stripe] }],
    });
    new EgressLockdown(this, 'Lockdown', { gateway, namespaces: ['shop'] });
  }
}

class Ingress extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);
    const gateway = new IngressGateway(this, 'Public', {
      namespace: 'shop',
      ingressClass: IngressClass.istio(),
      listeners: [IngressListener.http()],
    });
    new HttpIngressRoute(this, 'Shop', {
      namespace: 'shop',
      gateway,
      hostnames: ['shop.example.com'],
      rules: [{ matches: [HttpMatch.prefix('/')], backends: [IngressBackend.service('shop', 8080)] }],
    });
  }
}

const app = new EdgeApp();
new Egress(app, 'egress');
new Ingress(app, 'ingress');
app.synth();
