package dialer_test

import (
	"fmt"
	"log"
	"net"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func ExampleDialer_Dial() {
	server := newServer()
	defer server.Close()

	d, err := dialer.New(sockopt.Recommended())
	if err != nil {
		log.Fatal(err)
	}
	conn, err := d.Dial("tcp", server.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(sockopt.Get(conn))
	// Output: on idle=30s interval=10s count=3 user-timeout=60s <nil>
}

// The user timeout bounds the handshake, too.
func ExampleConfigure_userTimeout() {
	server := newServer()
	defer server.Close()

	theirs := &net.Dialer{}
	if err := dialer.Configure(theirs, sockopt.Recommended()); err != nil {
		log.Fatal(err)
	}
	conn, err := theirs.Dial("tcp", server.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(sockopt.Get(conn))
	// Output: on idle=30s interval=10s count=3 user-timeout=60s <nil>
}
