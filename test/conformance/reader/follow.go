package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strings"
)

// follower goes through the statements of a test, and notes which helpers are called with what.
type follower struct {
	all    *packages
	of     *pkg
	file   *ast.File
	calls  []map[string]any
	within []string
	maybe  int
	depth  int
}

type leaving int

const (
	on leaving = iota
	returned
	nextRound
	leftLoop
)

// helper is a function of the tests' own package that states something; what it does itself is not followed.
var helper = regexp.MustCompile(`Must|^WaitFor|^wait|^Expect|^expect|^dial|^Got|^verify`)

func (f *follower) call(fn closure, args []any) (any, leaving) {
	if f.depth > 30 || fn.body == nil {
		return opaque("deep"), on
	}
	inner := newScope(fn.sees)
	at := 0
	if fn.params != nil {
		for _, field := range fn.params.List {
			_, variadic := field.Type.(*ast.Ellipsis)
			for _, name := range field.Names {
				switch {
				case variadic && at < len(args):
					inner.vars[name.Name] = append([]any{}, args[at:]...)
					at = len(args)
				case at < len(args):
					inner.vars[name.Name] = args[at]
					at++
				default:
					inner.vars[name.Name] = opaque(name.Name)
				}
			}
		}
	}
	before := f.file
	f.file = fn.file
	f.depth++
	f.result(inner, nil)
	f.block(fn.body.List, inner)
	f.depth--
	f.file = before
	value, ok := inner.vars["return"]
	if !ok || value == nil {
		return opaque("nothing"), on
	}
	return value, on
}

func (f *follower) result(in *scope, value any) { in.vars["return"] = value }

func (f *follower) block(list []ast.Stmt, in *scope) leaving {
	for _, statement := range list {
		if left := f.statement(statement, in); left != on {
			return left
		}
	}
	return on
}

func (f *follower) statement(statement ast.Stmt, in *scope) leaving {
	switch s := statement.(type) {
	case *ast.ExprStmt:
		f.value(s.X, in)
		if call, ok := s.X.(*ast.CallExpr); ok && stops(call) {
			return returned
		}
	case *ast.AssignStmt:
		f.assign(s, in)
	case *ast.DeclStmt:
		if decl, ok := s.Decl.(*ast.GenDecl); ok {
			f.declare(decl, in)
		}
	case *ast.BlockStmt:
		return f.block(s.List, newScope(in))
	case *ast.DeferStmt:
		f.value(s.Call, in)
	case *ast.GoStmt:
		f.value(s.Call, in)
	case *ast.ReturnStmt:
		var values []any
		for _, one := range s.Results {
			values = append(values, f.value(one, in))
		}
		if len(values) > 0 {
			for at := in; at != nil; at = at.outer {
				if _, ok := at.vars["return"]; ok {
					at.vars["return"] = values[0]
					break
				}
			}
		}
		return returned
	case *ast.BranchStmt:
		if s.Tok == token.CONTINUE {
			return nextRound
		}
		if s.Tok == token.BREAK {
			return leftLoop
		}
	case *ast.IfStmt:
		return f.condition(s, in)
	case *ast.RangeStmt:
		return f.overRange(s, in)
	case *ast.ForStmt:
		return f.loop(s, in)
	case *ast.SwitchStmt:
		return f.choice(s, in)
	case *ast.IncDecStmt:
		if name, ok := s.X.(*ast.Ident); ok {
			if number, ok := f.value(name, in).(int64); ok {
				in.set(name.Name, number+map[token.Token]int64{token.INC: 1, token.DEC: -1}[s.Tok])
			}
		}
	}
	return on
}

// stops tells whether a call ends a test.
func stops(call *ast.CallExpr) bool {
	text := exprText(call.Fun)
	return strings.HasSuffix(text, ".Fatal") || strings.HasSuffix(text, ".Fatalf") || strings.HasSuffix(text, ".FailNow") || strings.HasSuffix(text, ".Skip") || text == "panic"
}

func (f *follower) declare(decl *ast.GenDecl, in *scope) {
	for _, spec := range decl.Specs {
		value, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for i, name := range value.Names {
			if i < len(value.Values) {
				in.vars[name.Name] = copied(f.value(value.Values[i], in))
			} else {
				in.vars[name.Name] = zero(value.Type)
			}
		}
	}
}

func zero(kind ast.Expr) any {
	switch exprText(kind) {
	case "string":
		return ""
	case "int", "int32", "int64":
		return int64(0)
	case "bool":
		return false
	}
	if _, ok := kind.(*ast.ArrayType); ok {
		return []any{}
	}
	return map[string]any{}
}

