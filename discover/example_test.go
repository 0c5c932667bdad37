package discover_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/discover"
)

// A server that closes connections after 1.5 s of silence.
func Example() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := make([]byte, 1)
				for {
					c.SetReadDeadline(time.Now().Add(1500 * time.Millisecond))
					if _, err := io.ReadFull(c, b); err != nil {
						return
					}
					c.Write(b)
				}
			}()
		}
	}()

	r, err := discover.Run(context.Background(), discover.Options{
		Address: l.Addr().String(), Check: discover.Echo, Max: time.Minute, Connections: 16,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Dead.Round(time.Second/2), r.End)
	// Output: 1.5s closed (FIN) while idle
}

// What was measured is a profile to plan with.
func ExampleResult_Profile() {
	r := discover.Result{Alive: 348 * time.Second, Dead: 352 * time.Second, End: "forgotten: silent drop"}
	p, err := r.Profile("our-firewall")
	if err != nil {
		log.Fatal(err)
	}
	plan, err := align.Request{Path: []align.Profile{p}}.Plan()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Config)
	// Output: idle=60s,interval=6s,count=3,user-timeout=79s
}
