package transport

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// keepAlive is the content of a Keep-Alive header. RFC 2068 separates its parameters by
// commas; semicolons and quotes are common, too.
type keepAlive struct {
	timeout    time.Duration // if hasTimeout
	max        int64         // if hasMax
	hasTimeout bool
	hasMax     bool
}

const (
	maxTimeout  = 100 * 365 * 24 * time.Hour
	maxRequests = 1 << 40
)

// parseKeepAlive reads the Keep-Alive header. If a parameter comes several times, the first
// one with a value counts. A value that is no whole number is ignored, and one that is too
// large is replaced by the largest.
func parseKeepAlive(header http.Header) (k keepAlive) {
	for _, line := range header["Keep-Alive"] {
		for parameter := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == ',' || r == ';' }) {
			name, value, _ := strings.Cut(parameter, "=")
			name = strings.TrimSpace(name)
			switch {
			case !k.hasTimeout && strings.EqualFold(name, "timeout"):
				var n int64
				n, k.hasTimeout = wholeNumber(value, int64(maxTimeout/time.Second))
				k.timeout = time.Duration(n) * time.Second
			case !k.hasMax && strings.EqualFold(name, "max"):
				k.max, k.hasMax = wholeNumber(value, maxRequests)
			}
		}
	}
	return k
}

func wholeNumber(text string, most int64) (int64, bool) {
	text = strings.TrimSpace(text)
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		number, ok := err.(*strconv.NumError)
		return most, ok && number.Err == strconv.ErrRange
	}
	return int64(min(n, uint64(most))), true
}

// announce notes what a response says about its connection. A response without the header
// takes nothing back.
func (c *conn) announce(use int64, h *host, header http.Header) {
	if len(header["Keep-Alive"]) == 0 {
		return
	}
	k := parseKeepAlive(header)
	if k.hasMax {
		// max=N is how many are left after this one (Apache httpd), or how many there
		// may be in all (Node.js, which goes on saying the same N). What is right for
		// both: the first one counts this request in, and none of the later ones is
		// exceeded.
		most := use + k.max
		if before := c.most.Load(); before == 0 {
			most = max(most-1, use)
		} else {
			most = min(most, before)
		}
		c.most.Store(most)
	}
	if k.hasTimeout {
		value := int64(k.timeout) + 1
		if c.announced.Swap(value) != value && h.header.Swap(value) != value {
			c.t.events.learned(h, k.timeout, "Keep-Alive header")
		}
	}
}
