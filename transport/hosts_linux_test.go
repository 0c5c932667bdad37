package transport_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/transport"
)

// socks is a SOCKS5 proxy (RFC 1928) without authentication that takes IPv4 addresses.
func socks(t *testing.T) *url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	testkit.Serve(t, l, func(down net.Conn) {
		hello := make([]byte, 2)
		if _, err := io.ReadFull(down, hello); err != nil {
			return
		}
		io.CopyN(io.Discard, down, int64(hello[1]))
		down.Write([]byte{5, 0})
		request := make([]byte, 10)
		if _, err := io.ReadFull(down, request); err != nil || request[3] != 1 {
			return
		}
		port := int(request[8])<<8 | int(request[9])
		up, err := net.Dial("tcp", net.JoinHostPort(net.IP(request[4:8]).String(), strconv.Itoa(port)))
		if err != nil {
			return
		}
		defer up.Close()
		down.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		go func() {
			io.Copy(up, down)
			up.Close()
		}()
		io.Copy(down, up)
	})
	return must(url.Parse("socks5://" + l.Addr().String()))
}

// A proxy that makes tunnels leads to many hosts, each with its own timeout; to one that
// forwards plain HTTP the connection is to the proxy, and its timeout counts.
func TestHostsBehindProxies(t *testing.T) {
	t.Parallel()
	a, b := origin{}, origin{}
	run, wait := together(t)
	defer wait()
	for name, tt := range map[string]struct {
		tls   bool
		proxy func(*testing.T) *url.URL
		one   bool // host, the proxy
	}{
		"SOCKS5":          {false, socks, false},
		"SOCKS5h":         {false, func(t *testing.T) *url.URL { u := socks(t); u.Scheme = "socks5h"; return u }, false},
		"SOCKS5, TLS":     {true, socks, false},
		"HTTP proxy":      {false, forwarding("http"), true},
		"HTTPS proxy":     {false, forwarding("https"), true},
		"HTTP proxy, TLS": {true, forwarding("http"), false},
		"none":            {false, nil, false},
	} {
		a.tls, b.tls = tt.tls, tt.tls
		short, long := a.start(t), b.start(t)
		run(name, func(t *testing.T) {
			hosts := make(chan string, 10)
			note := func(host string, _ time.Duration) { hosts <- host }
			base := trusting()
			want := short.URL
			if tt.proxy != nil {
				proxy := tt.proxy(t)
				base.Proxy = http.ProxyURL(proxy)
				if tt.one {
					want = "http://" + proxy.Host
				}
			}
			rt := newTransport(t, transport.Options{Base: base, Events: transport.Events{
				PeerClosed: note, Dropped: note, LostRace: note,
				Drained: func(host string, _ int64, _ bool) { hosts <- host },
				Learned: func(host string, _ time.Duration, _ string) { hosts <- host },
			}})
			get(t, rt, short.URL) // drains
			assert.Equal(t, want, <-hosts)
			transport.LearnFrom(connOf(t, rt, short.URL), 20*time.Second)
			assert.Equal(t, want, <-hosts)
			limit := transport.IdleLimit(connOf(t, rt, long.URL))
			assert.Equal(t, tt.one, limit > 0, "%s of the other host", limit)
		})
	}
}

func forwarding(scheme string) func(*testing.T) *url.URL {
	return func(t *testing.T) *url.URL {
		u, err := site{base: trusting}.through(t, scheme, 0).base().Proxy(nil)
		require.NoError(t, err)
		return u
	}
}

// Different spellings of a host are the same host.
func TestSpellingsOfAHost(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "https"} {
		o := origin{tls: scheme == "https"}
		server := o.start(t)
		address := server.Listener.Addr().String()
		port := map[string]string{"http": "80", "https": "443"}[scheme]
		rt := newTransport(t, transport.Options{Base: dialing(address)})
		for i, host := range []string{"example.com", "EXAMPLE.com", "example.com:" + port, "Example.COM:" + port, "example.com:"} {
			c := connOf(t, rt, scheme+"://"+host)
			if i == 0 {
				transport.LearnFrom(c, 20*time.Second)
			}
			assert.Equal(t, 19*time.Second, transport.IdleLimit(c), "%s://%s", scheme, host)
			assert.Equal(t, scheme+"://example.com", transport.HostOf(c))
		}
		assert.Equal(t, scheme+"://[::1]", transport.HostOf(connOf(t, rt, scheme+"://[::1]:"+port)))
		assert.Equal(t, scheme+"://[fe80::1%lo]:81", transport.HostOf(connOf(t, rt, scheme+"://[fe80::1%25lo]:81")))
		assert.Zero(t, transport.IdleLimit(connOf(t, rt, scheme+"://example.com:81")), "another port is another host")
		assert.True(t, strings.HasPrefix(transport.HostOf(connOf(t, rt, scheme+"://example.com:81")), scheme+"://example.com:81"))
	}
}

// dialing reaches this address, whatever is dialed.
func dialing(address string) *http.Transport {
	base := trusting()
	base.TLSClientConfig.InsecureSkipVerify = true
	base.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return base
}
