package discover_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/discover"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// TestAServerThatClosesAfterEachResponse has no idle timeout, however long it takes for
// that: the second request, which it does not answer, says nothing.
func TestAServerThatClosesAfterEachResponse(t *testing.T) {
	t.Parallel()
	const why = "discover: none of 4 connections: the server closes after each response (HTTP/1."
	for name, tt := range map[string]struct {
		response string
		after    time.Duration
		want     string
	}{
		"late": {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", 3 * time.Second,
			why + "1 200 OK, Connection: close), so no idle timeout can be measured in http mode"},
		"one of several tokens": {"HTTP/1.1 400 Bad Request\r\nconnection: foo , Close\r\n\r\n", 3 * time.Second,
			why + "1 400 Bad Request, Connection: close), so no idle timeout can be measured in http mode"},
		"HTTP/1.0": {"HTTP/1.0 200 OK\r\n\r\n", 0,
			why + "0 200 OK, without Connection: keep-alive), so no idle timeout can be measured in http mode"},
		"at once, without a word": {"HTTP/1.1 200 OK\r\n\r\n", 0,
			"discover: none of 4 connections: the server answered a new connection and ended it at once, so no idle timeout can be measured in http mode: EOF"},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				o := discover.Options{Check: discover.HTTP("x"), Max: 8 * time.Second, Connections: 4, Wait: 5 * time.Second}
				config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
				if secure {
					o.Secure = func(ctx context.Context, c net.Conn) (net.Conn, error) {
						s := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
						return s, s.HandshakeContext(ctx)
					}
				}
				o.Address = serve(t, func(c net.Conn) {
					if secure {
						s := tls.Server(c, config)
						defer s.Close()
						c = s
					}
					c.Read(make([]byte, 4000))
					io.WriteString(c, tt.response)
					select {
					case <-time.After(tt.after):
					case <-t.Context().Done():
					}
				})
				_, err := discover.Run(within(t, 20*time.Second), o)
				require.ErrorIs(t, err, sockopt.ErrUnknown)
				assert.Equal(t, tt.want, err.Error())
			})
		}
	}
}

// TestALaterResponseMayClose: a server that restarts, or has served enough requests,
// says so, and the connection was alive.
func TestALaterResponseMayClose(t *testing.T) {
	t.Parallel()
	r, err := discover.Run(within(t, 20*time.Second), discover.Options{
		Check: discover.HTTP("x"), Min: 300 * time.Millisecond, Max: 500 * time.Millisecond, Connections: 4, Wait: 5 * time.Second,
		Address: serve(t, func(c net.Conn) {
			b := make([]byte, 4000)
			for _, response := range []string{"HTTP/1.0 204 No Content\r\nConnection: Keep-Alive\r\n\r\n", "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"} {
				c.Read(b)
				io.WriteString(c, response)
			}
		}),
	})
	require.NoError(t, err)
	if runtime.GOOS == "linux" { // elsewhere it is not known that nothing else kept the path alive
		assert.NoError(t, r.Err())
	}
	assert.GreaterOrEqual(t, r.Alive, 500*time.Millisecond)
}
