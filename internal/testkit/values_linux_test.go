package testkit_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// On Linux, where nothing is missing, rows of tables are what was written.
func TestMake(t *testing.T) {
	t.Parallel()
	untouched := testkit.Untouched()
	assert.Equal(t, testkit.Values{KeepAlive: 1, Idle: 15, Interval: 15, Count: 9}, testkit.GoDefaults)
	assert.Equal(t, testkit.Values{KeepAlive: 1, Idle: 1, Interval: 2, Count: 3, UserTimeout: 4}, testkit.Make(1, 1, 2, 3, 4))
	assert.Equal(t, testkit.Values{KeepAlive: 1, Idle: 1, Interval: 2, Count: 3, UserTimeout: -1}, testkit.Make(1, 1, 2, 3, -1))
	assert.Equal(t, testkit.Values{Idle: untouched.Idle, Interval: untouched.Interval, Count: untouched.Count}, untouched)
}
