package clitest

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
)

// Hostile clears the screen of who lists it, in several ways: ESC, DEL, CSI as
// one character of Latin 1, a right-to-left override, a tag beyond 16 bits, and
// a byte that is no UTF-8.
const Hostile = "a\x1b[2Jb\x7fc\u009b2Jd\u202ee\U000e0041f\xff"

// Control finds what a terminal might obey.
func Control(s string) string {
	for _, r := range s {
		if r != '\n' && terminal.Printable(string(r)) != string(r) {
			return string(r)
		}
	}
	return ""
}

// Fields are the names that an object has in JSON.
func Fields(t *testing.T, v any) (names []string) {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(b, &fields))
	for name := range fields {
		names = append(names, name)
	}
	return names
}

// Alone checks that a folder holds these files and nothing else.
func Alone(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.ElementsMatch(t, want, names)
}