func (f *follower) assign(s *ast.AssignStmt, in *scope) {
	var values []any
	for _, one := range s.Rhs {
		values = append(values, copied(f.value(one, in)))
	}
	for i, target := range s.Lhs {
		value := any(opaque(exprText(target)))
		if len(values) == len(s.Lhs) {
			value = values[i]
		} else if len(values) == 1 && i == 0 {
			value = values[0]
		} else if len(values) == 1 {
			// The second result of a call is as unknown as it, and never an error that one has to follow.
			value = opaque(fmt.Sprintf("result %d of %s", i, exprText(s.Rhs[0])))
		}
		switch t := target.(type) {
		case *ast.Ident:
			if t.Name == "_" {
				continue
			}
			if s.Tok == token.DEFINE {
				in.vars[t.Name] = value
			} else if s.Tok == token.ASSIGN {
				in.set(t.Name, value)
			} else {
				in.set(t.Name, opaque(t.Name))
			}
		case *ast.SelectorExpr:
			if holder, ok := f.value(t.X, in).(map[string]any); ok && !isOpaque(holder) {
				holder[t.Sel.Name] = value
			} else if ident, ok := t.X.(*ast.SelectorExpr); ok {
				if outer, ok := f.value(ident.X, in).(map[string]any); ok && !isOpaque(outer) {
					outer[ident.Sel.Name] = map[string]any{t.Sel.Name: value}
				}
			}
		case *ast.IndexExpr:
			holder := f.value(t.X, in)
			if object, ok := holder.(map[string]any); ok && !isOpaque(holder) {
				object[fmt.Sprint(f.value(t.Index, in))] = value
			}
		}
	}
}

func (f *follower) condition(s *ast.IfStmt, in *scope) leaving {
	inner := newScope(in)
	if s.Init != nil {
		f.statement(s.Init, inner)
	}
	switch known := f.value(s.Cond, inner).(type) {
	case bool:
		if known {
			return f.block(s.Body.List, newScope(inner))
		}
		if s.Else != nil {
			return f.statement(s.Else, inner)
		}
		return on
	}
	// Nobody knows: what only gives up is passed by, and the rest may happen.
	if !givesUp(s.Body) {
		f.maybe++
		f.block(s.Body.List, newScope(inner))
		f.maybe--
	}
	if s.Else != nil {
		f.maybe++
		f.statement(s.Else, inner)
		f.maybe--
	}
	return on
}

func givesUp(body *ast.BlockStmt) bool {
	if len(body.List) == 0 {
		return true
	}
	switch last := body.List[len(body.List)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	case *ast.ExprStmt:
		call, ok := last.X.(*ast.CallExpr)
		return ok && (stops(call) || strings.HasPrefix(exprText(call.Fun), "t.Error") || strings.HasPrefix(exprText(call.Fun), "t.Log"))
	}
	return false
}

func (f *follower) overRange(s *ast.RangeStmt, in *scope) leaving {
	over := f.value(s.X, in)
	bind := func(round *scope, at, value any) {
		if name, ok := s.Key.(*ast.Ident); ok && name.Name != "_" {
			round.vars[name.Name] = at
		}
		if name, ok := s.Value.(*ast.Ident); ok && name.Name != "_" {
			round.vars[name.Name] = value
		}
	}
	switch all := over.(type) {
	case []any:
		for at, value := range all {
			round := newScope(in)
			bind(round, int64(at), copied(value))
			if left := f.block(s.Body.List, round); left == returned {
				return returned
			} else if left == leftLoop {
				break
			}
		}
		return on
	case map[string]any:
		if !isOpaque(all) {
			for _, key := range sortedKeys(all) {
				round := newScope(in)
				bind(round, key, copied(all[key]))
				f.block(s.Body.List, round)
			}
			return on
		}
	}
	f.maybe++
	round := newScope(in)
	bind(round, opaque("at"), opaque("one of "+exprText(s.X)))
	f.block(s.Body.List, round)
	f.maybe--
	return on
}

// loop goes through a counted loop once: a test repeats what it asks.
func (f *follower) loop(s *ast.ForStmt, in *scope) leaving {
	inner := newScope(in)
	if s.Init != nil {
		f.statement(s.Init, inner)
	}
	for rounds := 0; rounds < 200; rounds++ {
		if s.Cond == nil {
			break
		}
		known, ok := f.value(s.Cond, inner).(bool)
		if !ok || !known || s.Post == nil {
			if ok && !known {
				return on
			}
			break
		}
		if left := f.block(s.Body.List, newScope(inner)); left == returned {
			return returned
		} else if left == leftLoop {
			return on
		}
		f.statement(s.Post, inner)
	}
	if s.Cond == nil || s.Post == nil {
		f.block(s.Body.List, newScope(inner))
	}
	return on
}

// choice follows the clause that a known value names, or else any of them.
func (f *follower) choice(s *ast.SwitchStmt, in *scope) leaving {
	inner := newScope(in)
	if s.Init != nil {
		f.statement(s.Init, inner)
	}
	var tag any = true
	if s.Tag != nil {
		tag = f.value(s.Tag, inner)
	}
	var other *ast.CaseClause
	known := !isOpaque(tag)
	for _, one := range s.Body.List {
		clause := one.(*ast.CaseClause)
		if clause.List == nil {
			other = clause
		}
		for _, expr := range clause.List {
			value := f.value(expr, inner)
			if isOpaque(value) {
				known = false
			} else if known && value == tag {
				return f.clause(clause, inner)
			}
		}
	}
	if known && other != nil {
		return f.clause(other, inner)
	}
	if known {
		return on
	}
	f.maybe++
	for _, one := range s.Body.List {
		f.clause(one.(*ast.CaseClause), inner)
	}
	f.maybe--
	return on
}

// clause ends with a break or without one.
func (f *follower) clause(of *ast.CaseClause, in *scope) leaving {
	if left := f.block(of.Body, newScope(in)); left != leftLoop {
		return left
	}
	return on
}
