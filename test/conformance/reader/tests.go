package main

import (
	"go/ast"
	"path/filepath"
	"sort"
	"strings"
)

// testsOf gives each ConformanceTest of a folder: its own fields, and what its function does.
func testsOf(all *packages, folder string) []map[string]any {
	of := all.folder(folder)
	names := make([]string, 0, len(of.values))
	for name := range of.values {
		names = append(names, name)
	}
	sort.Strings(names)
	var found []map[string]any
	for _, name := range names {
		literal, ok := of.values[name].expr.(*ast.CompositeLit)
		if !ok || !strings.HasSuffix(exprText(literal.Type), "ConformanceTest") {
			continue
		}
		file := of.values[name].file
		test := map[string]any{"File": filepath.Base(all.files.Position(file.Pos()).Filename)}
		run := &follower{all: all, of: of, file: file}
		for _, element := range literal.Elts {
			field, ok := element.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			key := field.Key.(*ast.Ident).Name
			if key != "Test" {
				test[key] = run.value(field.Value, newScope(nil))
				continue
			}
			value := run.value(field.Value, newScope(nil))
			if body, ok := value.(closure); ok {
				run.call(body, []any{opaque("t"), opaque("suite")})
			}
		}
		test["Calls"] = run.calls
		found = append(found, test)
	}
	return found
}
