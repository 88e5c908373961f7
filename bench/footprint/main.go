// Command footprint says what istiod would push to each proxy of a mesh: YAML in, one JSON line for each Pod out, with
// the number and the size of its clusters, listeners, routes and endpoints. The configuration is istiod's own; only the
// Kubernetes API is a fake.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"google.golang.org/protobuf/proto"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/cluster"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/log"
	"istio.io/istio/pkg/test"
)

// pushed is what one proxy gets. Bytes are those of the protobuf messages.
type pushed struct {
	Pod       string `json:"pod"`
	Clusters  int    `json:"clusters"`
	Listeners int    `json:"listeners"`
	Bytes     int    `json:"bytes"`
	CDS       int    `json:"cds"`
	LDS       int    `json:"lds"`
	RDS       int    `json:"rds"`
	EDS       int    `json:"eds"`
}

type world struct {
	kube, configs []string
	pods          []*corev1.Pod
}

func parse(text string) (*world, error) {
	w := &world{}
	for _, document := range strings.Split("\n"+text, "\n---") {
		var head struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			return nil, err
		}
		switch {
		case head.Kind == "":
			continue
		case strings.Contains(head.APIVersion, "istio.io/"):
			w.configs = append(w.configs, document)
			continue
		case head.Kind == "Pod":
			pod := &corev1.Pod{}
			if err := yaml.Unmarshal([]byte(document), pod); err != nil {
				return nil, err
			}
			w.pods = append(w.pods, pod)
		}
		w.kube = append(w.kube, document)
	}
	return w, nil
}

func (w *world) measure(t test.Failer, report func(pushed)) {
	config, err := mesh.ApplyMeshConfig("outboundTrafficPolicy: {mode: REGISTRY_ONLY}", mesh.DefaultMeshConfig())
	if err != nil {
		t.Fatal(err)
	}
	server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
		KubernetesObjectString:     strings.Join(w.kube, "\n---\n"),
		ConfigString:               strings.Join(w.configs, "\n---\n"),
		MeshConfig:                 config,
		DisableSecretAuthorization: true,
	})
	for _, pod := range w.pods {
		kind := model.SidecarProxy
		if pod.Annotations["inject.istio.io/templates"] == "gateway" {
			kind = model.Router
		}
		proxy := server.SetupProxy(&model.Proxy{
			ID:              pod.Name + "." + pod.Namespace,
			Type:            kind,
			IPAddresses:     []string{pod.Status.PodIP},
			ConfigNamespace: pod.Namespace,
			Labels:          pod.Labels,
			DNSDomain:       pod.Namespace + ".svc.cluster.local",
			Metadata: &model.NodeMetadata{
				Namespace: pod.Namespace, Labels: pod.Labels, ClusterID: cluster.ID("Kubernetes"), ServiceAccount: pod.Spec.ServiceAccountName,
			},
		})
		p := pushed{Pod: pod.Namespace + "/" + pod.Name}
		clusters, listeners := server.Clusters(proxy), server.Listeners(proxy)
		p.Clusters, p.Listeners = len(clusters), len(listeners)
		p.CDS, p.LDS, p.RDS, p.EDS = size(clusters), size(listeners), size(server.Routes(proxy)), size(server.Endpoints(proxy))
		p.Bytes = p.CDS + p.LDS + p.RDS + p.EDS
		report(p)
	}
}

func size[M proto.Message](messages []M) (bytes int) {
	for _, m := range messages {
		bytes += proto.Size(m)
	}
	return bytes
}

func main() {
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel)
	}
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		var w *world
		if w, err = parse(string(text)); err == nil {
			out := json.NewEncoder(os.Stdout)
			err = test.Wrap(func(t test.Failer) { w.measure(t, func(p pushed) { _ = out.Encode(p) }) })
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
