package transport_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/sockopt"
	"github.com/tcpkeepalive/keepalive/transport"
)

// The package's doc says what differs for programs that use a Transport in place of an
// http.Transport.
func TestInPlaceOfAnHTTPTransport(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-release
		}
	}, nil)
	t.Cleanup(func() { close(release) }) // before the server is closed
	rt := newTransport(t, transport.Options{Dialer: &dialer.Dialer{Config: asked}})

	_, err := (&http.Client{Transport: rt, Timeout: 50 * time.Millisecond}).Get(server.URL + "/slow")
	require.Error(t, err)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())
	assert.ErrorIs(t, err, context.DeadlineExceeded)

	_, cancels := any(rt).(interface{ CancelRequest(*http.Request) })
	assert.False(t, cancels)

	var got net.Conn
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { got = i.Conn }})
	resp, err := rt.RoundTrip(must(http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)))
	require.NoError(t, err)
	defer resp.Body.Close()
	_, plain := got.(*net.TCPConn)
	assert.False(t, plain)
	assert.IsType(t, (*net.TCPConn)(nil), got.(interface{ NetConn() net.Conn }).NetConn())
	settings, err := sockopt.Get(got)
	require.NoError(t, err)
	assert.Contains(t, settings.String(), "idle=111s")
	_, err = inspect.Of(got)
	assert.NoError(t, err)
}

// A handler can hijack a pinned connection.
func TestHijackOfAPinnedConnection(t *testing.T) {
	t.Parallel()
	hijacked := make(chan net.Conn, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if assert.NoError(t, err) {
			hijacked <- c
			c.Close()
		}
	})}
	require.NoError(t, transport.Announce(server, time.Minute))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go server.Serve(pinning{l})
	defer server.Close()
	_, err = new(http.Transport).RoundTrip(must(http.NewRequest(http.MethodGet, "http://"+l.Addr().String(), nil)))
	require.Error(t, err, "it was closed")
	c := <-hijacked
	_, plain := c.(*net.TCPConn)
	assert.False(t, plain)
	_, closesWrite := c.(interface{ CloseWrite() error })
	assert.True(t, closesWrite)
}

type pinning struct{ net.Listener }

func (p pinning) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return sockopt.Pin(c), nil
}
