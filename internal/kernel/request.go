package kernel

import (
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/platform"
)

// A Request has the keepalive settings to set on a socket. A zero field is
// unset: the option is left unchanged.
type Request struct {
	Disabled    bool          // keepalive off; all other requests switch it on
	Idle        time.Duration // silence before the first probe
	Interval    time.Duration // between unanswered probes
	Count       int           // unanswered probes before the peer is given up
	UserTimeout time.Duration // how long data may stay unacknowledged, or NoUserTimeout
}

// NoUserTimeout as a Request's UserTimeout switches the user timeout off.
const NoUserTimeout time.Duration = -1

// value returns the field for o as nanoseconds or a number.
func (r *Request) value(o platform.Option) int64 {
	switch o {
	case platform.KeepAlive:
		if r.Disabled {
			return 0
		}
		return 1
	case platform.Idle:
		return int64(r.Idle)
	case platform.Interval:
		return int64(r.Interval)
	case platform.Count:
		return int64(r.Count)
	}
	return int64(r.UserTimeout)
}

func (r *Request) set(o platform.Option, v int64) {
	switch o {
	case platform.Idle:
		r.Idle = time.Duration(v)
	case platform.Interval:
		r.Interval = time.Duration(v)
	case platform.Count:
		r.Count = int(v)
	case platform.UserTimeout:
		r.UserTimeout = time.Duration(v)
	}
}

// asks reports whether the request sets o at all.
func (r *Request) asks(o platform.Option) bool { return o == platform.KeepAlive || r.value(o) != 0 }

// String returns "on", "off" or "idle=60s,interval=10s,count=3,user-timeout=90s".
func (r Request) String() string {
	var parts []string
	if r.Disabled {
		parts = append(parts, "off")
	}
	for _, o := range [...]platform.Option{platform.Idle, platform.Interval, platform.Count, platform.UserTimeout} {
		switch v := r.value(o); {
		case o == platform.UserTimeout && time.Duration(v) == NoUserTimeout:
			parts = append(parts, "user-timeout=off")
		case v != 0:
			parts = append(parts, o.String()+"="+o.Format(v))
		}
	}
	if len(parts) == 0 {
		return "on"
	}
	return strings.Join(parts, ",")
}
