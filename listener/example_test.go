//go:build !plan9 && !js && !wasip1

package listener_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// acceptOne connects to l and prints whether the accepted connection has
// keepalive.
func acceptOne(l net.Listener) {
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
	settings, err := sockopt.Get(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("keepalive:", settings.Enabled)
}

func ExampleNew() {
	lc, err := listener.New(sockopt.Config{}) // keepalive on, with the timing of the system
	if err != nil {
		log.Fatal(err) // this operating system cannot do it; the text says what it can
	}
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	acceptOne(l)
	// Output: keepalive: true
}

func ExampleListenConfig() {
	lc := listener.ListenConfig{
		Config: sockopt.Config{}, // keepalive on, with the timing of the system
		OnError: func(conn net.Conn, err error) {
			log.Print(err) // an accepted connection lacks an option
		},
	}
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()

	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "hello")
	})}
	defer server.Close()
	go server.Serve(l)

	resp, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(body))
	// Output: hello
}

func ExampleWrap() {
	l, err := net.Listen("tcp", "127.0.0.1:0") // made by somebody else
	if err != nil {
		log.Fatal(err)
	}
	wrapped, err := listener.Wrap(l, sockopt.Config{Disabled: true})
	if err != nil {
		log.Fatal(err)
	}
	defer wrapped.Close()
	acceptOne(wrapped)
	// Output: keepalive: false
}

func ExampleRestore() {
	// This is a socket from systemd whose unit file does not mention keepalive.
	// A program gets it from net.FileListener.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	restored, err := listener.Restore(l)
	if err != nil {
		log.Fatal(err)
	}
	defer restored.Close()
	acceptOne(restored) // without Restore Go switches it on
	// Output: keepalive: false
}
