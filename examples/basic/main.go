// Command basic dials a listener on loopback, both with the same keepalive, and
// reads back from the kernel what each side really has.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func main() {
	cfg, changes, err := sockopt.RecommendedFor(platform.Current()) // this system may lack an option
	check(err)
	for _, change := range changes {
		fmt.Fprintln(os.Stderr, "adapted:", change)
	}

	lc, err := listener.New(cfg)
	check(err)
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	check(err)
	d, err := dialer.New(cfg)
	check(err)
	dialed, err := d.Dial("tcp", l.Addr().String())
	check(err)
	accepted, err := l.Accept()
	check(err)

	show("dialed  ", dialed)
	show("accepted", accepted)
}

func show(name string, c net.Conn) {
	settings, err := sockopt.Get(c)
	check(err)
	fmt.Println(name, settings)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
