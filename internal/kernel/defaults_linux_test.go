package kernel_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

const procTCP = "/proc/sys/net/ipv4/tcp_keepalive_"

// procSettings reads the sysctls of the calling thread's network namespace.
func procSettings(t *testing.T) Settings {
	t.Helper()
	read := func(name string) int {
		text, err := os.ReadFile(procTCP + name)
		testkit.Need(t, err == nil, "needs "+procTCP+name)
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		require.NoError(t, err)
		return n
	}
	return Settings{Known: allKnown, Enabled: false, Idle: time.Duration(read("time")) * time.Second, Interval: time.Duration(read("intvl")) * time.Second, Count: read("probes"), UserTimeout: 0}
}

func TestSystemDefaults(t *testing.T) {
	t.Parallel()
	want := procSettings(t)
	got, err := SystemDefaults()
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestSystemDefaultsAreThoseOfTheThread(t *testing.T) {
	t.Parallel()
	testkit.InNamespace(t, func() {
		err := os.WriteFile(procTCP+"time", []byte("1234"), 0)
		testkit.Need(t, err == nil, "needs a writable "+procTCP+"time")
		got, err := SystemDefaults()
		require.NoError(t, err)
		assert.Equal(t, procSettings(t), got)
		assert.Equal(t, 1234*time.Second, got.Idle)
	})
	after, err := SystemDefaults()
	require.NoError(t, err)
	assert.Equal(t, procSettings(t), after, "the caller is where it was")
}
