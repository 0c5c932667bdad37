package conntest_test

import (
	"context"
	"net"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

type (
	dialFunc   func(network, address string) (net.Conn, error)
	listenFunc func(network, address string) (net.Listener, error)
)

func dialing(d *dialer.Dialer) dialFunc { return d.Dial }

func listening(lc *listener.ListenConfig) listenFunc {
	return func(network, address string) (net.Listener, error) {
		return lc.Listen(context.Background(), network, address)
	}
}

func wrapping(lc *listener.ListenConfig) listenFunc {
	return func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		if err != nil {
			return nil, err
		}
		return lc.Wrap(l)
	}
}

// Every kind of connection that packages dialer and listener hand out behaves as
// a net.Conn has to: reads, writes, deadlines and closing, alone and in parallel.
func TestConn(t *testing.T) {
	t.Parallel()
	cfg := sockopt.Recommended()
	withoutUserTimeout := sockopt.Config{Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3} // Multipath TCP has none
	multipath := &dialer.Dialer{Config: withoutUserTimeout, MultipathTCP: true, Pin: true}
	for name, row := range map[string]struct {
		network string
		dial    dialFunc
		listen  listenFunc
	}{
		"dialed":                   {"tcp", dialing(&dialer.Dialer{Config: cfg}), net.Listen},
		"dialed, pinned":           {"tcp", dialing(&dialer.Dialer{Config: cfg, Pin: true}), net.Listen},
		"accepted":                 {"tcp", net.Dial, listening(&listener.ListenConfig{Config: cfg})},
		"accepted, pinned":         {"tcp", net.Dial, listening(&listener.ListenConfig{Config: cfg, Pin: true, VerifyAfter: time.Millisecond})},
		"wrapped":                  {"tcp", net.Dial, wrapping(&listener.ListenConfig{Config: cfg})},
		"wrapped, pinned":          {"tcp", net.Dial, wrapping(&listener.ListenConfig{Config: cfg, Pin: true})},
		"both ends pinned":         {"tcp", dialing(&dialer.Dialer{Config: cfg, Pin: true}), listening(&listener.ListenConfig{Config: cfg, Pin: true})},
		"Multipath TCP, pinned":    {"tcp", dialing(multipath), listening(&listener.ListenConfig{Config: withoutUserTimeout, Pin: true, MultipathTCP: true})},
		"unix, which stays itself": {"unix", dialing(&dialer.Dialer{Config: cfg, Pin: true}), listening(&listener.ListenConfig{Config: cfg, Pin: true})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := "127.0.0.1:0"
			if row.network == "unix" {
				testkit.Need(t, runtime.GOOS != "windows", "needs unix sockets")
				address = filepath.Join(t.TempDir(), "s")
			}
			l, err := row.listen(row.network, address)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			pair := func() (client, server net.Conn, stop func(), err error) {
				if client, err = row.dial(row.network, l.Addr().String()); err != nil {
					return nil, nil, nil, err
				}
				if server, err = testkit.AcceptFrom(l, client); err != nil {
					client.Close()
					return nil, nil, nil, err
				}
				return client, server, func() { client.Close(); server.Close() }, nil
			}
			if name == "Multipath TCP, pinned" {
				client, server, stop, err := pair()
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range []net.Conn{client, server} {
					kind, err := socket.KindOf(c)
					testkit.Need(t, err == nil && kind == kernel.MultipathTCP, "needs a kernel with Multipath TCP")
				}
				stop()
			}
			nettest.TestConn(t, pair)
		})
	}
}
