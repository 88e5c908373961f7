package main

import (
	"encoding/json"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/xds/endpoints"
	"istio.io/istio/pilot/test/xdstest"
	// Registers the types that are inside what istiod sends.
	_ "istio.io/istio/pkg/config/xds"
)

// sent is what istiod sends a proxy.
type sent struct {
	Listeners []json.RawMessage `json:"listeners"`
	Routes    []json.RawMessage `json:"routes"`
	Clusters  []json.RawMessage `json:"clusters"`
	// Of clusters that are told their endpoints.
	Endpoints []json.RawMessage `json:"endpoints"`
}

func (w *world) show(proxies []string) map[string]sent {
	configs := map[string]sent{}
	for _, name := range proxies {
		if w.proxies[name] == nil {
			continue
		}
		sim := w.simulation(name)
		configs[name] = sent{
			asJSON(sim.Listeners), asJSON(sim.Routes), asJSON(sim.Clusters), asJSON(w.told(w.proxies[name], sim.Clusters)),
		}
	}
	return configs
}

// told gives the endpoints that istiod tells a proxy for its clusters.
func (w *world) told(proxy *model.Proxy, clusters []*cluster.Cluster) (all []*endpoint.ClusterLoadAssignment) {
	for _, name := range xdstest.ExtractEdsClusterNames(clusters) {
		builder := endpoints.NewEndpointBuilder(name, proxy, w.server.PushContext())
		all = append(all, builder.BuildClusterLoadAssignment(w.server.Discovery.Env.EndpointIndex))
	}
	return all
}

func asJSON[M proto.Message](messages []M) (all []json.RawMessage) {
	for _, message := range messages {
		text, err := protojson.Marshal(message)
		if err != nil {
			text, _ = json.Marshal(map[string]string{"error": err.Error()})
		}
		all = append(all, text)
	}
	return all
}
