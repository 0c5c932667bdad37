//go:build ignore

// Count prints how large the module is: the exported names, methods and fields of each
// public package, and the files and lines of each folder, tests apart.
//
//	go run scripts/count.go
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

var public = []string{"platform", "sockopt", "dialer", "listener", "transport", "inspect", "align", "discover"}

func main() {
	log.SetFlags(0)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer w.Flush()

	fmt.Fprintln(w, "package\tnames\tmethods\tfields\t")
	var total exported
	for _, folder := range public {
		e := exportedOf(folder)
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t\n", folder, len(e.names), e.methods, e.fields)
		total.methods += e.methods
		total.fields += e.fields
		for name := range e.names {
			total.add(folder + "." + name)
		}
	}
	fmt.Fprintf(w, "all\t%d\t%d\t%d\t\n\n", len(total.names), total.methods, total.fields)

	fmt.Fprintln(w, "folder\tfiles\tlines\ttest files\ttest lines\t")
	sizes := sizesOf(".")
	var all size
	for _, folder := range slices.Sorted(maps.Keys(sizes)) {
		s := sizes[folder]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", folder, s.files, s.lines, s.testFiles, s.testLines)
		all = size{all.files + s.files, all.lines + s.lines, all.testFiles + s.testFiles, all.testLines + s.testLines}
	}
	fmt.Fprintf(w, "all\t%d\t%d\t%d\t%d\t\n", all.files, all.lines, all.testFiles, all.testLines)
}

// exported is what a package exports on all systems together.
type exported struct {
	names           map[string]bool // of constants, variables, functions and types
	methods, fields int
}

func (e *exported) add(name string) {
	if e.names == nil {
		e.names = map[string]bool{}
	}
	if ast.IsExported(name) || strings.Contains(name, ".") {
		e.names[name] = true
	}
}

func exportedOf(folder string) (e exported) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		log.Fatal(err)
	}
	methods := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			log.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					e.add(d.Name.Name)
				} else if r := receiver(d); ast.IsExported(r) && d.Name.IsExported() {
					methods[r+"."+d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					e.addSpec(s)
				}
			}
		}
	}
	e.methods = len(methods)
	return e
}

func (e *exported) addSpec(s ast.Spec) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			e.add(name.Name)
		}
	case *ast.TypeSpec:
		e.add(s.Name.Name)
		t, ok := s.Type.(*ast.StructType)
		if !ok || !s.Name.IsExported() {
			return
		}
		for _, field := range t.Fields.List {
			for _, name := range field.Names {
				if name.IsExported() {
					e.fields++
				}
			}
		}
	}
}

func receiver(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

type size struct{ files, lines, testFiles, testLines int }

// sizesOf counts the files of Go below a folder, by the first two parts of their path.
func sizesOf(root string) map[string]*size {
	sizes := map[string]*size{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		parts := strings.Split(filepath.ToSlash(filepath.Dir(path)), "/")
		folder := strings.Join(parts[:min(len(parts), 2)], "/")
		s := sizes[folder]
		if s == nil {
			s = &size{}
			sizes[folder] = s
		}
		lines := strings.Count(string(text), "\n")
		if strings.HasSuffix(path, "_test.go") {
			s.testFiles++
			s.testLines += lines
		} else {
			s.files++
			s.lines += lines
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	return sizes
}
