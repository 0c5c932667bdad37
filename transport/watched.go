package transport

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// watched returns the conn below the connection that net/http uses: below TLS, also below
// TLS in the TLS of a proxy. It returns nil if there is none.
func watched(c net.Conn) *conn {
	for range 4 {
		t, ok := c.(*tls.Conn)
		if !ok {
			break
		}
		c = t.NetConn()
	}
	w, _ := c.(*conn)
	return w
}

const (
	http1 int32 = iota + 1
	notHTTP1
)

// speaksHTTP1 reports whether HTTP/1 is spoken on the connection, and not HTTP/2; see
// multiplexed.
func (c *conn) speaksHTTP1(above net.Conn) bool {
	kind := c.kind.Load()
	if kind == 0 {
		kind = http1
		if secure, ok := above.(*tls.Conn); ok {
			if secure.ConnectionState().NegotiatedProtocol == "h2" {
				kind = notHTTP1
			}
		} else if p := c.t.base.Protocols; p != nil && p.UnencryptedHTTP2() && !p.HTTP1() {
			kind = notHTTP1
		}
		c.kind.Store(kind)
	}
	return kind == http1
}

// hostOf returns what is remembered about the host that the connection of a request leads
// to. If a proxy forwards plain HTTP, that is the proxy, whatever the host of the request
// is. A SOCKS proxy makes a tunnel to the host, as CONNECT does.
func (c *conn) hostOf(req *http.Request) *host {
	h := c.host.Load()
	if h == nil {
		key := hostKey{req.URL.Scheme, canonicalHost(req.URL)}
		if key.scheme == "http" && !c.socks.Load() {
			key.host = strings.ToLower(c.address)
		}
		h = c.t.host(key)
		c.host.Store(h)
	}
	return h
}

// canonicalHost returns the host and port of a URL, always in the same spelling. Names
// are the same in upper and lower case (RFC 9110, 4.2.3).
func canonicalHost(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = defaultPort[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

var defaultPort = map[string]string{"http": "80", "https": "443"}

// socksVersion is what a SOCKS5 client says first (RFC 1928, 3). Neither HTTP, nor
// CONNECT, nor a record of TLS begins with it.
const socksVersion = 5
