package transport

import (
	"net/http"

	"github.com/tcpkeepalive/keepalive/dialer"
)

//lint:file-ignore SA1019 A Base may dial with Dial or DialTLS, as net/http still lets it.

// Standard returns a clone of [http.DefaultTransport] that connects with d. Proxies,
// limits, timeouts and HTTP/2 stay as they are. Close its idle connections when you no
// longer need it.
//
// If the program has replaced http.DefaultTransport by another type, Standard returns a
// transport with the proxy settings of the environment and HTTP/2. If the program has
// replaced it by an http.Transport that dials itself, d replaces that dialer, too.
func Standard(d *dialer.Dialer) *http.Transport {
	t := standard()
	t.Dial, t.DialTLS, t.DialTLSContext = nil, nil, nil
	t.DialContext = d.DialContext
	return t
}

// standard returns a clone of http.DefaultTransport.
func standard() *http.Transport {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	}
	return clone(t)
}

// clone returns one that speaks HTTP/2 where t does, whatever it will dial with. A
// DialContext keeps net/http from speaking it unless it is asked to
// (onceSetNextProtoDefaults). Clone makes t decide, and what it speaks then stands
// in its TLSNextProto.
func clone(t *http.Transport) *http.Transport {
	c := t.Clone()
	if _, ok := t.TLSNextProto["h2"]; ok {
		c.ForceAttemptHTTP2 = true
	}
	return c
}
