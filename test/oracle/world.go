package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	metadatafake "k8s.io/client-go/metadata/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/gateway-api/pkg/consts"
	"sigs.k8s.io/yaml"

	"istio.io/api/label"
	networking "istio.io/api/networking/v1alpha3"
	clientnetworking "istio.io/client-go/pkg/apis/networking/v1"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/simulation"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/cluster"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/constants"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/config/schema/gvr"
	kubelib "istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/kube/kclient/clienttest"
	"istio.io/istio/pkg/test"
)

const domain = "cluster.local"

// objects are the parsed documents of a request.
type objects struct {
	configs []config.Config // istio.io
	kube    []string        // the rest, as YAML
	pods    []*corev1.Pod
	invalid []string // what istiod's validation says
}

func parse(text string) (*objects, error) {
	o := &objects{}
	for _, document := range strings.Split("\n"+text, "\n---") {
		var head struct {
			APIVersion, Kind string
			Metadata         struct{ Name string }
		}
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			return nil, err
		}
		switch {
		case head.Kind == "":
			continue
		case strings.Contains(head.APIVersion, "istio.io/"):
			o.addConfig(document, head.Kind+"/"+head.Metadata.Name)
			continue
		case head.Kind == "Pod":
			pod := &corev1.Pod{}
			if err := yaml.Unmarshal([]byte(document), pod); err != nil {
				return nil, fmt.Errorf("Pod/%s: %v", head.Metadata.Name, err)
			}
			o.pods = append(o.pods, pod)
		}
		o.kube = append(o.kube, document)
	}
	return o, nil
}

func (o *objects) addConfig(document, name string) {
	configs, _, err := crd.ParseInputs(document)
	if err != nil {
		o.invalid = append(o.invalid, fmt.Sprintf("%s: %v", name, err))
		return
	}
	for _, c := range configs {
		if kind, ok := collections.Pilot.FindByGroupVersionAliasesKind(c.GroupVersionKind); ok {
			if _, err := kind.ValidateConfig(c); err != nil {
				o.invalid = append(o.invalid, fmt.Sprintf("%s: %v", name, err))
			}
		}
		// As istiod's own store does: without it a short host name stays short.
		c.Domain = domain
		o.configs = append(o.configs, c)
	}
}

// world is a mesh whose proxies have their configuration.
type world struct {
	server  *xds.FakeDiscoveryServer
	proxies map[string]*model.Proxy
	byIP    map[string]string
	sims    map[string]*simulation.Simulation

	capturesDNS bool
}

// inWorld builds the mesh, calls visit, and takes the mesh down. The fake Kubernetes client panics on what it cannot
// take (duplicates, fields it does not know): that is the input's error, not the end of the oracle.
func inWorld(o *objects, meshYaml string, visit func(*world)) (err error) {
	meshConfig := mesh.DefaultMeshConfig()
	if meshYaml != "" {
		if meshConfig, err = mesh.ApplyMeshConfig(meshYaml, meshConfig); err != nil {
			return err
		}
	}
	var panicked error
	wrapped := test.Wrap(func(t test.Failer) {
		defer func() {
			if e := recover(); e != nil {
				panicked = fmt.Errorf("%v", e)
			}
		}()
		w := &world{
			server: xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
				KubernetesObjectString:     strings.Join(o.kube, "\n---\n"),
				Configs:                    o.configs,
				MeshConfig:                 meshConfig,
				DisableSecretAuthorization: true,
				KubeClientModifier: func(c kubelib.Client) {
					releaseGatewayAPI(t, c)
					storeEntries(t, c, o.configs)
					storeMachines(t, c, o.configs)
				},
			}),
			proxies: map[string]*model.Proxy{},
			byIP:    map[string]string{},
			sims:    map[string]*simulation.Simulation{},

			// What a Pod's agent would take from its environment.
			capturesDNS: meshConfig.GetDefaultConfig().GetProxyMetadata()["ISTIO_META_DNS_CAPTURE"] == "true",
		}
		for _, pod := range o.pods {
			w.addProxy(pod)
		}
		visit(w)
	})
	return errors.Join(panicked, wrapped)
}

