package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// An address is of the interface that has this name in the namespace that is looked
// into, whatever interfaces the caller has.
func TestZonesOfAnotherNamespace(t *testing.T) {
	clitest.InTurn(t)
	if !clitest.InOwnMounts(t) {
		return
	}
	testkit.NeedIPv6(t)
	ns := lab.NewNamespace(t)
	clitest.Named(t, ns, "blue")
	require.NoError(t, ns.Do(func() error {
		testkit.IP(t, "link add ka7 type veth peer name ka8", "link set ka7 up", "link set ka8 up", "addr add fe80::77/64 dev ka7 nodad")
		client, _ := testkit.Pair(t, "tcp6", "[fe80::77%ka7]:0")
		return sockopt.Set(client, sockopt.Config{Disabled: true})
	}))
	const theirs, nobodys = "fe80::77%ka7", "fe80::77%none77"
	code, _, errs := command("ls", "--local", theirs)
	assert.Equal(t, exit.Nothing, code, errs)
	assert.Contains(t, errs, "fe80::77%ka7: there is no interface named ka7")
	for _, place := range [][]string{{"--netns", "blue"}, {"--all-netns"}} {
		ls := func(args ...string) (code int, out, errs string) {
			return command(append(append([]string{"ls"}, place...), args...)...)
		}
		code, out, errs := ls("--local", theirs)
		assert.Contains(t, out, "fe80::77")
		assert.Equal(t, exit.OK, code, errs)
		assert.NotContains(t, errs, "no interface")
		code, out, errs = ls("--local", theirs, "--peer", nobodys)
		assert.Equal(t, exit.Nothing, code)
		assert.NotContains(t, out, "fe80::77")
		assert.Contains(t, errs, "there is no interface named none77")
		_, out, errs = ls("--local", nobodys, "--local", theirs)
		assert.Contains(t, out, "fe80::77", "the other one")
		assert.Contains(t, errs, "there is no interface named none77")
		code, out, errs = command(append([]string{"check", "--path", "box:1h", "--peer", theirs}, place...)...)
		assert.Equal(t, exit.Problems, code, errs)
		assert.Contains(t, out, "keepalive is off")
	}
}
