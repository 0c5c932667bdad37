package testkit_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
)

// The headers, which were written down apart from the tables, have what this system's
// table has: else nothing of an option would be tested.
func TestHeadersAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	table := platform.Current()
	for o := platform.KeepAlive; o <= platform.UserTimeout; o++ {
		spec, header := table.Spec(o), testkit.Of(o)
		switch {
		case spec == nil:
			assert.NotEmpty(t, testkit.Lacks(o), "%v", o)
		case spec.Call != "": // which getsockopt does not answer
			assert.Equal(t, spec.Readable == platform.No, testkit.Lacks(o) == "", "%v", o)
		default:
			assert.Equal(t, testkit.Header{Symbol: spec.Symbol, Level: spec.Level, Number: spec.Number, Unit: spec.Unit}, header)
			if spec.Readable == platform.Yes {
				assert.Empty(t, testkit.Lacks(o), "%v", o)
			}
		}
	}
}
