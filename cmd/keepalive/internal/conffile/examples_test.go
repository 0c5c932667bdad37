package conffile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
)

// Configurations in the style of public ones, each with mistakes that people make: the
// lines and the kinds of all of them.
var wrong = map[string]string{
	"seconds-as-milliseconds.dsn": "2 unit",
	"milliseconds-as-seconds.env": "3 unit, 3 unit",
	"system-default.dsn":          "1 refused",
	"nginx-one-leg.conf":          "15 one leg",
	"nginx-milliseconds.conf":     "4 unit, 4 unit",
	"haproxy-ignored.cfg":         "9 unit, 13 one leg, 15 off, 21 ignored",
	"haproxy-user-timeout.cfg":    "16 unit, 15 user timeout",
	"pod-host-network.yaml":       "13 refused",
	"pod-numbers.yaml":            "9 unit, 9 refused, 11 unknown word",
	"pod-container.yaml":          "18 ignored",
}

func TestWrongExamples(t *testing.T) {
	t.Parallel()
	assert.Len(t, wrong, 10)
	for name, want := range wrong {
		assert.Equal(t, want, mistakes(t, "wrong", name), name)
	}
}

func TestRightExamples(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("testdata/right")
	require.NoError(t, err)
	assert.Len(t, files, 10)
	for _, f := range files {
		assert.Empty(t, mistakes(t, "right", f.Name()), f.Name())
	}
}

// mistakes lists those of a file, whose format is recognised.
func mistakes(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", dir, name))
	require.NoError(t, err)
	doc := one(t, name, string(text), "")
	require.NoError(t, doc.Err)
	assert.NotEmpty(t, len(doc.Legs)+len(doc.All()), "something is read: %s", name)
	list := ""
	for _, r := range doc.All() {
		switch {
		case r.Kind.Mistake() && list != "":
			list += ", "
			fallthrough
		case r.Kind.Mistake():
			list += fmt.Sprintf("%d %s", r.Line, r.Kind)
		case r.Kind == conffile.Unread:
			t.Errorf("%s: %s", name, r.Text)
		}
	}
	return list
}
