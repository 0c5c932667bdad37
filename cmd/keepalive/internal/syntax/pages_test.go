package syntax_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/syntax"
)

// TestPagesNameAllFormats: the table of docs/commands.md has all that --as takes, and README
// counts them.
func TestPagesNameAllFormats(t *testing.T) {
	t.Parallel()
	commands, err := os.ReadFile("../../../../docs/commands.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(commands), "\n| for | NAME |\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	var named []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(table, -1) {
		named = append(named, m[1])
	}
	assert.ElementsMatch(t, syntax.Names(), named, "docs/commands.md")

	readme, err := os.ReadFile("../../../../README.md")
	require.NoError(t, err)
	assert.Contains(t, string(readme), fmt.Sprintf("`--as nginx` and %d other syntaxes", len(syntax.Formats)-1), "README.md")
}
