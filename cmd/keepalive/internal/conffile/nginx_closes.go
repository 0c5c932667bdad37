package conffile

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// nginxTimeouts are the directives that end a silent connection of clients, by the block
// that they are for, and how long that is by default. Of upstreams it is PROTOCOL_read_timeout.
// https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout
// https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_timeout
// https://nginx.org/en/docs/mail/ngx_mail_core_module.html#timeout
var nginxTimeouts = map[string]struct {
	name     string
	usual    time.Duration
	protocol string
}{
	"http":   {"keepalive_timeout", 75 * time.Second, "HTTP"},
	"stream": {"proxy_timeout", 10 * time.Minute, ""},
	"mail":   {"timeout", time.Minute, ""},
}

const nginxReadTimeout = time.Minute // the default of PROTOCOL_read_timeout

// isNginxTimeout reports whether a directive is one of those, which inner blocks inherit.
func isNginxTimeout(name string) bool {
	protocol, ofUpstream := strings.CutSuffix(name, "_read_timeout")
	for _, p := range nginxProtocols {
		if ofUpstream && p == protocol {
			return true
		}
	}
	return name == "keepalive_timeout" || name == "proxy_timeout" || name == "timeout"
}

// clientsClosing is what ends a silent connection of a client.
func (r *nginxReader) clientsClosing(set map[string]origin) Closing {
	t := nginxTimeouts[r.block]
	c := nginxClosing(set, t.name, t.usual)
	c.Protocol = t.protocol
	if r.block == "http" {
		c.Text, c.Pause = c.Text+": HTTP keep-alive, the pause between two requests", true
	}
	return c
}

// upstreamsClosing is what ends a silent connection to an upstream.
func (r *nginxReader) upstreamsClosing(set map[string]origin, protocol string) Closing {
	if r.block == "stream" {
		return nginxClosing(set, nginxTimeouts["stream"].name, nginxTimeouts["stream"].usual)
	}
	c := nginxClosing(set, protocol+"_read_timeout", nginxReadTimeout)
	c.Text += ": while a request waits"
	if protocol == "proxy" {
		c.Protocol = "HTTP"
	}
	return c
}

func nginxClosing(set map[string]origin, name string, usual time.Duration) Closing {
	o, ok := set[name]
	if !ok {
		return Closing{After: usual, Text: name + ", nginx's default"}
	}
	words := strings.Fields(strings.TrimPrefix(o.text, name))
	if len(words) > 0 {
		if d, ok := nginxTime(strings.Join(words[:1], "")); ok {
			return Closing{After: d, Text: fmt.Sprintf("%s %s, %s", name, words[0], o.Place)}
		}
	}
	return Closing{After: usual, Text: fmt.Sprintf("%s, of which nginx's default is taken, %s", o.text, o.Place)}
}

var nginxPart = pattern(`^\s*(\d+)(ms|[smhdwMy]?)`)

// nginxTime reads 75, 1m30s, 500ms (ngx_parse_time in src/core/ngx_parse.c).
func nginxTime(text string) (d time.Duration, ok bool) {
	units := map[string]time.Duration{
		"ms": time.Millisecond, "": time.Second, "s": time.Second, "m": time.Minute, "h": time.Hour,
		"d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "M": 30 * 24 * time.Hour, "y": 365 * 24 * time.Hour,
	}
	for rest := text; rest != ""; {
		m := nginxPart().FindStringSubmatch(rest)
		if m == nil {
			return 0, false
		}
		n, err := strconv.ParseInt(m[1], 10, 64)
		unit := units[m[2]]
		if err != nil || n > int64(maxClosing/unit) {
			return 0, false
		}
		if d += time.Duration(n) * unit; d > maxClosing {
			return 0, false
		}
		rest = rest[len(m[0]):]
	}
	return d, text != ""
}
