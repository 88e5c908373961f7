package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"sort"
	"strconv"
	"strings"
)

func sortedKeys(of map[string]any) []string {
	keys := make([]string, 0, len(of))
	for key := range of {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func (f *follower) value(expr ast.Expr, in *scope) any {
	switch e := expr.(type) {
	case *ast.BasicLit:
		return literal(e)
	case *ast.ParenExpr:
		return f.value(e.X, in)
	case *ast.UnaryExpr:
		value := f.value(e.X, in)
		if known, ok := value.(bool); ok && e.Op == token.NOT {
			return !known
		}
		if e.Op == token.AND {
			return value
		}
		if number, ok := value.(int64); ok && e.Op == token.SUB {
			return -number
		}
		return opaque(exprText(e))
	case *ast.StarExpr:
		return f.value(e.X, in)
	case *ast.Ident:
		return f.ident(e, in)
	case *ast.SelectorExpr:
		return f.selector(e, in)
	case *ast.CompositeLit:
		return f.composite(e, e.Type, in)
	case *ast.FuncLit:
		return closure{e.Type.Params, e.Body, in, f.file}
	case *ast.CallExpr:
		return f.called(e, in)
	case *ast.IndexExpr:
		return f.index(e, in)
	case *ast.BinaryExpr:
		return f.binary(e, in)
	case *ast.TypeAssertExpr:
		return f.value(e.X, in)
	}
	return opaque(exprText(expr))
}

func literal(e *ast.BasicLit) any {
	switch e.Kind {
	case token.STRING:
		text, _ := strconv.Unquote(e.Value)
		return text
	case token.INT:
		number, err := strconv.ParseInt(e.Value, 0, 64)
		if err == nil {
			return number
		}
	case token.FLOAT:
		number, err := strconv.ParseFloat(e.Value, 64)
		if err == nil {
			return number
		}
	}
	return opaque(e.Value)
}

func (f *follower) ident(e *ast.Ident, in *scope) any {
	switch e.Name {
	case "true":
		return true
	case "false":
		return false
	case "nil":
		return nil
	}
	if value, ok := in.get(e.Name); ok {
		return value
	}
	return f.declaredIn(f.of, e.Name)
}

// declaredIn gives a constant or variable of a package.
func (f *follower) declaredIn(of *pkg, name string) any {
	if known, ok := of.known[name]; ok {
		return copied(known)
	}
	if found, ok := of.values[name]; ok && !of.reading[name] {
		of.reading[name] = true
		quiet := &follower{all: f.all, of: of, file: found.file}
		value := quiet.value(found.expr, newScope(nil))
		of.reading[name] = false
		of.known[name] = value
		return copied(value)
	}
	if found, ok := of.funcs[name]; ok {
		return closure{found.decl.Type.Params, found.decl.Body, nil, found.file}
	}
	return opaque(name)
}

func (f *follower) selector(e *ast.SelectorExpr, in *scope) any {
	if name, ok := e.X.(*ast.Ident); ok {
		if _, variable := in.get(name.Name); !variable {
			if path := f.importOf(name.Name); path != "" {
				if of := f.all.of(path); of != nil {
					if _, ok := of.values[e.Sel.Name]; ok {
						return f.declaredIn(of, e.Sel.Name)
					}
				}
				return opaque(exprText(e))
			}
		}
	}
	holder := f.value(e.X, in)
	if object, ok := holder.(map[string]any); ok {
		if !isOpaque(object) {
			if value, ok := object[e.Sel.Name]; ok {
				return value
			}
			if e.Sel.Name == "Request" || e.Sel.Name == "Response" {
				made := map[string]any{}
				object[e.Sel.Name] = made
				return made
			}
			return nil
		}
	}
	return opaque(exprText(e))
}

func (f *follower) importOf(name string) string {
	if f.file == nil {
		return ""
	}
	return imported(f.file, name)
}

func (f *follower) composite(e *ast.CompositeLit, kind ast.Expr, in *scope) any {
	switch t := kind.(type) {
	case *ast.ArrayType:
		made := []any{}
		for _, element := range e.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok {
				element = pair.Value
			}
			made = append(made, f.element(element, t.Elt, in))
		}
		return made
	case *ast.MapType:
		made := map[string]any{}
		for _, element := range e.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok {
				made[fmt.Sprint(f.value(pair.Key, in))] = f.element(pair.Value, t.Value, in)
			}
		}
		return made
	case *ast.StarExpr:
		return f.composite(e, t.X, in)
	}
	if name, ok := kind.(*ast.Ident); ok {
		if named, ok := f.of.types[name.Name]; ok {
			if _, is := named.(*ast.StructType); !is {
				return f.composite(e, named, in)
			}
		}
	}
	made := map[string]any{}
	if kind != nil {
		made["type"] = exprText(kind)
	}
	for _, element := range e.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := pair.Key.(*ast.Ident); ok {
			made[key.Name] = f.element(pair.Value, nil, in)
		}
	}
	if structure, ok := kind.(*ast.StructType); ok {
		fields := names(structure)
		for at, element := range e.Elts {
			if _, keyed := element.(*ast.KeyValueExpr); !keyed && at < len(fields) {
				made[fields[at]] = f.element(element, nil, in)
			}
		}
	}
	return made
}

