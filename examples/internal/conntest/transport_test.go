package conntest_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"testing"

	"golang.org/x/net/nettest"

	"github.com/tcpkeepalive/keepalive/transport"
)

// The connection of a transport is only its own until a server switches
// protocols: then it belongs to the caller, who gets at it through
// [httptrace.GotConnInfo] as a WebSocket library does.
func TestTransportConn(t *testing.T) {
	t.Parallel()
	accepted := make(chan net.Conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n"); err != nil {
			t.Error(err)
		}
		if err := rw.Flush(); err != nil {
			t.Error(err)
		}
		accepted <- conn
	}))
	t.Cleanup(server.Close)
	tr, err := transport.New(transport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	nettest.TestConn(t, func() (client, peer net.Conn, stop func(), err error) {
		trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { client = info.Conn }}
		request, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, server.URL, nil)
		if err != nil {
			return nil, nil, nil, err
		}
		request.Header.Set("Connection", "Upgrade")
		request.Header.Set("Upgrade", "test")
		response, err := tr.RoundTrip(request)
		if err != nil {
			return nil, nil, nil, err
		}
		if response.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("status %s", response.Status)
		}
		peer = <-accepted
		if _, bare := client.(*net.TCPConn); bare {
			t.Fatal("this is not the transport's own connection")
		}
		return client, peer, func() { client.Close(); peer.Close() }, nil
	})
}
