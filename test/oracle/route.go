package main

import (
	"net/url"
	"regexp"
	"strings"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"istio.io/istio/pilot/pkg/simulation"
)

// chooseRoute does what the simulation leaves out: it matches routes by method and headers as well as by path, and
// follows a route with several clusters. It gives the request as the route sends it on.
func chooseRoute(sim *simulation.Simulation, h *hop, c call) call {
	virtualHost := findVirtualHost(sim.Routes, h.RouteConfig, h.VirtualHost)
	if virtualHost == nil {
		return c
	}
	for _, r := range virtualHost.Routes {
		if !matches(r.GetMatch(), c) {
			continue
		}
		h.Route, h.Cluster, h.Clusters = r.Name, r.GetRoute().GetCluster(), nil
		heaviest := uint32(0)
		host := r.GetRoute().GetHostRewriteLiteral()
		for _, weighted := range r.GetRoute().GetWeightedClusters().GetClusters() {
			weight := weighted.GetWeight().GetValue()
			h.Clusters = append(h.Clusters, weightedCluster{weighted.Name, weight})
			if weight > heaviest {
				heaviest, h.Cluster = weight, weighted.Name
				if own := weighted.GetHostRewriteLiteral(); own != "" && r.GetRoute().GetHostRewriteLiteral() == "" {
					host = own
				}
			}
		}
		if host != "" {
			c.Host = host
		}
		c.Headers = changedHeaders(r, c.Headers)
		c.Path = changedPath(r, c.Path)
		return c
	}
	h.Route, h.Cluster, h.Error = "", "", simulation.ErrNoRoute.Error()
	return c
}

// changedHeaders are those that a route sends on; headers that only some of its weighted clusters change stay as they are.
func changedHeaders(r *route.Route, headers map[string]string) map[string]string {
	changed := map[string]string{}
	for name, value := range headers {
		changed[strings.ToLower(name)] = value
	}
	for _, name := range r.GetRequestHeadersToRemove() {
		delete(changed, strings.ToLower(name))
	}
	for _, option := range r.GetRequestHeadersToAdd() {
		changed[strings.ToLower(option.GetHeader().GetKey())] = option.GetHeader().GetValue()
	}
	return changed
}

func changedPath(r *route.Route, path string) string {
	plain, query := path, ""
	if mark := strings.IndexByte(path, '?'); mark >= 0 {
		plain, query = path[:mark], path[mark:]
	}
	action := r.GetRoute()
	if rewrite := action.GetRegexRewrite(); rewrite != nil {
		pattern, err := regexp.Compile(rewrite.GetPattern().GetRegex())
		if err != nil {
			return path
		}
		substitution := regexp.MustCompile(`\\(\d)`).ReplaceAllString(rewrite.GetSubstitution(), "$${$1}")
		return pattern.ReplaceAllString(plain, substitution) + query
	}
	if action.GetPrefixRewrite() == "" {
		return path
	}
	switch spec := r.GetMatch().GetPathSpecifier().(type) {
	case *route.RouteMatch_Prefix:
		return action.GetPrefixRewrite() + plain[len(spec.Prefix):] + query
	case *route.RouteMatch_PathSeparatedPrefix:
		return action.GetPrefixRewrite() + plain[len(spec.PathSeparatedPrefix):] + query
	}
	return action.GetPrefixRewrite() + query
}

func findVirtualHost(configs []*route.RouteConfiguration, config, name string) *route.VirtualHost {
	for _, rc := range configs {
		if rc.Name != config {
			continue
		}
		for _, virtualHost := range rc.VirtualHosts {
			if virtualHost.Name == name {
				return virtualHost
			}
		}
	}
	return nil
}

func matches(m *route.RouteMatch, c call) bool {
	path := c.Path
	if path == "" {
		path = "/"
	}
	if query := strings.IndexByte(path, '?'); query >= 0 {
		path = path[:query]
	}
	fold := func(s string) string {
		if m.GetCaseSensitive() != nil && !m.GetCaseSensitive().GetValue() {
			return strings.ToLower(s)
		}
		return s
	}
	switch spec := m.GetPathSpecifier().(type) {
	case *route.RouteMatch_Prefix:
		if !strings.HasPrefix(fold(path), fold(spec.Prefix)) {
			return false
		}
	case *route.RouteMatch_PathSeparatedPrefix:
		if fold(path) != fold(spec.PathSeparatedPrefix) && !strings.HasPrefix(fold(path), fold(spec.PathSeparatedPrefix)+"/") {
			return false
		}
	case *route.RouteMatch_Path:
		if fold(path) != fold(spec.Path) {
			return false
		}
	case *route.RouteMatch_SafeRegex:
		if !wholeMatch(spec.SafeRegex.GetRegex(), path) {
			return false
		}
	}
	for _, header := range m.GetHeaders() {
		if matchesHeader(header, c) == header.GetInvertMatch() {
			return false
		}
	}
	return matchesQuery(m.GetQueryParameters(), c.Path)
}

func matchesQuery(wanted []*route.QueryParameterMatcher, path string) bool {
	_, query, _ := strings.Cut(path, "?")
	given, err := url.ParseQuery(query)
	for _, parameter := range wanted {
		if err != nil || !given.Has(parameter.GetName()) {
			return false
		}
		if parameter.GetStringMatch() != nil && !matchesString(parameter.GetStringMatch(), given.Get(parameter.GetName())) {
			return false
		}
	}
	return true
}

func matchesHeader(m *route.HeaderMatcher, c call) bool {
	value, present := headerOf(m.GetName(), c)
	if spec, ok := m.GetHeaderMatchSpecifier().(*route.HeaderMatcher_PresentMatch); ok {
		return present == spec.PresentMatch
	}
	if !present && !m.GetTreatMissingHeaderAsEmpty() {
		return false
	}
	return matchesString(m.GetStringMatch(), value)
}

func headerOf(name string, c call) (string, bool) {
	switch name {
	case ":method":
		if c.Method == "" {
			return "GET", true
		}
		return c.Method, true
	case ":authority":
		return c.Host, true
	case ":scheme":
		return "http", true
	case ":path":
		return c.Path, true
	}
	for key, value := range c.Headers {
		if strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}

func matchesString(m *matcher.StringMatcher, value string) bool {
	fold := func(s string) string {
		if m.GetIgnoreCase() {
			return strings.ToLower(s)
		}
		return s
	}
	switch pattern := m.GetMatchPattern().(type) {
	case *matcher.StringMatcher_Exact:
		return fold(value) == fold(pattern.Exact)
	case *matcher.StringMatcher_Prefix:
		return strings.HasPrefix(fold(value), fold(pattern.Prefix))
	case *matcher.StringMatcher_Suffix:
		return strings.HasSuffix(fold(value), fold(pattern.Suffix))
	case *matcher.StringMatcher_Contains:
		return strings.Contains(fold(value), fold(pattern.Contains))
	case *matcher.StringMatcher_SafeRegex:
		return wholeMatch(pattern.SafeRegex.GetRegex(), value)
	}
	return false
}

// Envoy's regular expressions match the whole of a value.
func wholeMatch(expression, value string) bool {
	compiled, err := regexp.Compile("^(?:" + expression + ")$")
	return err == nil && compiled.MatchString(value)
}
