package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

func TestMain(m *testing.M) {
	if os.Getenv(inside) != "" { // enter ran this binary again
		main()
		return
	}
	os.Exit(m.Run())
}

func TestNLB(t *testing.T) {
	t.Parallel()
	testkit.Tool(t, "ip")
	testkit.Tool(t, "nft")
	out, err := exec.Command("go", "run", ".").CombinedOutput()
	testkit.Need(t, !strings.Contains(string(out), "lets only root"), "needs to make a network namespace")
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
	assert.Regexp(t, `(?m)^net.Dialer +dead: read .*connection reset by peer$`, string(out))
	assert.Regexp(t, `(?m)^net.Dialer with the usual hook +dead: read .*connection reset by peer$`, string(out))
	assert.Regexp(t, `(?m)^plan: idle=\ds,interval=1s,count=3,.* alive$`, string(out))
}
