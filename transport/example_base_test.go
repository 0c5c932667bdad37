//go:build !plan9 && !js && !wasip1

package transport_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/tcpkeepalive/keepalive/transport"
)

// A certificate authority of one's own. Certificates of a client go into the same
// tls.Config, a proxy into base.Proxy.
func ExampleNew_tls() {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "hello")
	}))
	defer server.Close()
	authorities := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs

	base := http.DefaultTransport.(*http.Transport).Clone()
	base.TLSClientConfig = &tls.Config{RootCAs: authorities}
	t, err := transport.New(transport.Options{Base: base})
	if err != nil {
		log.Fatal(err)
	}
	defer t.CloseIdleConnections()
	resp, err := (&http.Client{Transport: t}).Get(server.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}
