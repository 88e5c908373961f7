package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// pkg is the declarations of a folder: values and functions by name, and which file each is of, for its imports.
type pkg struct {
	folder  string
	values  map[string]declared
	funcs   map[string]function
	types   map[string]ast.Expr
	reading map[string]bool
	known   map[string]any
}

type declared struct {
	expr ast.Expr
	file *ast.File
}

type function struct {
	decl *ast.FuncDecl
	file *ast.File
}

type packages struct {
	modules map[string]string
	byPath  map[string]*pkg
	files   *token.FileSet
}

func newPackages(modules map[string]string) *packages {
	return &packages{modules: modules, byPath: map[string]*pkg{}, files: token.NewFileSet()}
}

// of gives the package of an import path, or nil where no module that was named has it.
func (all *packages) of(path string) *pkg {
	for module, folder := range all.modules {
		if path == module || strings.HasPrefix(path, module+"/") {
			inside := filepath.Join(folder, strings.TrimPrefix(path, module))
			if entries, err := os.ReadDir(inside); err == nil && len(entries) > 0 {
				return all.folder(inside)
			}
		}
	}
	if first, _, _ := cut(path, "/"); !strings.Contains(first, ".") {
		return all.folder(filepath.Join(runtime.GOROOT(), "src", path))
	}
	return nil
}

func (all *packages) folder(folder string) *pkg {
	if known, ok := all.byPath[folder]; ok {
		return known
	}
	made := &pkg{folder: folder, values: map[string]declared{}, funcs: map[string]function{}, types: map[string]ast.Expr{}, reading: map[string]bool{}, known: map[string]any{}}
	all.byPath[folder] = made
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(all.files, filepath.Join(folder, entry.Name()), nil, 0)
		if err != nil {
			continue
		}
		for _, decl := range file.Decls {
			made.declare(decl, file)
		}
	}
	return made
}

func (of *pkg) declare(decl ast.Decl, file *ast.File) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			of.funcs[d.Name.Name] = function{d, file}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				of.types[s.Name.Name] = s.Type
			case *ast.ValueSpec:
				for i, name := range s.Names {
					if i < len(s.Values) {
						of.values[name.Name] = declared{s.Values[i], file}
					}
				}
			}
		}
	}
}

// imported gives the path that a name stands for in a file.
func imported(file *ast.File, name string) string {
	for _, one := range file.Imports {
		path, _ := strconv.Unquote(one.Path.Value)
		if one.Name != nil {
			if one.Name.Name == name {
				return path
			}
			continue
		}
		if last := path[strings.LastIndex(path, "/")+1:]; last == name {
			return path
		}
	}
	return ""
}

func cut(text, at string) (string, string, bool) { return strings.Cut(text, at) }
