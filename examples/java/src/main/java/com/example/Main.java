package com.example;

import io.github.cdk8smeshedge.*;
import java.util.List;
import java.util.Map;
import org.cdk8s.Chart;
import software.constructs.Construct;

public final class Main {
  /** This platform's rule: an external API is called over TLS, by its one name. */
  static final class ExternalApi extends ExternalService {
    ExternalApi(Construct scope, String id, String host) {
      super(
          scope,
          id,
          ExternalServiceProps.builder()
              .hosts(List.of(host))
              .ports(List.of(ExternalPort.https(443)))
              .namespace("platform")
              .build());
    }
  }

  static final class Egress extends Chart {
    Egress(Construct scope, String id) {
      super(scope, id);
      MeshNamespace.Builder.create(this, "Namespace").name("istio-egress").membership(MeshMembership.none()).build();
      var gateway = EgressGateway.Builder.create(this, "Gateway").name("egress").build();
      var stripe = new ExternalApi(this, "Stripe", "api.stripe.com");
      var payments = Workloads.in("shop", Map.of("app", "payments"));
      EgressTrafficPolicy.Builder.create(this, "Policy")
          .gateway(gateway)
          .rules(List.of(EgressTrafficRule.builder().from(List.of(payments)).to(List.of(stripe)).build()))
          .build();
      EgressLockdown.Builder.create(this, "Lockdown").gateway(gateway).namespaces(List.of("shop")).build();
    }
  }

  static final class Ingress extends Chart {
    Ingress(Construct scope, String id) {
      super(scope, id);
      var gateway =
          IngressGateway.Builder.create(this, "Public")
              .namespace("shop")
              .ingressClass(IngressClass.istio())
              .listeners(List.of(IngressListener.http()))
              .build();
      var shop =
          HttpRule.builder()
              .matches(List.of(HttpMatch.prefix("/")))
              .backends(List.of(IngressBackend.service("shop", 8080)))
              .build();
      HttpIngressRoute.Builder.create(this, "Shop")
          .namespace("shop")
          .gateway(gateway)
          .hostnames(List.of("shop.example.com"))
          .rules(List.of(shop))
          .build();
    }
  }

  public static void main(String[] args) {
    var app = new EdgeApp();
    new Egress(app, "egress");
    new Ingress(app, "ingress");
    app.synth();
  }
}
