package transport_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/transport"
)

//lint:file-ignore SA1019 A Base may dial with Dial or DialTLS, as net/http still lets it.

// A hook that returns nothing at all fails the request, as in net/http, and names itself.
func TestADialHookThatReturnsNothing(t *testing.T) {
	t.Parallel()
	none := func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	old := func(string, string) (net.Conn, error) { return nil, nil }
	for name, tt := range map[string]struct {
		base *http.Transport
		url  string
	}{
		"DialContext":    {&http.Transport{DialContext: none}, "http://a.example"},
		"Dial":           {&http.Transport{Dial: old}, "http://a.example"},
		"DialTLSContext": {&http.Transport{DialTLSContext: none}, "https://a.example"},
		"DialTLS":        {&http.Transport{DialTLS: old}, "https://a.example"},
	} {
		rt, err := transport.New(transport.Options{Base: tt.base})
		require.NoError(t, err)
		b := &onceBody{Reader: strings.NewReader("body")}
		_, err = rt.RoundTrip(must(http.NewRequest(http.MethodPost, tt.url, b)))
		assert.ErrorContains(t, err, name, name)
		assert.ErrorContains(t, err, "returned (nil, nil)", name)
		assert.EqualValues(t, 1, b.closed.Load(), name)
		assert.Zero(t, rt.Stats().Opened, name)
	}
}

// A connection counts, whichever hook of the Base made it.
func TestOpenedCountsWhatAnyHookMakes(t *testing.T) {
	t.Parallel()
	plain := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") }, nil)
	secure := origin{tls: true}.start(t)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	over := func(ctx context.Context, network, address string) (net.Conn, error) {
		return (&tls.Dialer{Config: trusting().TLSClientConfig}).DialContext(ctx, network, address)
	}
	old := func(dial func(context.Context, string, string) (net.Conn, error)) func(string, string) (net.Conn, error) {
		return func(network, address string) (net.Conn, error) { return dial(neverDone, network, address) }
	}
	for name, tt := range map[string]struct {
		base   *http.Transport
		server *httptest.Server
	}{
		"DialContext":    {&http.Transport{DialContext: dial}, plain.Server},
		"Dial":           {&http.Transport{Dial: old(dial)}, plain.Server},
		"DialTLSContext": {&http.Transport{DialTLSContext: over}, secure},
		"DialTLS":        {&http.Transport{DialTLS: old(over)}, secure},
		"both of TLS":    {&http.Transport{DialTLSContext: over, DialTLS: old(over)}, secure},
	} {
		rt := newTransport(t, transport.Options{Base: tt.base})
		for range 2 {
			read(t, rt, tt.server.URL)
		}
		s := rt.Stats()
		assert.EqualValues(t, 1, s.Opened, name)
		assert.EqualValues(t, 1, s.Reused, name)
		assert.EqualValues(t, 2, s.Responses, name)
	}
}

// The methods of a Transport that New has not made return an error, and do not panic.
func TestWhatWasNotMade(t *testing.T) {
	t.Parallel()
	var zero transport.Transport
	for _, scheme := range []string{"http", "https", "ftp"} {
		b := &onceBody{Reader: strings.NewReader("body")}
		_, err := zero.RoundTrip(must(http.NewRequest(http.MethodPost, scheme+"://a.example", b)))
		assert.EqualError(t, err, "transport: this Transport was not made by New, and has no connections")
		assert.EqualValues(t, 1, b.closed.Load())
	}
	zero.CloseIdleConnections()
	assert.Zero(t, zero.Stats())
	assert.EqualError(t, transport.Announce(nil, 1e9), "transport: the http.Server is nil")
}
