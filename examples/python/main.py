from cdk8s import Chart
from cdk8s_mesh_edge import (
    EdgeApp,
    EgressGateway,
    EgressLockdown,
    EgressTrafficPolicy,
    EgressTrafficRule,
    ExternalPort,
    ExternalService,
    HttpIngressRoute,
    HttpRule,
    HttpMatch,
    IngressBackend,
    IngressClass,
    IngressGateway,
    IngressListener,
    MeshMembership,
    MeshNamespace,
    Workloads,
)
from constructs import Construct


class ExternalApi(ExternalService):
    """This platform's rule: an external API is called over TLS, by its one name."""

    def __init__(self, scope: Construct, id: str, host: str):
        super().__init__(scope, id, hosts=[host], ports=[ExternalPort.https(443)], namespace="platform")


class Egress(Chart):
    def __init__(self, scope: Construct, id: str):
        super().__init__(scope, id)
        MeshNamespace(self, "Namespace", name="istio-egress", membership=MeshMembership.none())
        gateway = EgressGateway(self, "Gateway", name="egress")
        stripe = ExternalApi(self, "Stripe", "api.stripe.com")
        payments = Workloads.in_("shop", {"app": "payments"})
        EgressTrafficPolicy(self, "Policy", gateway=gateway, rules=[EgressTrafficRule(from_=[payments], to=[stripe])])
        EgressLockdown(self, "Lockdown", gateway=gateway, namespaces=["shop"])


class Ingress(Chart):
    def __init__(self, scope: Construct, id: str):
        super().__init__(scope, id)
        gateway = IngressGateway(
            self,
            "Public",
            namespace="shop",
            ingress_class=IngressClass.istio(),
            listeners=[IngressListener.http()],
        )
        shop = HttpRule(
            matches=[HttpMatch.prefix("/")],
            backends=[IngressBackend.service("shop", 8080)],
        )
        HttpIngressRoute(
            self, "Shop", namespace="shop", gateway=gateway, hostnames=["shop.example.com"], rules=[shop]
        )


app = EdgeApp()
Egress(app, "egress")
Ingress(app, "ingress")
app.synth()
