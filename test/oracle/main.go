// Command mesh-oracle says what a mesh does with a request, by istiod's own configuration generation and Istio's own
// traffic simulation. It needs no network and no rights.
//
// Standard input has one JSON request a line:
//
//	{"yaml": "...", "mesh": "...", "calls": [{"from": "app/sleep", "host": "example.com", "address": "203.0.113.10",
//	  "port": 80, "path": "/", "method": "GET", "headers": {"x-a": "b"}, "tls": "plaintext|tls", "protocol": "http|http2|tcp",
//	  "sni": ""}], "show": ["app/sleep"]}
//
// Standard output has one JSON reply a line, in order:
//
//	{"ms": 40, "error": "", "invalid": [], "results": [{"hops": [{"proxy": "app/sleep", "listener": "...",
//	  "filterChain": "...", "routeConfig": "...", "virtualHost": "...", "route": "...", "cluster": "...",
//	  "clusterType": "...", "clusters": [], "upstreamTls": "...", "upstreamSni": "...", "layers": ["tls example.com"],
//	  "tunnel": "", "endpoints": [], "error": ""}]}], "configs": {"app/sleep": {"listeners": [], "routes": [], "clusters": [], "endpoints": []}}}
//
// "layers" are the TLS sessions around a request as it leaves a proxy, the innermost first; "tunnel" what a CONNECT
// asks its proxy for. "configs" has, for each proxy of "show", what istiod sends it, as protobuf's JSON.
//
// The proxies are the Pods in the YAML: a router where its annotation inject.istio.io/templates is "gateway" or its label
// istio names a gateway, a waypoint where its label gateway.istio.io/managed says so (with PILOT_ENABLE_AMBIENT=true in the
// environment, as for istiod), a sidecar otherwise. A call from a router enters at that gateway.
//
// What the simulation leaves out: authorization, faults, TLS handshakes and certificates, weights (the heaviest cluster is followed,
// all are listed in "clusters"), and what happens after a cluster is chosen, but for one with no endpoints (error "UH").
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"time"

	"istio.io/istio/pkg/log"
)

type call struct {
	From, Host, Address, Path, Method, TLS, Protocol, Sni string
	Headers                                               map[string]string
	Port                                                  int
}

type request struct {
	Yaml, Mesh string
	Calls      []call
	Show       []string
}

type hop struct {
	Proxy       string            `json:"proxy"`
	Listener    string            `json:"listener,omitempty"`
	FilterChain string            `json:"filterChain,omitempty"`
	RouteConfig string            `json:"routeConfig,omitempty"`
	VirtualHost string            `json:"virtualHost,omitempty"`
	Route       string            `json:"route,omitempty"`
	Cluster     string            `json:"cluster,omitempty"`
	ClusterType string            `json:"clusterType,omitempty"`
	Clusters    []weightedCluster `json:"clusters,omitempty"`
	UpstreamTLS string            `json:"upstreamTls,omitempty"`
	UpstreamSNI string            `json:"upstreamSni,omitempty"`
	Layers      []string          `json:"layers,omitempty"`
	Endpoints   []string          `json:"endpoints,omitempty"`
	Tunnel      string            `json:"tunnel,omitempty"`
	Error       string            `json:"error,omitempty"`
}

type weightedCluster struct {
	Name   string `json:"name"`
	Weight uint32 `json:"weight"`
}

type result struct {
	Hops []hop `json:"hops"`
}

type reply struct {
	Ms      int64    `json:"ms"`
	Error   string   `json:"error,omitempty"`
	Invalid []string `json:"invalid,omitempty"`
	Results []result `json:"results"`

	Configs map[string]sent `json:"configs,omitempty"`
}

func answer(line []byte) (rep reply) {
	start := time.Now()
	defer func() { rep.Ms = time.Since(start).Milliseconds() }()
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return reply{Error: err.Error()}
	}
	objects, err := parse(req.Yaml)
	if err != nil {
		return reply{Error: err.Error()}
	}
	rep.Invalid = objects.invalid
	err = inWorld(objects, req.Mesh, func(w *world) {
		for _, c := range req.Calls {
			rep.Results = append(rep.Results, result{Hops: w.follow(c)})
		}
		rep.Configs = w.show(req.Show)
	})
	if err != nil {
		rep.Error = err.Error()
	}
	return rep
}

func main() {
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel)
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 1 {
			if err := out.Encode(answer(line)); err != nil {
				os.Exit(1)
			}
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			os.Exit(1)
		}
	}
}
