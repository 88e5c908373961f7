package main

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"

	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/simulation"
	"istio.io/istio/pilot/test/xdstest"
)

// A request passes a sidecar and at most a few gateways; more hops than this go in a circle.
const maxHops = 8

// layer is one TLS session around a request, or none.
type layer struct {
	mode simulation.TLSMode
	sni  string
}

var plaintext = layer{mode: simulation.Plaintext}

// envelope is the TLS around a request as it travels: the application's own inside, a proxy's around it.
type envelope []layer

func (e envelope) outer() layer {
	if len(e) == 0 {
		return plaintext
	}
	return e[len(e)-1]
}

func (e envelope) names() (names []string) {
	for _, l := range e {
		names = append(names, strings.TrimSpace(string(l.mode)+" "+l.sni))
	}
	return names
}

// noSNI stands for a session without one: no server name of a filter chain is like it.
const noSNI = "-"

func (w *world) follow(c call) (hops []hop) {
	var tlsAround envelope
	if c.TLS == string(simulation.TLS) {
		sni := c.Sni
		if sni == "" {
			sni = c.Host
		}
		tlsAround = envelope{{mode: simulation.TLS, sni: sni}}
	}
	at, address, port, protocol := c.From, c.Address, c.Port, simulation.Protocol(c.Protocol)
	spokeHTTP := false
	for len(hops) < maxHops {
		h := hop{Proxy: at}
		proxy := w.proxies[at]
		if proxy == nil {
			h.Error = "no such pod"
			return append(hops, h)
		}
		mode := simulation.CallModeOutbound
		if proxy.Type == model.Router {
			mode = simulation.CallModeGateway
		}
		outer := tlsAround.outer()
		headers := http.Header{}
		for name, value := range c.Headers {
			headers.Set(name, value)
		}
		sim := w.simulation(at)
		sni := outer.sni
		if sni == "" && len(hops) > 0 && !spokeHTTP {
			// The simulation would put the host in its place, which Envoy does (auto_sni) for HTTP only.
			sni = noSNI
		}
		res := run(sim, simulation.Call{
			Address: address, Port: port, Path: withoutQuery(c.Path), HostHeader: c.Host, Headers: headers,
			Protocol: protocol, TLS: outer.mode, Sni: sni, CallMode: mode,
		})
		h.Listener, h.FilterChain, h.RouteConfig = res.ListenerMatched, res.FilterChainMatched, res.RouteConfigMatched
		h.VirtualHost, h.Route, h.Cluster = res.VirtualHostMatched, res.RouteMatched, res.ClusterMatched
		if res.Error != nil {
			h.Error = res.Error.Error()
		}
		// A chain with a transport socket of its own ends the outer session. What is inside then has to be readable.
		chain := chainOf(sim, h, outer.sni)
		ends := chain.GetTransportSocket() != nil
		if ends && len(tlsAround) > 0 {
			tlsAround = tlsAround[:len(tlsAround)-1]
		}
		if ends && h.RouteConfig != "" && len(tlsAround) > 0 {
			h.VirtualHost, h.Route, h.Cluster, h.Error = "", "", "", simulation.ErrProtocolError.Error()
		}
		if h.Error != "" {
			return append(hops, h)
		}
		h.Tunnel = tunnelOf(chain, h)
		c = chooseRoute(sim, &h, c)
		target := find(sim.Clusters, h.Cluster)
		if target == nil {
			return append(hops, h)
		}
		h.ClusterType = target.GetType().String()
		endpoints := w.endpoints(proxy, target)
		for _, e := range endpoints {
			h.Endpoints = append(h.Endpoints, fmt.Sprintf("%s:%d", e.ip, e.port))
		}
		if added, ok := upstreamTLS(target, endpoints); ok {
			tlsAround = append(append(envelope{}, tlsAround...), added)
		}
		spokeHTTP = h.VirtualHost != ""
		h.UpstreamTLS, h.UpstreamSNI = string(tlsAround.outer().mode), tlsAround.outer().sni
		h.Layers = tlsAround.names()
		if len(endpoints) == 0 && needsEndpoints(target) {
			h.Error = "UH"
		}
		hops = append(hops, h)
		if h.Error != "" || h.Tunnel != "" { // the simulation knows nothing of CONNECT
			return hops
		}
		if own := loopback(proxy, endpoints); own != nil { // the gateway calls itself
			address, port = own.ip, own.port
			continue
		}
		next := w.router(endpoints)
		if next == nil {
			return hops
		}
		at, address, port = w.byIP[next.ip], next.ip, next.port
	}
	return hops
}

// withoutQuery gives the path as routes are matched: the simulation would take a query for a part of it.
func withoutQuery(path string) string {
	plain, _, _ := strings.Cut(path, "?")
	return plain
}

