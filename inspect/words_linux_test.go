package inspect

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

func TestDocumentedWordsOfAList(t *testing.T) {
	t.Parallel()
	assert.ElementsMatch(t, append(shutdowns[:], ""), testkit.Documented(t, "Report.Shutdown"))
	for _, network := range testkit.Documented(t, "Filter.Network") {
		for _, err := range List(Filter{Network: network}) {
			assert.NoError(t, err, network)
			break
		}
	}
}
