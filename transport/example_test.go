//go:build !plan9 && !js && !wasip1

package transport_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/sockopt"
	"github.com/tcpkeepalive/keepalive/transport"
)

func ExampleStandard() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "hello")
	}))
	defer server.Close()

	d, err := dialer.New(sockopt.Config{})
	if err != nil {
		log.Fatal(err)
	}
	rt := transport.Standard(d)
	defer rt.CloseIdleConnections()
	resp, err := (&http.Client{Transport: rt}).Get(server.URL)
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
