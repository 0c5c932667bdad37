//go:build linux

package transport_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
	"github.com/tcpkeepalive/keepalive/transport"
)

// A server that says how long it keeps an idle connection, on a listener whose
// connections are tuned.
func ExampleAnnounce() {
	server := &http.Server{Handler: http.NotFoundHandler()}
	if err := transport.Announce(server, time.Minute); err != nil {
		log.Fatal(err)
	}
	lc := listener.ListenConfig{Config: sockopt.Recommended()}
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go server.Serve(l)
	defer server.Close()

	resp, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	fmt.Println("Keep-Alive:", resp.Header.Get("Keep-Alive"))
	// Output: Keep-Alive: timeout=60
}
