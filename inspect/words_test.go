package inspect_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// TestDocumentedWords: the comments list all words with which a caller may compare.
func TestDocumentedWords(t *testing.T) {
	t.Parallel()
	assert.Equal(t, testkit.Constants(t, "timerUnknown"), testkit.Documented(t, "Timer.Kind"))
	assert.ElementsMatch(t, append(testkit.Constants(t, "sourceSockDiag"), ""), testkit.Documented(t, "Report.Source"))
}
