package socktest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/socktest"
)

// On Linux, where nothing is missing, rows of tables are what was written.
func TestMake(t *testing.T) {
	t.Parallel()
	untouched := socktest.Untouched()
	assert.Equal(t, socktest.Values{KeepAlive: 1, Idle: 15, Interval: 15, Count: 9}, socktest.GoDefaults)
	assert.Equal(t, socktest.Values{KeepAlive: 1, Idle: 1, Interval: 2, Count: 3, UserTimeout: 4}, socktest.Make(1, 1, 2, 3, 4))
	assert.Equal(t, socktest.Values{KeepAlive: 1, Idle: 1, Interval: 2, Count: 3, UserTimeout: -1}, socktest.Make(1, 1, 2, 3, -1))
	assert.Equal(t, socktest.Values{Idle: untouched.Idle, Interval: untouched.Interval, Count: untouched.Count}, untouched)
}
