package inspect_test

import (
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// connect returns a connection with keepalive, and its listener.
func connect() (net.Conn, net.Listener) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	d, err := dialer.New(sockopt.Config{Idle: 7190 * time.Second, Interval: 75 * time.Second, Count: 9})
	if err != nil {
		log.Fatal(err)
	}
	conn, err := d.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	return conn, l
}

func ExampleOf() {
	conn, l := connect()
	defer l.Close()
	defer conn.Close()

	r, err := inspect.Of(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.State, r.Timer.Kind, r.Settings)
	fmt.Println(r.Timer) // as ss -tno prints it
	next, err := r.NextProbe()
	fmt.Println(next.Round(time.Minute), err)
	// Output:
	// ESTAB keepalive on idle=7190s interval=75s count=9 user-timeout=off
	// timer:(keepalive,119min,0)
	// 2h0m0s <nil>
}

func ExampleReport_Explain() {
	conn, l := connect()
	defer l.Close()
	defer conn.Close()

	r, err := inspect.Of(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Explain())
	// Output: next probe in 1h59m50s; the peer is given up 2h11m5s after its last answer
}

func ExampleAlive() {
	conn, l := connect()
	defer conn.Close()
	server, err := l.Accept()
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()

	fmt.Println(inspect.Alive(conn))
	server.Close()
	for inspect.Alive(conn) == nil {
		time.Sleep(time.Millisecond) // until the FIN arrives
	}
	fmt.Println(inspect.Alive(conn))
	// Output:
	// <nil>
	// inspect: the peer has closed the connection
}

func ExampleNewHandle() {
	conn, l := connect()
	defer l.Close()
	defer conn.Close()

	h, err := inspect.NewHandle(conn) // once for a connection of a pool
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(h.Alive()) // each time it is handed out
	// Output: <nil>
}

func ExampleList() {
	conn, l := connect()
	defer l.Close()
	defer conn.Close()

	owners, err := inspect.FindOwners(os.Getpid()) // or of all processes: FindOwners()
	if err != nil {
		log.Fatal(err)
	}
	for r, err := range inspect.List(inspect.Filter{Peer: []string{l.Addr().String()}, Owners: owners, Settings: true}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.State, r.Timer)
		fmt.Println(r.Settings)
		fmt.Println(r.Owners[0].PID == os.Getpid())
	}
	// Output:
	// ESTAB timer:(keepalive,119min,0)
	// on idle=7190s interval=75s count=9 user-timeout=off
	// true
}
