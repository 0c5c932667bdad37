package transport_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
	"github.com/tcpkeepalive/keepalive/transport"
)

//lint:file-ignore SA1019 A Base may dial with Dial or DialTLS, as net/http still lets it.

var (
	asked       = sockopt.Config{Idle: 111 * time.Second, Interval: 22 * time.Second, Count: 3}
	askedValues = testkit.Values{KeepAlive: 1, Idle: 111, Interval: 22, Count: 3}
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
		"Standard keeps it": {transport.Standard, 2},
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
				rt := row.transport(&dialer.Dialer{Config: asked, Pin: pin})
				rt.TLSClientConfig = trust.Clone()
				t.Cleanup(rt.CloseIdleConnections)
				resp, got := testkit.GetHTTP(t, rt, server.URL)
				assert.Equal(t, row.major, resp.ProtoMajor)
				assert.Equal(t, askedValues, got)
			})
		}
	}
}

func TestStandardWithAnInvalidDialer(t *testing.T) {
	t.Parallel()
	d := dialer.Dialer{Config: asked}
	d.Config.Count = 1000
	rt := transport.Standard(&d)
	_, err := (&http.Client{Transport: rt}).Get("http://127.0.0.1:9")
	require.ErrorContains(t, err, "count=1000")
}

// Not parallel: it replaces http.DefaultTransport.
func TestStandardFollowsTheDefault(t *testing.T) {
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
	rt := transport.Standard(&d)
	defer rt.CloseIdleConnections()
	assert.Equal(t, 17, rt.MaxConnsPerHost)
	assert.True(t, rt.ForceAttemptHTTP2)
	assert.NotSame(t, http.DefaultTransport, rt)
	resp, got := testkit.GetHTTP(t, rt, target.URL+"/page")
	assert.Equal(t, http.StatusTeapot, resp.StatusCode, "the proxy answered")
	assert.Equal(t, []string{target.URL + "/page"}, proxied)
	assert.Equal(t, askedValues, got, "of the connection to the proxy")

	http.DefaultTransport = roundTripper{}
	rt = transport.Standard(&d)
	require.NotNil(t, rt)
	defer rt.CloseIdleConnections()
	assert.NotNil(t, rt.Proxy, "the environment's proxies")
	assert.True(t, rt.ForceAttemptHTTP2)
	_, got = testkit.GetHTTP(t, rt, target.URL)
	assert.Equal(t, askedValues, got)
}

type roundTripper struct{}

func (roundTripper) RoundTrip(*http.Request) (*http.Response, error) { panic("not to be used") }

// Not parallel: it replaces http.DefaultTransport.
func TestStandardSpeaksWhatTheDefaultSpeaks(t *testing.T) {
	standard := http.DefaultTransport
	defer func() { http.DefaultTransport = standard }()
	server := http2Server(t)
	trust := server.Client().Transport.(*http.Transport).TLSClientConfig
	http.DefaultTransport = &http.Transport{TLSClientConfig: trust.Clone(), DialTLS: func(string, string) (net.Conn, error) {
		return nil, errors.New("not the Dialer")
	}}
	for range 2 { // Clone makes the original decide
		rt := transport.Standard(&dialer.Dialer{Config: asked})
		defer rt.CloseIdleConnections()
		resp, got := testkit.GetHTTP(t, rt, server.URL)
		assert.Equal(t, 1, resp.ProtoMajor, "a TLSClientConfig switches HTTP/2 off")
		assert.Equal(t, askedValues, got)
	}
}

// Nor without a Base: what the program dials with by default is kept.
func TestTheDefaultDials(t *testing.T) {
	standard := http.DefaultTransport
	defer func() { http.DefaultTransport = standard }()
	server := serve(t, func(http.ResponseWriter, *http.Request) {}, nil)
	http.DefaultTransport = &http.Transport{Dial: func(network, _ string) (net.Conn, error) {
		return net.Dial(network, server.Listener.Addr().String())
	}}
	assert.Equal(t, http.StatusOK, get(t, newTransport(t, transport.Options{}), "http://inside.example").StatusCode)
}
