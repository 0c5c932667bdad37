package keepalive_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	quoted     = regexp.MustCompile("`([^`]+)`")
	identifier = regexp.MustCompile(`^(?:\w+\.)?\w+$`)
)

// Every file and every name of code in the walks of CONTRIBUTING exists. A file without a
// folder is in one that the same walk names before, a name with a dot is pkg.Name,
// Type.Method or Type.field. Names of the standard library and of /proc are not checked.
func TestWhatTheWalksNameExists(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("CONTRIBUTING.md")
	require.NoError(t, err)
	_, walks, found := strings.Cut(string(text), "\n### Three walks\n")
	require.True(t, found)
	walks, _, found = strings.Cut(walks, "\n## ")
	require.True(t, found)

	declared := declarations(t)
	files := 0
	for walk := range strings.SplitSeq(walks, "\n1. ") {
		var folders []string
		for _, m := range quoted.FindAllStringSubmatch(walk, -1) {
			switch name := m[1]; {
			case strings.HasPrefix(name, "/"), strings.HasPrefix(name, "net."), strings.HasPrefix(name, "*net."), strings.HasPrefix(name, "syscall."):
			case strings.HasSuffix(name, ".go") && !strings.Contains(name, "/"):
				files++
				assert.True(t, existsIn(folders, name), "%s is in none of %v", name, folders)
			case strings.Contains(name, "/"):
				files++
				if strings.HasSuffix(name, ".go") {
					assert.FileExists(t, name)
					folders = append(folders, filepath.Dir(name))
				} else {
					assert.DirExists(t, name)
					folders = append(folders, name)
				}
			default:
				require.Regexp(t, identifier, name)
				assert.True(t, declared[name], "%s is declared nowhere", name)
			}
		}
	}
	assert.Greater(t, files, 20, "the walks name their files")
}

func existsIn(folders []string, name string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		_, err := os.Stat(filepath.Join(folder, name))
		return err == nil
	})
}

// declarations returns what the packages of the root module declare, without their tests:
// names alone, as pkg.Name, and as Type.Method or Type.field.
func declarations(t *testing.T) map[string]bool {
	declared := map[string]bool{}
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (path == "cmd" || path == "examples" || path == "scripts" || strings.HasPrefix(path, ".") && path != "."):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err == nil {
			collect(file, declared)
		}
		return err
	}))
	return declared
}

func collect(file *ast.File, declared map[string]bool) {
	add := func(outer string, names ...*ast.Ident) {
		for _, name := range names {
			declared[name.Name], declared[outer+"."+name.Name] = true, true
		}
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				add(file.Name.Name, d.Name)
			} else {
				add(receiver(d.Recv.List[0].Type), d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.ValueSpec:
					add(file.Name.Name, s.Names...)
				case *ast.TypeSpec:
					add(file.Name.Name, s.Name)
					for _, member := range members(s.Type) {
						add(s.Name.Name, member.Names...)
					}
				}
			}
		}
	}
}

// receiver returns the name of a receiver's type, without pointer and type parameters.
func receiver(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.StarExpr:
		return receiver(x.X)
	case *ast.IndexExpr:
		return receiver(x.X)
	case *ast.Ident:
		return x.Name
	}
	return ""
}

// members returns the fields of a struct or the methods of an interface.
func members(e ast.Expr) []*ast.Field {
	switch x := e.(type) {
	case *ast.StructType:
		return x.Fields.List
	case *ast.InterfaceType:
		return x.Methods.List
	}
	return nil
}
