package ls

import (
	"bytes"
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// A real process, a real interface and a real address in every form of ls.
func TestEveryFormOfLsIsText(t *testing.T) {
	testkit.InNamespace(t, func() {
		const device = "d\x1b[2J\u009bx"
		testkit.IP(t, "link add '"+device+"' type veth peer name d1")
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		rc, err := l.(*net.TCPListener).SyscallConn()
		require.NoError(t, err)
		require.NoError(t, rc.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), device) }))
		require.NoError(t, err)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		before, err := os.ReadFile("/proc/self/comm")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile("/proc/self/comm", []byte("p\x1b[2J\x7f\u009b"), 0))
		defer os.WriteFile("/proc/self/comm", bytes.TrimSpace(before), 0)
		for _, form := range [][]string{{"--wide"}, {"--columns", "local,keepalive,process"}, {"--json"}, {"--ss", "--process", "--extended"}, {"--netstat"}} {
			code, out, errs := command(append([]string{"ls", "--listening"}, form...)...)
			require.Equal(t, exit.OK, code, errs)
			assert.Contains(t, out, l.Addr().(*net.TCPAddr).IP.String(), form)
			assert.Empty(t, clitest.Control(out+errs), "%s: %q", form, out)
			if form[0] == "--wide" || form[0] == "--ss" {
				assert.Contains(t, out, "%d?[2J?x:")
				assert.Contains(t, out, "p?[2J??")
			}
		}
	})
}

// LOCAL as ss shows it, so that it can be told what the address means.
func TestTheTableHasTheInterface(t *testing.T) {
	testkit.InNamespace(t, func() {
		testkit.IP(t, "link add eth0 type veth peer name eth1", "link set eth1 up", "addr add fe80::1/64 dev eth0 nodad", "link set eth0 up")
		client, server := testkit.Pair(t, "tcp", "[fe80::1%eth0]:0")
		bound, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
		rc, err := bound.SyscallConn()
		require.NoError(t, err)
		require.NoError(t, rc.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), "lo") }))
		require.NoError(t, err)
		_, out, errs := command("ls", "--columns", "local,peer")
		for _, c := range []*net.TCPConn{client, server} {
			assert.Regexp(t, `(?m)^\Q`+c.LocalAddr().String()+`\E +\Q`+c.RemoteAddr().String()+`\E$`, out, errs)
			_, own, errs := command("ls", "--columns", "local,peer", "--local", c.LocalAddr().String(), "--peer", c.RemoteAddr().String())
			assert.Contains(t, own, c.LocalAddr().String(), "what is printed can be typed: %s", errs)
		}
		local := bound.LocalAddr().(*net.TCPAddr).AddrPort()
		assert.Regexp(t, `(?m)^\Q`+local.Addr().String()+`%lo:`+strconv.Itoa(int(local.Port()))+`\E +127\.0\.0\.1:\d+$`, out)
	})
}