func names(of *ast.StructType) []string {
	var found []string
	for _, field := range of.Fields.List {
		for _, name := range field.Names {
			found = append(found, name.Name)
		}
	}
	return found
}

// element is one of a list or map, whose type need not be written again.
func (f *follower) element(element, kind ast.Expr, in *scope) any {
	if inner, ok := element.(*ast.CompositeLit); ok && inner.Type == nil {
		return f.composite(inner, kind, in)
	}
	return f.value(element, in)
}

func (f *follower) index(e *ast.IndexExpr, in *scope) any {
	holder, at := f.value(e.X, in), f.value(e.Index, in)
	if list, ok := holder.([]any); ok {
		if number, ok := at.(int64); ok && number >= 0 && int(number) < len(list) {
			return list[number]
		}
	}
	if object, ok := holder.(map[string]any); ok && !isOpaque(object) {
		if value, ok := object[fmt.Sprint(at)]; ok {
			return value
		}
	}
	if isOpaque(holder) {
		return map[string]any{"unknown": exprText(e), "of": holder}
	}
	return opaque(exprText(e))
}

func (f *follower) binary(e *ast.BinaryExpr, in *scope) any {
	left, right := f.value(e.X, in), f.value(e.Y, in)
	if a, ok := left.(string); ok {
		if b, ok := right.(string); ok {
			switch e.Op {
			case token.ADD:
				return a + b
			case token.EQL:
				return a == b
			case token.NEQ:
				return a != b
			}
		}
	}
	if a, ok := left.(int64); ok {
		if b, ok := right.(int64); ok {
			switch e.Op {
			case token.ADD:
				return a + b
			case token.SUB:
				return a - b
			case token.MUL:
				return a * b
			case token.LSS:
				return a < b
			case token.GTR:
				return a > b
			case token.LEQ:
				return a <= b
			case token.EQL:
				return a == b
			case token.NEQ:
				return a != b
			}
		}
	}
	if a, ok := left.(bool); ok {
		if e.Op == token.LAND && !a {
			return false
		}
		if e.Op == token.LOR && a {
			return true
		}
		if b, ok := right.(bool); ok {
			return b
		}
	}
	if !isOpaque(left) && !isOpaque(right) && (left == nil || right == nil) {
		switch e.Op {
		case token.EQL:
			return left == nil && right == nil
		case token.NEQ:
			return (left == nil) != (right == nil)
		}
	}
	// An error that a helper might return is never there.
	if name, ok := e.X.(*ast.Ident); ok && name.Name == "err" && right == nil {
		return e.Op == token.EQL
	}
	return opaque(exprText(e))
}

