package transport_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/transport"
)

// net/http does not promise to call no hook of a request that has ended. Such a call says
// nothing about the next request: that has lost its race, and has got no answer.
func TestALateHookIsNotOfTheNextRequest(t *testing.T) {
	t.Parallel()
	const rounds = 16
	var ended atomic.Pointer[httptrace.ClientTrace] // of the request that made the connection
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	testkit.Serve(t, l, func(c net.Conn) { // answers once, and takes the second request without a word
		b := bufio.NewReader(c)
		if _, err := http.ReadRequest(b); err == nil {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
		}
		if _, err := http.ReadRequest(b); err == nil {
			ended.Load().GotFirstResponseByte()
		}
	})
	rt := newTransport(t, transport.Options{Base: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ended.Store(httptrace.ContextClientTrace(ctx))
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}})
	url := "http://" + l.Addr().String()
	for range rounds {
		assert.Equal(t, "x", read(t, rt, url))
		_, err := rt.RoundTrip(must(http.NewRequest(http.MethodPost, url, strings.NewReader("body"))))
		assert.Error(t, err)
	}
	assert.EqualValues(t, rounds, rt.Stats().LostRaces)
}
