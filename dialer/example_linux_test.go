package dialer_test

import (
	"fmt"
	"log"
	"net"
	"time"

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

func ExampleConfigureUserTimeoutToo() {
	server := newServer()
	defer server.Close()

	theirs := &net.Dialer{}
	cfg := sockopt.Config{Idle: time.Minute, Interval: 15 * time.Second, Count: 4, UserTimeout: 2 * time.Minute}
	if err := dialer.ConfigureUserTimeoutToo(theirs, cfg); err != nil {
		log.Fatal(err)
	}
	conn, err := theirs.Dial("tcp", server.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(sockopt.Get(conn))
	// Output: on idle=60s interval=15s count=4 user-timeout=120s <nil>
}
