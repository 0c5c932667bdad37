//go:build ignore

// Checkdoc lists the exported names without a doc comment in the packages given
// as directories, and fails if there are any. It reads every file but tests,
// for whatever operating system; staticcheck only judges comments that exist.
//
//	go run scripts/checkdoc.go platform sockopt
//
// A constant or variable also counts as documented by the comment on its group
// or behind it on its line.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	fset := token.NewFileSet()
	missing := 0
	report := func(name *ast.Ident, docs ...*ast.CommentGroup) {
		if !name.IsExported() {
			return
		}
		for _, doc := range docs {
			if doc.Text() != "" {
				return
			}
		}
		missing++
		fmt.Printf("%s: %s has no doc comment\n", fset.Position(name.Pos()), name.Name)
	}
	for _, dir := range os.Args[1:] {
		paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(paths) == 0 {
			log.Fatalf("%s: no Go files (%v)", dir, err)
		}
		packageDoc := false
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
			if err != nil {
				log.Fatal(err)
			}
			packageDoc = packageDoc || file.Doc.Text() != ""
			for _, decl := range file.Decls {
				switch d := decl.(type) {
				case *ast.FuncDecl:
					if d.Recv == nil || receiver(d.Recv.List[0].Type).IsExported() {
						report(d.Name, d.Doc)
					}
				case *ast.GenDecl:
					checkSpecs(d, report)
				}
			}
		}
		if !packageDoc {
			missing++
			fmt.Printf("%s: the package has no doc comment\n", dir)
		}
	}
	if missing > 0 {
		os.Exit(1)
	}
}

func checkSpecs(d *ast.GenDecl, report func(*ast.Ident, ...*ast.CommentGroup)) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			doc := s.Doc
			if !d.Lparen.IsValid() {
				doc = d.Doc
			}
			report(s.Name, doc)
			if t, ok := s.Type.(*ast.InterfaceType); ok && s.Name.IsExported() {
				for _, method := range t.Methods.List {
					for _, name := range method.Names {
						report(name, method.Doc, method.Comment)
					}
				}
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				report(name, d.Doc, s.Doc, s.Comment)
			}
		}
	}
}

// receiver returns the type's name in T, *T, T[P] and *T[P].
func receiver(t ast.Expr) *ast.Ident {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	}
	return t.(*ast.Ident)
}
