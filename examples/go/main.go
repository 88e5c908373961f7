package main

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	edge "github.com/cdk8s-mesh-edge/cdk8s-mesh-edge-go/meshedge"
	"github.com/cdk8s-team/cdk8s-core-go/cdk8s/v2"
)

// NewExternalApi is this platform's rule: an external API is called over TLS, by its one name.
func NewExternalApi(scope constructs.Construct, id string, host string) edge.ExternalService {
	return edge.NewExternalService(scope, &id, &edge.ExternalServiceProps{
		Hosts:     jsii.Strings(host),
		Ports:     &[]edge.ExternalPort{edge.ExternalPort_Https(jsii.Number(443), nil)},
		Namespace: jsii.String("platform"),
	})
}

func NewEgress(scope constructs.Construct, id string) cdk8s.Chart {
	chart := cdk8s.NewChart(scope, &id, nil)
	edge.NewMeshNamespace(chart, jsii.String("Namespace"), &edge.MeshNamespaceProps{
		Name:       jsii.String("istio-egress"),
		Membership: edge.MeshMembership_None(),
	})
	gateway := edge.NewEgressGateway(chart, jsii.String("Gateway"), &edge.EgressGatewayProps{Name: jsii.String("egress")})
	stripe := NewExternalApi(chart, "Stripe", "api.stripe.com")
	payments := edge.Workloads_In(jsii.String("shop"), &map[string]*string{"app": jsii.String("payments")}, nil)
	edge.NewEgressTrafficPolicy(chart, jsii.String("Policy"), &edge.EgressTrafficPolicyProps{
		Gateway: gateway,
		Rules:   &[]*edge.EgressTrafficRule{{From: &[]edge.Workloads{payments}, To: &[]edge.IExternalService{stripe}}},
	})
	edge.NewEgressLockdown(chart, jsii.String("Lockdown"), &edge.EgressLockdownProps{
		Gateway:    gateway,
		Namespaces: jsii.Strings("shop"),
	})
	return chart
}

func NewIngress(scope constructs.Construct, id string) cdk8s.Chart {
	chart := cdk8s.NewChart(scope, &id, nil)
	gateway := edge.NewIngressGateway(chart, jsii.String("Public"), &edge.IngressGatewayProps{
		Namespace:    jsii.String("shop"),
		IngressClass: edge.IngressClass_Istio(),
		Listeners:    &[]edge.IngressListener{edge.IngressListener_Http(nil)},
	})
	edge.NewHttpIngressRoute(chart, jsii.String("Shop"), &edge.HttpIngressRouteProps{
		Namespace: jsii.String("shop"),
		Gateway:   gateway,
		Hostnames: jsii.Strings("shop.example.com"),
		Rules: &[]*edge.HttpRule{{
			Matches:  &[]edge.HttpMatch{edge.HttpMatch_Prefix(jsii.String("/"), nil)},
			Backends: &[]edge.IngressBackend{edge.IngressBackend_Service(jsii.String("shop"), jsii.Number(8080), nil)},
		}},
	})
	return chart
}

func main() {
	defer jsii.Close()
	app := edge.NewEdgeApp(nil)
	NewEgress(app, "egress")
	NewIngress(app, "ingress")
	app.Synth()
}
