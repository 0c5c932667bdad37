package transport_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/transport"
)

// After 101 each side may say that it has nothing more to send, and still get an answer:
// directly and through a ReverseProxy, over TCP and over TLS.
func TestHalfCloseAfterAnUpgrade(t *testing.T) {
	t.Parallel()
	answers := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		b, _ := io.ReadAll(rw)
		fmt.Fprintf(c, "got %d", len(b))
	})
	for scheme, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			s := start(answers)
			defer s.Close()
			base := s.Client().Transport.(*http.Transport).Clone()
			base.DialContext = nil
			tr, err := transport.New(transport.Options{Base: base})
			require.NoError(t, err)
			defer tr.CloseIdleConnections()

			req := must(http.NewRequest(http.MethodGet, s.URL, nil))
			req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"x"}}
			resp, err := tr.RoundTrip(req)
			require.NoError(t, err)
			body := resp.Body.(io.ReadWriteCloser)
			defer body.Close()
			_, err = io.WriteString(body, "12345")
			require.NoError(t, err)
			require.NoError(t, body.(interface{ CloseWrite() error }).CloseWrite())
			answer, err := io.ReadAll(body)
			require.NoError(t, err)
			assert.Equal(t, "got 5", string(answer))

			proxy := httputil.NewSingleHostReverseProxy(must(url.Parse(s.URL)))
			proxy.Transport = tr
			front := httptest.NewServer(proxy)
			defer front.Close()
			c, err := net.Dial("tcp", front.Listener.Addr().String())
			require.NoError(t, err)
			defer c.Close()
			c.SetDeadline(time.Now().Add(20 * time.Second))
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			r := bufio.NewReader(c)
			resp, err = http.ReadResponse(r, nil)
			require.NoError(t, err)
			require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
			io.WriteString(c, "12345")
			require.NoError(t, c.(*net.TCPConn).CloseWrite())
			answer, err = io.ReadAll(r)
			require.NoError(t, err)
			assert.Equal(t, "got 5", string(answer))
		})
	}
}
