// Command nginx asks a real nginx for a page, with keepalive that survives a path on
// both sides, and shows what the kernel has for each.
//
//	sudo go run ./nginx    without root nginx' side cannot be read
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/examples/internal/servers"
	"github.com/tcpkeepalive/keepalive/examples/internal/sockets"
	"github.com/tcpkeepalive/keepalive/transport"
)

func main() {
	log.SetFlags(0)
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	path, err := align.Path("aws-nlb-tcp")
	if err != nil {
		return err
	}
	plan, err := align.Request{Path: path}.Plan()
	if err != nil {
		return err
	}
	// What keepalive plan --path aws-nlb-tcp --as nginx prints. The second value of
	// keepalive_timeout is what nginx tells clients in its Keep-Alive header.
	server, err := servers.Nginx("so_keepalive=60s:6s:3", "keepalive_timeout 75s 75s;\nreturn 200 hello;")
	if err != nil {
		return err
	}
	defer server.Stop()

	d, err := dialer.New(plan.Config)
	if err != nil {
		return err
	}
	t, err := transport.New(transport.Options{Dialer: d})
	if err != nil {
		return err
	}
	defer t.CloseIdleConnections()
	req, err := http.NewRequest(http.MethodGet, "http://"+server.Address, nil)
	if err != nil {
		return err
	}
	var conn net.Conn
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { conn = info.Conn }}
	resp, err := t.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	fmt.Fprintln(w, "answer", resp.Status, resp.Header.Get("Server"), "Keep-Alive:", resp.Header.Get("Keep-Alive"))
	ours, theirs, err := sockets.Both(conn)
	fmt.Fprintln(w, "Go    ", ours)
	if err != nil {
		fmt.Fprintln(w, "nginx ", err)
		return nil
	}
	fmt.Fprintln(w, "nginx ", theirs)
	return nil
}
