package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/printer"
	"go/token"
)

// closure is a function literal with the variables that it sees, or a function of the tests' own package.
type closure struct {
	params *ast.FieldList
	body   *ast.BlockStmt
	sees   *scope
	file   *ast.File
}

func (closure) MarshalJSON() ([]byte, error) { return json.Marshal(map[string]any{"unknown": "func"}) }

// opaque is what cannot be known here, by the expression that would give it.
func opaque(text string) map[string]any { return map[string]any{"unknown": text} }

func isOpaque(value any) bool {
	if object, ok := value.(map[string]any); ok {
		_, unknown := object["unknown"]
		_, call := object["call"]
		return unknown || call
	}
	_, ok := value.(closure)
	return ok
}

func exprText(expr ast.Node) string {
	if expr == nil {
		return ""
	}
	var out bytes.Buffer
	_ = printer.Fprint(&out, token.NewFileSet(), expr)
	return out.String()
}

// scope is variables by name, and those around them.
type scope struct {
	outer *scope
	vars  map[string]any
}

func newScope(outer *scope) *scope { return &scope{outer, map[string]any{}} }

func (s *scope) get(name string) (any, bool) {
	for at := s; at != nil; at = at.outer {
		if value, ok := at.vars[name]; ok {
			return value, true
		}
	}
	return nil, false
}

func (s *scope) set(name string, value any) {
	for at := s; at != nil; at = at.outer {
		if _, ok := at.vars[name]; ok {
			at.vars[name] = value
			return
		}
	}
	s.vars[name] = value
}

// copied is a struct as an assignment copies it; what it holds by pointer is copied with it, which no test here minds.
func copied(value any) any {
	switch v := value.(type) {
	case map[string]any:
		made := make(map[string]any, len(v))
		for key, one := range v {
			made[key] = copied(one)
		}
		return made
	case []any:
		made := make([]any, len(v))
		for i, one := range v {
			made[i] = copied(one)
		}
		return made
	}
	return value
}