// run asks the simulation, which panics on input that it was not made for.
func run(sim *simulation.Simulation, c simulation.Call) (res simulation.Result) {
	defer func() {
		if e := recover(); e != nil {
			res.Error = fmt.Errorf("%v", e)
		}
	}()
	return sim.Run(c)
}

func find(clusters []*cluster.Cluster, name string) *cluster.Cluster {
	for _, c := range clusters {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// chainOf gives the filter chain that matched. Chains need not have names, so one is known by where it leads, and among
// several that lead there by the name that the client asked for. One with a transport socket of its own decrypts.
func chainOf(sim *simulation.Simulation, h hop, sni string) *listener.FilterChain {
	var found *listener.FilterChain
	for _, l := range sim.Listeners {
		if l.Name != h.Listener {
			continue
		}
		for _, chain := range append(l.FilterChains, l.DefaultFilterChain) {
			if chain == nil || chain.Name != h.FilterChain || !leadsTo(chain, h) {
				continue
			}
			if found == nil || slices.Contains(chain.GetFilterChainMatch().GetServerNames(), sni) {
				found = chain
			}
		}
	}
	return found
}

// tunnelOf gives what a chain that proxies TCP asks of an HTTP CONNECT proxy, if it does.
func tunnelOf(chain *listener.FilterChain, h hop) string {
	if chain == nil || h.RouteConfig != "" {
		return ""
	}
	return xdstest.ExtractTCPProxy(&testing.T{}, chain).GetTunnelingConfig().GetHostname()
}

func leadsTo(chain *listener.FilterChain, h hop) bool {
	t := &testing.T{}
	if h.RouteConfig == "" {
		proxy := xdstest.ExtractTCPProxy(t, chain)
		return proxy != nil && proxy.GetCluster() == h.Cluster
	}
	manager := xdstest.ExtractHTTPConnectionManager(t, chain)
	return manager != nil && manager.GetRds().GetRouteConfigName() == h.RouteConfig
}

type target struct {
	ip         string
	port       int
	mutualAuto bool // the endpoint's metadata asks for the automatic mutual TLS socket
}

func (w *world) endpoints(proxy *model.Proxy, c *cluster.Cluster) (targets []target) {
	assignments := w.server.Endpoints(proxy)
	if c.LoadAssignment != nil {
		assignments = append(assignments, c.LoadAssignment)
	}
	for _, assignment := range assignments {
		if assignment.ClusterName != c.Name {
			continue
		}
		for _, locality := range assignment.Endpoints {
			for _, e := range locality.LbEndpoints {
				targets = append(targets, describe(e))
			}
		}
	}
	return targets
}

func describe(e *endpoint.LbEndpoint) target {
	address := e.GetEndpoint().GetAddress().GetSocketAddress()
	match := e.GetMetadata().GetFilterMetadata()["envoy.transport_socket_match"]
	return target{
		ip:         address.GetAddress(),
		port:       int(address.GetPortValue()),
		mutualAuto: match.GetFields()["tlsMode"].GetStringValue() == "istio",
	}
}

func needsEndpoints(c *cluster.Cluster) bool {
	switch c.GetType() {
	case cluster.Cluster_EDS, cluster.Cluster_STATIC:
		return c.Name != "BlackHoleCluster"
	default:
		return false
	}
}

// router gives the first endpoint that is a gateway of this mesh.
func (w *world) router(targets []target) *target {
	for _, t := range targets {
		if proxy := w.proxies[w.byIP[t.ip]]; proxy != nil && proxy.Type == model.Router {
			return &t
		}
	}
	return nil
}

// loopback gives the endpoint by which a gateway hands a connection to another listener of its own.
func loopback(proxy *model.Proxy, targets []target) *target {
	for _, t := range targets {
		if ip := net.ParseIP(t.ip); proxy.Type == model.Router && ip != nil && ip.IsLoopback() {
			return &t
		}
	}
	return nil
}

// upstreamTLS gives the session that the cluster opens to its endpoints, if any.
func upstreamTLS(c *cluster.Cluster, targets []target) (layer, bool) {
	socket := c.TransportSocket
	if len(targets) > 0 && targets[0].mutualAuto {
		for _, match := range c.TransportSocketMatches {
			if match.Name == "tlsMode-istio" {
				socket = match.TransportSocket
			}
		}
	}
	if socket.GetTypedConfig() == nil {
		return plaintext, false
	}
	context := &tls.UpstreamTlsContext{}
	if socket.GetTypedConfig().UnmarshalTo(context) != nil {
		return plaintext, false
	}
	for _, secret := range context.GetCommonTlsContext().GetTlsCertificateSdsSecretConfigs() {
		if secret.Name == "default" {
			return layer{simulation.MTLS, context.Sni}, true
		}
	}
	return layer{simulation.TLS, context.Sni}, true
}
