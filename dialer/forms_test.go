package dialer_test

import (
	"context"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// The forms are those of grpc-go's dial in internal/transport/http2_client.go:
// a unix path is never escaped there. Not parallel: it changes the directory.
func TestDialGRPC(t *testing.T) {
	testkit.NeedOptions(t)
	testkit.NeedIPv6(t)
	dir := filepath.Dir(testkit.UnixPath(t))
	t.Chdir(dir)
	for _, path := range []string{filepath.Join(dir, "s"), filepath.Join(dir, "a b"),
		filepath.Join(dir, "100%41"), filepath.Join(dir, "50%"), filepath.Join(dir, "why?"), filepath.Join(dir, "c#")} {
		serve(t, "unix", path, false)
	}
	tcp := loopback(t).Addr().String()
	tcp6 := serve(t, "tcp6", "[::1]:0", false).Addr().String()
	d := dialer.Dialer{Config: asked}
	for _, row := range []struct{ rule, address, peer string }{
		{"ip:port", tcp, tcp},
		{"[ip6]:port", tcp6, tcp6},
		{"host:port as it is, from passthrough", strings.Replace(tcp, "127.0.0.1", "localhost", 1), tcp},
		{"unix:///absolute", "unix://" + dir + "/s", dir + "/s"},
		{"unix:/absolute", "unix:" + dir + "/s", dir + "/s"},
		{"unix:relative", "unix:s", dir + "/s"},
		{"unix:./relative", "unix:./s", dir + "/s"},
		{"a blank in the path", "unix://" + dir + "/a b", dir + "/a b"},
		{"a percent sign is a percent sign", "unix://" + dir + "/100%41", dir + "/100%41"},
		{"a percent sign at the end", "unix://" + dir + "/50%", dir + "/50%"},
		{"a question mark starts no query", "unix://" + dir + "/why?", dir + "/why?"},
		{"a hash starts no fragment", "unix://" + dir + "/c#", dir + "/c#"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			c, err := d.DialGRPC(context.Background(), row.address)
			require.NoError(t, err)
			testkit.Closing(t, c)
			assert.Equal(t, row.peer, c.RemoteAddr().String())
			if _, ok := c.(*net.TCPConn); ok {
				assert.Equal(t, askedValues, testkit.ReadAny(t, c))
			} else {
				assert.Equal(t, "unix", c.RemoteAddr().Network())
			}
		})
	}
}

func TestDialGRPCErrors(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	d := dialer.Dialer{Config: asked}
	for rule, row := range map[string]struct{ address, text string }{
		"no port":       {"127.0.0.1", "missing port"},
		"nobody there":  {"unix:///nonexistent/keepalive.sock", "dial unix /nonexistent/keepalive.sock"},
		"nobody, one /": {"unix:/nonexistent/keepalive.sock", "dial unix /nonexistent/keepalive.sock"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			testkit.Need(t, runtime.GOOS != "windows" || row.address[0] != 'u', "needs Unix sockets")
			_, err := d.DialGRPC(context.Background(), row.address)
			require.ErrorContains(t, err, row.text)
		})
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := d.DialGRPC(canceled, loopback(t).Addr().String())
	require.ErrorContains(t, err, "operation was canceled")
}

func TestDialAddr(t *testing.T) {
	t.Parallel()
	l := loopback(t)
	d := dialer.Dialer{Config: asked}
	for rule, row := range map[string]struct{ network, address string }{
		"tcp":                                 {"tcp", l.Addr().String()},
		"a name that nobody has resolved yet": {"tcp4", net.JoinHostPort("localhost", portOf(l))},
		"unix":                                {"unix", ""},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			if row.network == "unix" {
				row.address = serve(t, "unix", testkit.UnixPath(t), false).Addr().String()
			}
			c, err := d.DialAddr(row.network)(context.Background(), row.address)
			require.NoError(t, err)
			testkit.Closing(t, c)
			if row.network != "unix" {
				assert.Equal(t, askedValues, testkit.ReadAny(t, c))
			}
		})
	}
}

// Database and Redis clients hand over "localhost:port" and a context with a
// deadline.
func TestDialContextAsDatabaseClientsDo(t *testing.T) {
	t.Parallel()
	d := dialer.Dialer{Config: asked}
	var dial func(ctx context.Context, network, addr string) (net.Conn, error) = d.DialContext
	c, err := dial(t.Context(), "tcp", net.JoinHostPort("localhost", portOf(loopback(t))))
	require.NoError(t, err)
	assert.Equal(t, askedValues, testkit.ReadAny(t, testkit.Closing(t, c)))
}
