package testkit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Documented returns the words in double quotes that the doc comment of a type, "Kind", or
// of a field, "Timer.Kind", has, sorted. The package is that of the current folder. Where a
// string is one of a few words, callers compare it with these words, so the comment has to
// list all of them; a test compares it with [Constants] or with what the code returns.
func Documented(t testing.TB, name string) []string {
	t.Helper()
	typeName, fieldName, isField := strings.Cut(name, ".")
	var text string
	eachDeclaration(t, token.TYPE, func(d *ast.GenDecl) {
		for _, spec := range d.Specs {
			spec := spec.(*ast.TypeSpec)
			if spec.Name.Name != typeName {
				continue
			}
			if !isField {
				text = d.Doc.Text()
				continue
			}
			for _, f := range spec.Type.(*ast.StructType).Fields.List {
				if slices.ContainsFunc(f.Names, func(n *ast.Ident) bool { return n.Name == fieldName }) {
					text = f.Doc.Text() + f.Comment.Text()
				}
			}
		}
	})
	var words []string
	for _, quoted := range quotedWord.FindAllStringSubmatch(text, -1) {
		words = append(words, quoted[1])
	}
	require.NotEmpty(t, words, "the comment of %s lists no words", name)
	slices.Sort(words)
	return slices.Compact(words)
}

var quotedWord = regexp.MustCompile(`"([^"\n]*)"`)

// Constants returns the values of the string constants that are declared together with the
// given one, sorted. The package is that of the current folder.
func Constants(t testing.TB, name string) []string {
	t.Helper()
	var words []string
	eachDeclaration(t, token.CONST, func(d *ast.GenDecl) {
		var values []string
		found := false
		for _, spec := range d.Specs {
			spec := spec.(*ast.ValueSpec)
			found = found || spec.Names[0].Name == name
			for _, v := range spec.Values {
				if literal, ok := v.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					word, err := strconv.Unquote(literal.Value)
					require.NoError(t, err)
					values = append(values, word)
				}
			}
		}
		if found {
			words = values
		}
	})
	require.NotEmpty(t, words, "no constant %s", name)
	slices.Sort(words)
	return words
}

// eachDeclaration calls f for each declaration of a kind in the current folder, tests apart.
func eachDeclaration(t testing.TB, kind token.Token, f func(*ast.GenDecl)) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	Need(t, len(files) > 0, "needs the source of the package, which is not where this binary runs")
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			if d, ok := d.(*ast.GenDecl); ok && d.Tok == kind {
				f(d)
			}
		}
	}
}
