package listener_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func ExampleListenConfig_Listen() {
	lc := listener.ListenConfig{Config: sockopt.Recommended()}
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()

	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	conn, err := l.Accept() // no keepalive system call is made here
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(sockopt.Get(conn))
	// Output: on idle=30s interval=10s count=3 user-timeout=60s <nil>
}

func ExampleConfigure() {
	var theirs net.ListenConfig // a library lets its user change it
	if err := listener.Configure(&theirs, sockopt.Recommended()); err != nil {
		log.Fatal(err)
	}
	l, err := theirs.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()

	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	conn, err := l.Accept()
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(sockopt.Get(conn))
	// Output: on idle=30s interval=10s count=3 user-timeout=60s <nil>
}
