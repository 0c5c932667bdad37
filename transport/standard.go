package transport

import (
	"net/http"

	"github.com/tcpkeepalive/keepalive/dialer"
)

// Standard returns a clone of [http.DefaultTransport] that connects with d:
// proxies, limits, timeouts and HTTP/2 stay as they are there. Close its idle
// connections when it is no longer needed.
//
// If the program has replaced http.DefaultTransport by another type, a
// transport with the proxy settings of the environment and HTTP/2 is returned.
func Standard(d *dialer.Dialer) *http.Transport {
	t := standard()
	t.DialContext = d.DialContext
	t.ForceAttemptHTTP2 = true // a custom DialContext switches it off
	return t
}

// standard is a clone of http.DefaultTransport.
func standard() *http.Transport {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return &http.Transport{Proxy: http.ProxyFromEnvironment}
	}
	return t.Clone()
}
