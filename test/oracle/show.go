package main

import (
	"encoding/json"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	// Registers the types that are inside what istiod sends.
	_ "istio.io/istio/pkg/config/xds"
)

// sent is what istiod sends a proxy.
type sent struct {
	Listeners []json.RawMessage `json:"listeners"`
	Routes    []json.RawMessage `json:"routes"`
	Clusters  []json.RawMessage `json:"clusters"`
}

func (w *world) show(proxies []string) map[string]sent {
	configs := map[string]sent{}
	for _, name := range proxies {
		if w.proxies[name] == nil {
			continue
		}
		sim := w.simulation(name)
		configs[name] = sent{asJSON(sim.Listeners), asJSON(sim.Routes), asJSON(sim.Clusters)}
	}
	return configs
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
