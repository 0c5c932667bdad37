// Package syntax writes keepalive settings the way other programs want them.
package syntax

import (
	"fmt"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Plan is what to write: a complete Config, and what it was planned for.
type Plan struct {
	Config  sockopt.Config
	Request align.Request
}

// A Format is the syntax of one program. Write returns the text, and what the
// program cannot express or what else one has to know.
type Format struct {
	Name, What string
	Write      func(Plan) (text string, notes []string)
}

// Formats are all of them.
var Formats = []Format{
	{"go", "a sockopt.Config", golang},
	{"nginx", "listen parameters", nginx},
	{"haproxy", "keywords for both sides", haproxy},
	{"envoy", "listener and cluster, YAML", envoy},
	{"sysctl", "the system's defaults, sysctl.d", sysctl},
	{"kubernetes", "sysctls of a pod, YAML", kubernetes},
	{"systemd", "a drop-in for a .socket unit", systemd},
	{"postgresql", "postgresql.conf, the server's side", postgresql},
	{"libpq", "a connection URI, the client's side", libpq},
	{"redis", "redis.conf", redis},
	{"docker", "docker run options", docker},
	{"compose", "sysctls of a service, YAML", compose},
	{"env", "environment of LD_PRELOAD=libkeepalive.so", env},
}

// Names are those of the Formats.
func Names() []string {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return names
}

// Lookup finds a Format.
func Lookup(name string) (Format, error) {
	for _, f := range Formats {
		if f.Name == name {
			return f, nil
		}
	}
	near := alike.Nearest(name, Names())
	for _, f := range Formats {
		if name != "" && strings.Contains(f.What, name) { // libkeepalive
			near = append(near, f.Name)
		}
	}
	return Format{}, fmt.Errorf("%q: want one of %s%s", name, strings.Join(Names(), ", "), alike.Question(near))
}

// The numbers that all of them want.
func (p Plan) idle() int64     { return wholeSeconds(p.Config.Idle) }
func (p Plan) interval() int64 { return wholeSeconds(p.Config.Interval) }
func (p Plan) count() int      { return p.Config.Count }

// userTimeout is in milliseconds, 0 for off.
func (p Plan) userTimeout() int64 {
	return max(0, int64((p.Config.UserTimeout+time.Millisecond-1)/time.Millisecond))
}

// wholeSeconds rounds up, as the kernel's own unit wants it.
func wholeSeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// noUserTimeout is the note of programs that cannot set TCP_USER_TIMEOUT.
func (p Plan) noUserTimeout(program string) []string {
	if p.userTimeout() == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s cannot set TCP_USER_TIMEOUT (%s in the plan): data in flight to a dead peer is noticed after about 15 minutes, an idle connection is given up after %d unanswered probes",
		program, platform.UserTimeout.Format(int64(p.Config.UserTimeout)), p.count())}
}
