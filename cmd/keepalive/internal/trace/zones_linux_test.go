package trace

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Two interfaces have the same link-local address. Each has two connections: one to itself,
// which crosses lo, and one to a neighbour. trace shows each connection with its interface
// and socket, and --peer distinguishes them. The test rests on a probe every second.
func TestTraceOfOneInterface(t *testing.T) {
	t.Parallel()
	testkit.Long(t)
	testkit.NeedIPv6(t)
	ns := lab.NewNamespace(t)
	ports, index := map[string]string{}, map[string]int{}
	connect := func(device string, c *net.TCPConn, port net.Addr) {
		require.NoError(t, sockopt.Set(c, clitest.Quick))
		ports[device] = portOf(port)
	}
	for i, device := range []string{"tz0", "tz1"} {
		neighbour := lab.NewNamespace(t)
		ns.Connect(device, "fe80::1234/64 nodad", neighbour, "peer", "fe80::5678/64 nodad")
		require.NoError(t, ns.Do(func() error { // numbers, for package net remembers names of any namespace
			found, err := net.InterfaceByName(device)
			require.NoError(t, err)
			index[device] = found.Index
			client, server := testkit.Pair(t, "tcp6", fmt.Sprintf("[fe80::1234%%%d]:0", found.Index))
			connect(device+" itself", client, server.LocalAddr())
			return nil
		}))
		var l net.Listener
		require.NoError(t, neighbour.Do(func() (err error) {
			found, err := net.InterfaceByName("peer")
			require.NoError(t, err)
			l, err = net.Listen("tcp6", fmt.Sprintf("[fe80::5678%%%d]:%d", found.Index, 4000+i))
			return err
		}))
		defer l.Close()
		require.NoError(t, ns.Do(func() error {
			// The kernel gives each interface a link-local address of its own, too.
			d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(fmt.Sprintf("fe80::1234%%%d", index[device])), 0))}
			c, err := d.Dial("tcp6", fmt.Sprintf("[fe80::5678%%%d]:%d", index[device], 4000+i))
			require.NoError(t, err)
			t.Cleanup(func() { c.Close() })
			connect(device, c.(*net.TCPConn), l.Addr())
			return nil
		}))
	}
	trace := func(args ...string) (code int, out, errs string) {
		return command(append([]string{"trace", "--netns", ns.Path(), "--only", "probe", "--count", "1"}, args...)...)
	}
	var wg sync.WaitGroup
	for _, device := range []string{"tz0", "tz1"} {
		for what, to := range map[string]string{device: "fe80::5678", device + " itself": "fe80::1234"} {
			port := ports[what]
			for _, zone := range []string{device, fmt.Sprint(index[device])} {
				wg.Go(func() {
					code, out, errs := trace("--json", "--for", "20s", "--port", port, "--peer", to+"%"+zone)
					assert.Equal(t, exit.OK, code, "%s: %s", what, errs)
					var r traceRecord
					assert.NoError(t, json.Unmarshal([]byte(out), &r), out)
					assert.Regexp(t, `^\[fe80::1234%`+device+`\]:\d+$`, r.From)
					assert.Equal(t, "["+to+"%"+device+"]:"+port, r.To)
					assert.True(t, r.FromLocal, what)
					assert.Equal(t, new(1.0), r.Expected, what)
				})
			}
			other := map[string]string{"tz0": "tz1", "tz1": "tz0"}[device]
			for _, zone := range []string{other, "lo"} {
				wg.Go(func() {
					code, out, _ := trace("--for", "1500ms", "--port", port, "--peer", to+"%"+zone)
					assert.Equal(t, exit.Nothing, code, "%s: %s", what, out)
				})
			}
		}
	}
	wg.Wait()
	code, out, errs := trace("--for", "20s", "--peer", "fe80::1234%tz9")
	assert.Equal(t, exit.Nothing, code)
	assert.Empty(t, out)
	assert.Contains(t, errs, "there is no interface named tz9")
	code, out, errs = trace("--for", "20s", "--peer", "fe80::1234%tz9", "--peer", "fe80::1234%tz0")
	assert.Equal(t, exit.Nothing, code, "as ls does")
	assert.Contains(t, out, "[fe80::1234%tz0]:")
	assert.Equal(t, 1, strings.Count(errs, "there is no interface named tz9"), errs)
}
