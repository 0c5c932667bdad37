//go:build linux

package dialer_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/socktest"
)

// http2Server speaks HTTP/2 over TLS; its own client's transport trusts it.
func http2Server(t *testing.T) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	server := http2Server(t)
	trust := server.Client().Transport.(*http.Transport).TLSClientConfig
	for rule, row := range map[string]struct {
		transport func(*dialer.Dialer) *http.Transport
		major     int
	}{
		"HTTPTransport keeps it": {func(d *dialer.Dialer) *http.Transport { return d.HTTPTransport() }, 2},
		"a clone of DefaultTransport keeps it": {func(d *dialer.Dialer) *http.Transport {
			t := http.DefaultTransport.(*http.Transport).Clone()
			t.DialContext = d.DialContext
			return t
		}, 2},
		"a Transport of one's own with ForceAttemptHTTP2 has it": {func(d *dialer.Dialer) *http.Transport {
			return &http.Transport{DialContext: d.DialContext, ForceAttemptHTTP2: true}
		}, 2},
		"a Transport of one's own without loses it": {func(d *dialer.Dialer) *http.Transport {
			return &http.Transport{DialContext: d.DialContext}
		}, 1},
	} {
		for _, pin := range []bool{false, true} {
			name := rule
			if pin {
				name += ", pinned"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				transport := row.transport(&dialer.Dialer{Config: asked, Pin: pin})
				transport.TLSClientConfig = trust.Clone()
				t.Cleanup(transport.CloseIdleConnections)
				resp, got := get(t, transport, server.URL)
				assert.Equal(t, row.major, resp.ProtoMajor)
				assert.Equal(t, askedValues, got)
			})
		}
	}
}

func TestHTTPTransportOfAnInvalidDialer(t *testing.T) {
	t.Parallel()
	d := dialer.Dialer{Config: asked}
	d.Config.Count = 1000
	transport := d.HTTPTransport()
	_, err := (&http.Client{Transport: transport}).Get("http://127.0.0.1:9")
	require.ErrorContains(t, err, "count=1000")
}

// Not parallel: it replaces http.DefaultTransport.
func TestHTTPTransportFollowsTheDefault(t *testing.T) {
	standard := http.DefaultTransport
	defer func() { http.DefaultTransport = standard }()

	target := httptest.NewServer(http.NotFoundHandler())
	defer target.Close()
	var proxied []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied = append(proxied, r.URL.String())
		w.WriteHeader(http.StatusTeapot)
	}))
	defer proxy.Close()
	proxyURL, err := url.Parse(proxy.URL)
	require.NoError(t, err)

	http.DefaultTransport = &http.Transport{Proxy: http.ProxyURL(proxyURL), MaxConnsPerHost: 17}
	d := dialer.Dialer{Config: asked}
	transport := d.HTTPTransport()
	defer transport.CloseIdleConnections()
	assert.Equal(t, 17, transport.MaxConnsPerHost)
	assert.True(t, transport.ForceAttemptHTTP2)
	assert.NotSame(t, http.DefaultTransport, transport)
	resp, got := get(t, transport, target.URL+"/page")
	assert.Equal(t, http.StatusTeapot, resp.StatusCode, "the proxy answered")
	assert.Equal(t, []string{target.URL + "/page"}, proxied)
	assert.Equal(t, askedValues, got, "of the connection to the proxy")

	http.DefaultTransport = roundTripper{}
	transport = d.HTTPTransport()
	require.NotNil(t, transport)
	defer transport.CloseIdleConnections()
	assert.NotNil(t, transport.Proxy, "the environment's proxies")
	assert.True(t, transport.ForceAttemptHTTP2)
	_, got = get(t, transport, target.URL)
	assert.Equal(t, askedValues, got)
}

type roundTripper struct{}

func (roundTripper) RoundTrip(*http.Request) (*http.Response, error) { panic("not to be used") }

// The forms are those of grpc-go's dial in internal/transport/http2_client.go:
// a unix path is never escaped there. Not parallel: it changes the directory.
func TestDialGRPC(t *testing.T) {
	socktest.NeedIPv6(t)
	dir, err := os.MkdirTemp("", "grpc") // shorter than t.TempDir(): a socket's path holds 108 bytes
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	t.Chdir(dir)
	abstract := "@keepalive-" + filepath.Base(dir)
	for _, path := range []string{filepath.Join(dir, "s"), abstract, filepath.Join(dir, "a b"),
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
		{"unix:@abstract", "unix:" + abstract, abstract},
		{"a blank in the path", "unix://" + dir + "/a b", dir + "/a b"},
		{"a percent sign is a percent sign", "unix://" + dir + "/100%41", dir + "/100%41"},
		{"a percent sign at the end", "unix://" + dir + "/50%", dir + "/50%"},
		{"a question mark starts no query", "unix://" + dir + "/why?", dir + "/why?"},
		{"a hash starts no fragment", "unix://" + dir + "/c#", dir + "/c#"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			c, err := d.DialGRPC(context.Background(), row.address)
			require.NoError(t, err)
			socktest.Closing(t, c)
			assert.Equal(t, row.peer, c.RemoteAddr().String())
			if _, ok := c.(*net.TCPConn); ok {
				assert.Equal(t, askedValues, socktest.ReadAny(t, c))
			} else {
				assert.Equal(t, "unix", c.RemoteAddr().Network())
			}
		})
	}
}

func TestDialGRPCErrors(t *testing.T) {
	t.Parallel()
	d := dialer.Dialer{Config: asked}
	for rule, row := range map[string]struct{ address, text string }{
		"no port":         {"127.0.0.1", "missing port"},
		"nobody there":    {"unix:///nonexistent/keepalive.sock", "dial unix /nonexistent/keepalive.sock"},
		"nobody, one /":   {"unix:/nonexistent/keepalive.sock", "dial unix /nonexistent/keepalive.sock"},
		"nobody abstract": {"unix:@keepalive-nobody", "dial unix @keepalive-nobody"},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
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
	path := filepath.Join(t.TempDir(), "s")
	serve(t, "unix", path, false)
	d := dialer.Dialer{Config: asked}
	for rule, row := range map[string]struct{ network, address string }{
		"tcp":                                 {"tcp", l.Addr().String()},
		"a name that nobody has resolved yet": {"tcp4", net.JoinHostPort("localhost", portOf(l))},
		"unix":                                {"unix", path},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			c, err := d.DialAddr(row.network)(context.Background(), row.address)
			require.NoError(t, err)
			socktest.Closing(t, c)
			if row.network != "unix" {
				assert.Equal(t, askedValues, socktest.ReadAny(t, c))
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
	assert.Equal(t, askedValues, socktest.ReadAny(t, socktest.Closing(t, c)))
}