// releaseGatewayAPI says of which release the CRDs are that istiod reads from a certain one on: without that it ignores their objects.
// GATEWAY_API_BUNDLE names another than that of the pinned istiod; later ones read TLSRoutes and TCPRoutes by their releases too.
func releaseGatewayAPI(t test.Failer, c kubelib.Client) {
	bundle, resources := "v1.4.0", []schema.GroupVersionResource{gvr.GRPCRoute, gvr.BackendTLSPolicy}
	if other := os.Getenv("GATEWAY_API_BUNDLE"); other != "" {
		bundle, resources = other, append(resources, gvr.TLSRoute, gvr.TCPRoute)
	}
	release := map[string]string{consts.BundleVersionAnnotation: bundle}
	for _, resource := range resources {
		clienttest.MakeCRDWithAnnotations(t, c, resource, release)
	}
	// The fake server makes some of them anew, and says nothing of a release.
	fake := c.Metadata().(*metadatafake.FakeMetadataClient)
	fake.PrependReactor("update", "customresourcedefinitions", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return true, action.(clienttesting.UpdateAction).GetObject(), nil
	})
}

// storeEntries puts the ServiceEntries where routes of the Gateway API look for their parents and backends, which is no store of configuration.
func storeEntries(t test.Failer, c kubelib.Client, configs []config.Config) {
	for _, one := range configs {
		spec, isEntry := one.Spec.(*networking.ServiceEntry)
		if !isEntry {
			continue
		}
		entry := &clientnetworking.ServiceEntry{ObjectMeta: one.ToObjectMeta(), Spec: *spec.DeepCopy()} //nolint:govet
		if _, err := c.Istio().NetworkingV1().ServiceEntries(one.Namespace).Create(context.Background(), entry, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// storeMachines puts the WorkloadEntries where the ambient mesh looks for workloads.
func storeMachines(t test.Failer, c kubelib.Client, configs []config.Config) {
	for _, one := range configs {
		spec, isMachine := one.Spec.(*networking.WorkloadEntry)
		if !isMachine {
			continue
		}
		entry := &clientnetworking.WorkloadEntry{ObjectMeta: one.ToObjectMeta(), Spec: *spec.DeepCopy()} //nolint:govet
		if _, err := c.Istio().NetworkingV1().WorkloadEntries(one.Namespace).Create(context.Background(), entry, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) addProxy(pod *corev1.Pod) {
	kind := model.SidecarProxy
	if pod.Annotations["inject.istio.io/templates"] == "gateway" || strings.Contains(pod.Labels["istio"], "gateway") {
		kind = model.Router
	}
	if pod.Labels[label.GatewayManaged.Name] == constants.ManagedGatewayMeshControllerLabel {
		kind = model.Waypoint
	}
	key := pod.Namespace + "/" + pod.Name
	addresses := []string{pod.Status.PodIP}
	for _, own := range pod.Status.PodIPs {
		if own.IP != pod.Status.PodIP {
			addresses = append(addresses, own.IP)
		}
	}
	for _, address := range addresses {
		w.byIP[address] = key
	}
	w.proxies[key] = w.server.SetupProxy(&model.Proxy{
		ID:              pod.Name + "." + pod.Namespace,
		Type:            kind,
		IPAddresses:     addresses,
		ConfigNamespace: pod.Namespace,
		Labels:          pod.Labels,
		DNSDomain:       pod.Namespace + ".svc." + domain,
		Metadata: &model.NodeMetadata{
			Namespace:      pod.Namespace,
			Labels:         pod.Labels,
			ClusterID:      cluster.ID("Kubernetes"),
			ServiceAccount: pod.Spec.ServiceAccountName,
			DNSCapture:     model.StringBool(w.capturesDNS),
		},
	})
}

func (w *world) simulation(proxy string) *simulation.Simulation {
	if w.sims[proxy] == nil {
		sim := simulation.NewSimulation(&testing.T{}, w.server, w.proxies[proxy])
		// Chains of gateways have no names, by which the one that matched is found again.
		for _, l := range sim.Listeners {
			for i, chain := range l.FilterChains {
				if chain.Name == "" {
					chain.Name = "chain-" + strconv.Itoa(i)
				}
			}
		}
		w.sims[proxy] = sim
	}
	return w.sims[proxy]
}
