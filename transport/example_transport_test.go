//go:build !plan9 && !js && !wasip1

package transport_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/tcpkeepalive/keepalive/transport"
)

// Bodies that nobody reads, and a server that says how long it keeps a connection.
func Example() {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "hello")
	}))
	if err := transport.Announce(server.Config, time.Minute); err != nil {
		log.Fatal(err)
	}
	server.Start()
	defer server.Close()

	learned := make(chan string, 1)
	t, err := transport.New(transport.Options{
		DrainTime: time.Second, // for a busy machine; the default is 50 ms
		Events: transport.Events{
			Learned: func(_ string, timeout time.Duration, how string) { learned <- fmt.Sprint(timeout, " from ", how) },
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer t.CloseIdleConnections()
	client := http.Client{Transport: t}
	for range 100 {
		resp, err := client.Get(server.URL)
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
	}
	fmt.Println("learned", <-learned)
	s := t.Stats()
	few := s.Opened < 10 // one, unless the machine is busy
	fmt.Println(s.Responses, "responses; few connections:", few)
	fmt.Println(s.Drained, "bytes read by Close")
	// Output:
	// learned 1m0s from Keep-Alive header
	// 100 responses; few connections: true
	// 500 bytes read by Close
}
