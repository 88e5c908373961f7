package core_test

// Writes what Istio's simulation tests ask and expect, one JSON object a line, to the file that MESH_EDGE_DUMP names.

import (
	"encoding/json"
	"os"
	"sync"
	"testing"

	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/simulation"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/util/protomarshal"
)

type dumpedResult struct {
	Error, Listener, FilterChain, RouteConfig, VirtualHost, Cluster string
}

type dumpedCall struct {
	Name, Address, Path, Protocol, TLS, Alpn, Host, Sni, Mode, Skip string
	Port                                                            int
	Expected, Actual                                                dumpedResult
}

type dumpedCase struct {
	Test, Config, Kube, Mesh, Type, Namespace, Scope string
	Labels                                    map[string]string
	Addresses                                 []string
	Calls                                     []dumpedCall
	Route                                     string
	Hosts                                     map[string][]string
}

var dumping sync.Mutex

func dump(t *testing.T, proxy *model.Proxy, o xds.FakeOptions, one dumpedCase) {
	one.Test, one.Type, one.Namespace, one.Scope = t.Name(), string(proxy.Type), proxy.Metadata.Namespace, proxy.ConfigNamespace
	one.Labels, one.Addresses = proxy.Labels, proxy.IPAddresses
	if len(one.Labels) == 0 {
		one.Labels = proxy.Metadata.Labels
	}
	if o.MeshConfig != nil {
		text, err := protomarshal.ToYAML(o.MeshConfig)
		if err != nil {
			t.Fatal(err)
		}
		one.Mesh = text
	}
	line, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	dumping.Lock()
	defer dumping.Unlock()
	file, err := os.OpenFile(os.Getenv("MESH_EDGE_DUMP"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
}

func resultOf(r simulation.Result) dumpedResult {
	text := ""
	if r.Error != nil {
		text = r.Error.Error()
	}
	return dumpedResult{text, r.ListenerMatched, r.FilterChainMatched, r.RouteConfigMatched, r.VirtualHostMatched, r.ClusterMatched}
}

func dumpSimulation(t *testing.T, proxy *model.Proxy, o xds.FakeOptions, config, kube string, sim *simulation.Simulation, calls []simulation.Expect) {
	one := dumpedCase{Config: config, Kube: kube}
	for _, expect := range calls {
		call := expect.Call.FillDefaults()
		one.Calls = append(one.Calls, dumpedCall{
			Name: expect.Name, Address: call.Address, Path: call.Path, Protocol: string(call.Protocol), TLS: string(call.TLS),
			Alpn: call.Alpn, Host: call.Headers.Get("Host"), Sni: call.Sni, Mode: string(call.CallMode), Skip: expect.Result.Skip,
			Port: call.Port, Expected: resultOf(expect.Result), Actual: resultOf(sim.Run(expect.Call)),
		})
	}
	dump(t, proxy, o, one)
}

func dumpRoutes(t *testing.T, proxy *model.Proxy, config, route string, hosts map[string][]string) {
	dump(t, proxy, xds.FakeOptions{}, dumpedCase{Config: config, Route: route, Hosts: hosts})
}