// conversions of a value to another type, by the last part of their names.
var conversions = map[string]bool{
	"string": true, "byte": true, "int": true, "int32": true, "int64": true, "float64": true, "To": true,
	"GroupPtr": true, "KindPtr": true, "NamespacePtr": true, "SectionNamePtr": true, "PortNumPtr": true,
	"Group": true, "Kind": true, "Namespace": true, "ObjectName": true, "SectionName": true, "PortNumber": true, "Hostname": true,
}

func (f *follower) called(e *ast.CallExpr, in *scope) any {
	text := exprText(e.Fun)
	last := text[strings.LastIndex(text, ".")+1:]
	var args []any
	for i, one := range e.Args {
		value := f.value(one, in)
		if list, ok := value.([]any); ok && e.Ellipsis.IsValid() && i == len(e.Args)-1 {
			args = append(args, list...)
			continue
		}
		args = append(args, value)
	}
	if _, ok := e.Fun.(*ast.ArrayType); ok && len(args) == 1 {
		return args[0]
	}
	switch {
	case len(args) == 1 && conversions[last]:
		return args[0]
	case text == "len":
		if list, ok := args[0].([]any); ok {
			return int64(len(list))
		}
		return opaque(text)
	case text == "append":
		if list, ok := args[0].([]any); ok {
			return append(append([]any{}, list...), args[1:]...)
		}
		return opaque(text)
	case text == "new" || text == "make":
		return map[string]any{}
	case text == "fmt.Sprintf":
		return formatted(args, text)
	case text == "strings.Repeat" && len(args) == 2:
		if one, ok := args[0].(string); ok {
			if times, ok := args[1].(int64); ok {
				return strings.Repeat(one, int(times))
			}
		}
	case text == "strings.ToLower" && len(args) == 1:
		if whole, ok := args[0].(string); ok {
			return strings.ToLower(whole)
		}
	case text == "strings.Split" && len(args) == 2:
		if whole, ok := args[0].(string); ok {
			if at, ok := args[1].(string); ok {
				parts := []any{}
				for _, part := range strings.Split(whole, at) {
					parts = append(parts, part)
				}
				return parts
			}
		}
	case text == "net.JoinHostPort" && len(args) == 2:
		if host, ok := args[0].(string); ok {
			if port, ok := args[1].(string); ok {
				return host + ":" + port
			}
		}
		return map[string]any{"call": text, "args": args}
	case text == "t.Run" && len(args) == 2:
		f.within = append(f.within, fmt.Sprint(args[0]))
		if body, ok := args[1].(closure); ok {
			f.call(body, []any{opaque("t")})
		}
		f.within = f.within[:len(f.within)-1]
		return nil
	case text == "t.Log", text == "t.Logf", text == "tlog.Logf", text == "t.Helper", text == "t.Parallel":
		return nil
	}
	if fn, ok := f.value(e.Fun, in).(closure); ok && !helper.MatchString(last) {
		value, _ := f.call(fn, args)
		return value
	}
	return f.noted(e, text, args, in)
}

func formatted(args []any, text string) any {
	for _, one := range args {
		if isOpaque(one) {
			return map[string]any{"call": text, "args": args}
		}
	}
	if format, ok := args[0].(string); ok {
		return fmt.Sprintf(format, args[1:]...)
	}
	return opaque(text)
}

// noted is a call that nothing here can follow: it is kept, and functions that it was given may be called by it.
func (f *follower) noted(e *ast.CallExpr, text string, args []any, in *scope) any {
	made := map[string]any{"call": text, "args": args}
	if selected, ok := e.Fun.(*ast.SelectorExpr); ok {
		if name, ok := selected.X.(*ast.Ident); ok {
			if holder, variable := in.get(name.Name); variable {
				made["on"] = holder
			}
		}
	}
	f.calls = append(f.calls, map[string]any{
		"call": text, "args": copied(args), "on": made["on"], "within": append([]string{}, f.within...),
		"maybe": f.maybe > 0, "line": f.all.files.Position(e.Pos()).Line,
	})
	for _, one := range args {
		if fn, ok := one.(closure); ok {
			f.within = append(f.within, "func of "+text)
			f.call(fn, nil)
			f.within = f.within[:len(f.within)-1]
		}
	}
	return made
}
