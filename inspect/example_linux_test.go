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
	fmt.Println(r) // as ss -tno prints it
	next, err := r.NextProbe()
	fmt.Println(next.Round(time.Minute), err)
	// Output:
	// ESTAB keepalive on idle=7190s interval=75s count=9 user-timeout=off
	// timer:(keepalive,119min,0)
	// 2h0m0s <nil>
}

func ExampleReport_Verdict() {
	conn, l := connect()
	defer l.Close()
	defer conn.Close()

	r, err := inspect.Of(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Verdict())
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
	// the peer has closed the connection
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
	fmt.Println(h.Health())
	// Output:
	// <nil>
	// ESTAB <nil>
}

func ExampleList() {
	_, l := connect()
	defer l.Close()

	peer := inspect.Endpoint{LowPort: uint16(l.Addr().(*net.TCPAddr).Port)}
	for s, err := range inspect.List(inspect.Filter{Peer: []inspect.Endpoint{peer}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(s.State, s.Local.Addr(), s.Timer)
	}
	// Output: ESTAB 127.0.0.1 timer:(keepalive,119min,0)
}

func ExampleParseEndpoint() {
	for _, text := range []string{"10.0.0.0/8:443", "[2001:db8::]/32:8000-8099", ":5432", "localhost"} {
		fmt.Println(inspect.ParseEndpoint(text))
	}
	// Output:
	// 10.0.0.0/8:443 <nil>
	// [2001:db8::]/32:8000-8099 <nil>
	// *:5432 <nil>
	// * "localhost": "localhost" is neither an IP address nor a prefix like 10.0.0.0/8 (names are not looked up; a port is written :443)
}

func ExamplePeeker() {
	conn, l := connect()
	defer l.Close()
	defer conn.Close()

	owners, err := inspect.FindOwners(os.Getpid()) // or all: FindOwners()
	if err != nil {
		log.Fatal(err)
	}
	var peeker inspect.Peeker
	defer peeker.Close()
	peer := inspect.Endpoint{LowPort: uint16(l.Addr().(*net.TCPAddr).Port)}
	for s, err := range inspect.List(inspect.Filter{Peer: []inspect.Endpoint{peer}}) {
		if err != nil {
			log.Fatal(err)
		}
		for o := range owners.Of(s.Inode) {
			settings, err := peeker.Settings(o, s.Inode)
			fmt.Println(settings, err)
		}
	}
	// Output: on idle=7190s interval=75s count=9 user-timeout=off <nil>
}
