// Package ends says what the two ends of a path with proxies have to do with HTTP
// connections that carry no request. Whoever sends requests has to close an idle
// connection first: a server that does may close it while a request is on its way, and
// the client gets an error, or a proxy answers 502.
package ends

import (
	"slices"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/duration"
)

// Ends are the two ends of a path that has something on it which closes idle
// connections.
type Ends struct {
	// Client is the longest time for which the client may keep an idle connection: it is
	// shorter than the timeout of First by the longest round trip and a second. It is 0
	// if that timeout is not known.
	Client time.Duration
	First  align.Profile
	// Server is the shortest time for which the server has to keep an idle connection: it
	// is longer than the timeout of Last. It is 0 if that timeout is not known, and if
	// Last is empty.
	Server time.Duration
	// Last is the last proxy, whose connection ends at the server. Its ID is "" if the
	// path has no proxy, but only a server that closes idle connections.
	Last align.Profile
	// HTTP says that the connections may carry HTTP. They do not if something on the path
	// speaks another protocol, such as a database server.
	HTTP bool
	// Early are the closers that close an idle connection no later than the one in front
	// of them, which may send a request into that.
	Early []Early
}

// An Early closer closes idle connections before Before does.
type Early struct{ Closer, Before align.Profile }

// headroom is how much sooner a client closes than what is behind it, beside a round
// trip: what align's IdleConnTimeout has.
const headroom = time.Second

// Of returns the ends of the path of a request, and false if nothing on it closes idle
// connections.
func Of(r align.Request) (Ends, bool) {
	closers := slices.DeleteFunc(withBehind(r.Path), func(p align.Profile) bool { return !closes(p) })
	if len(closers) == 0 {
		return Ends{}, false
	}
	e := Ends{First: closers[0]}
	e.HTTP = !slices.ContainsFunc(closers, func(p align.Profile) bool { return p.Protocol != "" && p.Protocol != "HTTP" })
	if t := e.First.Timeout; t > 0 {
		e.Client = max((t - rtt(r) - headroom).Truncate(time.Second), (t / 2).Truncate(time.Second/10))
	}
	for i, p := range closers[1:] {
		before := closers[i]
		// The two connections of one proxy, or those of which nothing is known.
		if before.Side == "client" || p.Side == "server" {
			continue
		}
		if p.Timeout > 0 && before.Timeout > 0 && p.Timeout <= before.Timeout {
			e.Early = append(e.Early, Early{Closer: p, Before: before})
		}
	}
	proxies := slices.DeleteFunc(slices.Clone(closers), isServer)
	if len(proxies) > 0 {
		e.Last = proxies[len(proxies)-1]
		e.Server = Above(e.Last.Timeout)
	}
	return e, true
}

// behind are the profiles of the connections that proxies for HTTP open, by those of the
// connections that they accept.
var behind = map[string]string{
	"azure-frontdoor-client":     "azure-frontdoor-std-origin",
	"caddy":                      "caddy-backend",
	"cloudflare-client-h1":       "cloudflare-origin-idle",
	"cloudflare-client-h2":       "cloudflare-origin-idle",
	"gcp-global-ext-alb-client":  "gcp-alb-backend",
	"gcp-regional-alb-client":    "gcp-alb-backend",
	"gcp-xregion-int-alb-client": "gcp-alb-backend",
	"nginx-http":                 "nginx-http-upstream",
	"nginx-http2-idle":           "nginx-http-upstream",
	"oci-lb-client":              "oci-lb-backend",
	"traefik":                    "traefik-backend",
}

// withBehind returns a path with both connections of each proxy: who names the one towards
// the client has the same proxy in front of the server, with a timeout of its own there.
func withBehind(path []align.Profile) []align.Profile {
	var whole []align.Profile
	for i, p := range path {
		whole = append(whole, p)
		id, two := behind[p.ID]
		if !two || i+1 < len(path) && path[i+1].Side != "" && path[i+1].EndsTCP() {
			continue // the path itself goes on with the same proxy
		}
		if its, err := new(align.Catalog).Lookup(id); err == nil {
			whole = append(whole, its)
		}
	}
	return whole
}

// Above returns for how long a server has to keep an idle connection to something that
// closes it after t: a thirtieth longer, and at least 5 s. That is what the makers of
// balancers recommend, 65 s for 60 s and 620 s for 600 s
// (https://cloud.google.com/load-balancing/docs/https/request-distribution). It is 0
// for 0, which is not known.
func Above(t time.Duration) time.Duration {
	if t == 0 {
		return 0
	}
	return duration.Up(t+max(t/30, 5*time.Second), time.Second)
}

// closes reports whether the device closes a connection itself that has no data for too
// long, as proxies and servers do.
func closes(p align.Profile) bool {
	return !p.Never && (isServer(p) || p.LimitsSilence() && p.EndsTCP())
}

// isServer reports whether nothing is behind the device.
func isServer(p align.Profile) bool { return p.Kind.String() == "server timeout" }

func rtt(r align.Request) time.Duration {
	if r.RTT > 0 {
		return r.RTT
	}
	return 100 * time.Millisecond
}
