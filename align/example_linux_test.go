package align_test

import (
	"fmt"
	"log"
	"net"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/inspect"
)

// A live connection, with the limits of the kernel below it.
func ExampleRequest_Assess() {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	conn, err := net.Dial("tcp", server.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	report, err := inspect.Of(conn)
	if err != nil {
		log.Fatal(err)
	}
	path, err := align.Path("aws-nlb-tcp")
	if err != nil {
		log.Fatal(err)
	}
	request := align.Request{
		Path: path, Multipath: report.Multipath,
		Retries: report.Retries, // known while data is in flight, otherwise the defaults of Linux
	}
	a, err := request.Assess(report.Settings) // the 15 s, 15 s and 9 of package net
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Verdict, "-", a.Reason)
	// Output:
	// survives - refreshed after 50.3s at the latest, with 2 probes lost; aws-nlb-tcp forgets it after 350s
}
