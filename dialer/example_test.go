//go:build !plan9 && !js && !wasip1

package dialer_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// newServer accepts connections on loopback and closes them when it is closed.
func newServer() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	return l
}

func ExampleNew() {
	server := newServer()
	defer server.Close()

	d, err := dialer.New(sockopt.Config{}) // keepalive on, with the timing of the system
	if err != nil {
		log.Fatal(err) // this operating system cannot do it; the text says what it can
	}
	conn, err := d.Dial("tcp", server.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	settings, err := sockopt.Get(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("keepalive:", settings.Enabled)
	// Output: keepalive: true
}

func ExampleDialer() {
	server := newServer()
	defer server.Close()

	d := dialer.Dialer{
		// Timeouts, addresses, resolver and hooks are those of package net. Its
		// KeepAlive field is ignored.
		Base:   net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second},
		Config: sockopt.Config{Disabled: true},
	}
	conn, err := d.Dial("tcp", server.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	settings, err := sockopt.Get(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("keepalive:", settings.Enabled)
	// Output: keepalive: false
}

func ExampleDialer_Check() {
	d := dialer.Dialer{Config: sockopt.Config{Idle: -time.Second}}
	fmt.Println(d.Check())
	// Output: dialer: idle=-1s is negative: 0 leaves it alone
}

func ExampleDialer_DialContext() {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()

	d := dialer.Dialer{}
	transport := http.DefaultTransport.(*http.Transport).Clone() // keeps HTTP/2 and the proxies
	transport.DialContext = d.DialContext
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 404 Not Found
}

func ExampleDialer_DialGRPC() {
	server := newServer()
	defer server.Close()

	d := dialer.Dialer{
		Pin: true, // or grpc-go's keepalive parameters replace the user timeout
	}
	// In a program:
	//
	//	conn, err := grpc.NewClient(target, grpc.WithContextDialer(d.DialGRPC), ...)
	//
	// grpc-go then calls
	conn, err := d.DialGRPC(context.Background(), server.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(conn.RemoteAddr().Network())
	// Output: tcp
}

func ExampleDialer_DialAddr() {
	server := newServer()
	defer server.Close()

	d := dialer.Dialer{}
	dial := d.DialAddr("tcp") // mysql.RegisterDialContext("tcp", d.DialAddr("tcp"))
	conn, err := dial(context.Background(), server.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(conn.RemoteAddr().Network())
	// Output: tcp
}

func ExampleConfigure() {
	server := newServer()
	defer server.Close()

	theirs := &net.Dialer{Timeout: 5 * time.Second} // a library lets its user change it
	if err := dialer.Configure(theirs, sockopt.Config{}); err != nil {
		log.Fatal(err)
	}
	conn, err := theirs.Dial("tcp", server.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	settings, err := sockopt.Get(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("keepalive:", settings.Enabled)
	// Output: keepalive: true
}
