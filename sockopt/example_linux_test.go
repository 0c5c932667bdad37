package sockopt_test

import (
	"fmt"
	"log"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

// connection returns one end of a new connection, in place of one that other
// code has made.
func connection() *net.TCPConn {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

func Example() {
	conn := connection()
	defer conn.Close()
	cfg := sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3}
	if err := sockopt.Set(conn, cfg); err != nil {
		log.Print(err) // names each option that did not take
	}
	held, err := sockopt.Get(conn)
	fmt.Println(held, err)
	// Output: on idle=60s interval=10s count=3 user-timeout=off <nil>
}

func ExampleSet() {
	conn := connection()
	defer conn.Close()
	fmt.Println(sockopt.Set(conn, sockopt.Recommended()))
	fmt.Println(sockopt.Set(conn, sockopt.Config{Idle: 10 * time.Hour, Count: 3})) // changes nothing
	fmt.Println(sockopt.Set("a text", sockopt.Config{}))
	// Output:
	// <nil>
	// sockopt: idle=36000s is too large: TCP_KEEPIDLE on linux takes 1s to 32767s
	// sockopt: string: no access to a socket: string has neither SyscallConn nor NetConn
}

func ExampleGet() {
	conn := connection() // by net.Dial, so it has Go's own values
	defer conn.Close()
	held, err := sockopt.Get(conn)
	fmt.Println(held, err)
	// Output: on idle=15s interval=15s count=9 user-timeout=off <nil>
}

func ExamplePin() {
	conn := sockopt.Pin(connection())
	defer conn.Close()
	fmt.Println(sockopt.Set(conn, sockopt.Recommended()))
	if tcp, ok := conn.(interface{ SetKeepAlive(bool) error }); ok {
		fmt.Println(tcp.SetKeepAlive(false))
	}
	held, err := sockopt.Get(conn)
	fmt.Println(held, err)
	// Output:
	// <nil>
	// sockopt: the keepalive options of this connection are pinned
	// on idle=30s interval=10s count=3 user-timeout=60s <nil>
}

func ExampleConfig_Validate() {
	fmt.Println(sockopt.Recommended().Validate())
	fmt.Println(sockopt.Config{Idle: -time.Second, Interval: 10 * time.Hour}.Validate())
	// Output:
	// <nil>
	// sockopt: idle=-1s is negative: 0 leaves it alone; interval=36000s is too large: TCP_KEEPINTVL on linux takes 1s to 32767s
}

func ExampleConfig_Nearest() {
	nearest, changes, err := sockopt.Config{Idle: 10 * time.Hour, Count: 3}.Nearest()
	fmt.Println(nearest, changes, err)
	// Output: idle=32767s,count=3 [idle=36000s -> 32767s: idle=36000s is too large: TCP_KEEPIDLE on linux takes 1s to 32767s] <nil>
}

func ExampleConfig_DetectionTime() {
	cfg := sockopt.Config{Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}
	fmt.Println(cfg.DetectionTime())
	cfg.UserTimeout = time.Minute // replaces the count
	fmt.Println(cfg.DetectionTime())
	cfg.Disabled = true
	fmt.Println(cfg.DetectionTime())
	// Output:
	// 25s <nil>
	// 1m0s <nil>
	// 0s sockopt: keepalive is off: a dead peer of an idle connection is never noticed
}

func ExampleConfig_MatchUserTimeout() {
	cfg := sockopt.Config{Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}
	fmt.Println(cfg.MatchUserTimeout())
	// Output: idle=10s,interval=5s,count=3,user-timeout=25s <nil>
}

func ExampleConfig_Warnings() {
	cfg := sockopt.Config{Idle: 2 * time.Second, Interval: time.Second, Count: 3, UserTimeout: 10 * time.Second}
	for _, w := range cfg.Warnings() {
		fmt.Println(w)
	}
	// Output:
	// user-timeout: 10s is longer than idle + count*interval (5s): it replaces the count, so a dead peer is noticed after 10s and 8 probes
}

// The kernel's ETIMEDOUT and a deadline are both timeouts to net.Error.
func ExampleCauseOf_peerTimeout() {
	gone := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ETIMEDOUT)}
	deadline := &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}
	fmt.Println(gone.Timeout(), sockopt.CauseOf(gone) == sockopt.PeerTimeout)
	fmt.Println(deadline.Timeout(), sockopt.CauseOf(deadline) == sockopt.PeerTimeout)
	// Output:
	// true true
	// true false
}

func ExampleCauseOf() {
	conn := connection()
	if err := conn.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		log.Fatal(err)
	}
	_, err := conn.Read(make([]byte, 1))
	fmt.Println(sockopt.CauseOf(err))
	conn.Close()
	_, err = conn.Read(make([]byte, 1))
	fmt.Println(sockopt.CauseOf(err))
	// Output:
	// deadline
	// closed
}

// Some packages set options on connections that are passed to them.
func ExampleVerify() {
	conn := connection()
	defer conn.Close()
	cfg := sockopt.Recommended()
	if err := sockopt.Set(conn, cfg); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sockopt.Verify(conn, cfg))
	if err := conn.SetKeepAlivePeriod(time.Minute); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sockopt.Verify(conn, cfg))
	// Output:
	// <nil>
	// sockopt: keepalive idle=30s,interval=10s,count=3,user-timeout=60s: TCP_KEEPIDLE: asked for 30, the kernel holds 60
}
