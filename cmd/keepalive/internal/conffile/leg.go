package conffile

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Leg is one kind of connections that a program has: those of its clients, or those
// that it makes itself.
type Leg struct {
	Place
	Name string // "connections of clients"

	// Server says that the program accepts these connections: they are at the server's end
	// of a path, behind all proxies. It is false for connections that it opens, and where
	// the file does not decide it, as with sysctls.
	Server bool

	// Implied says that the file has nothing about keepalive for these connections: all is
	// inherited, or the program's own.
	Implied bool

	// Config is what the program asks the kernel for. What it leaves to the system is
	// unset, as it is in a value that the kernel refuses.
	Config sockopt.Config
	// Settings says of each option what it is and who sets it.
	Settings []Setting
	// Heartbeat is how often the program sends data of its own on a silent connection;
	// 0 if it does not.
	Heartbeat     time.Duration
	HeartbeatText string // as the file has it
	// Closing is the shortest timeout of the program itself.
	Closing Closing
	// Assumption is what the file does not decide, and what Config rests on. It is ""
	// if there is nothing.
	Assumption string
	Remarks    []Remark

	silence time.Duration // the longest between two heartbeats
	program string        // what opens or accepts it
}

// A Setting is an option of a connection.
type Setting struct {
	Option platform.Option
	// Value is written as in a Config: "60s", "3", "on". It is "" if it is inherited or not
	// known.
	Value string
	// Place and Text say where the file has it; Line is 0 if it has not.
	Place
	Text string
	// By says who sets it if the file does not: the program itself, or a sysctl.
	By string
}

// origin is where a value stands.
type origin struct {
	Place
	text string
}

// String returns "net.ipv4.tcp_keepalive_time = 60 (sysctl.conf:3)".
func (o origin) String() string { return o.text + " (" + o.Place.String() + ")" }

// of returns the same for where there are parentheses around it already.
func (o origin) of() string { return o.text + ", " + o.Place.String() }

// A leg is a Leg while its file is read.
type leg struct {
	Leg
	refusal string // what the program does if the kernel refuses a value
	state   state
	stateAt origin
	values  map[platform.Option]value
	offWhy  string // why keepalive is off if nothing switches it on
	// lenient is true of what sets the kernel's defaults: setsockopt's limits do not apply.
	lenient bool
	// setsWhenOff says that the program sets the times also if it does not switch keepalive on.
	setsWhenOff bool
	// noUserTimeout says that the program has no such setting.
	noUserTimeout bool
}

// state is whether keepalive is on.
type state uint8

const (
	unset state = iota
	on
	off
)

// A value is the number that the kernel gets, in its unit.
type value struct {
	n       int64
	bare    bool
	unknown bool // it depends on a variable
	by      string
	origin
}

func newLeg(at Place, program, name, refusal string) *leg {
	return &leg{
		Leg: Leg{Place: at, Name: name, program: program}, refusal: refusal, values: map[platform.Option]value{},
		offWhy: program + " does not switch it on",
	}
}

// accepted is newLeg for connections that the program accepts.
func accepted(at Place, program, name, refusal string) *leg {
	l := newLeg(at, program, name, refusal)
	l.Server = true
	return l
}

func (l *leg) turn(s state, o origin) { l.state, l.stateAt = s, o }

func (l *leg) remark(at Place, kind Kind, format string, args ...any) {
	l.Remarks = append(l.Remarks, Remark{at, kind, fmt.Sprintf(format, args...)})
}

// set sets an option, in the kernel's unit. bare says that the file has a number without
// a unit, in which a mistake of the unit does not show.
func (l *leg) set(o platform.Option, n int64, bare bool, at origin) {
	l.values[o] = value{n: n, bare: bare, origin: at}
}

// setBy sets an option that the program derives by itself.
func (l *leg) setBy(o platform.Option, n int64, by string, at origin) {
	l.values[o] = value{n: n, by: by, origin: at}
}

// setVariable notes an option that depends on a variable, of the environment or of a
// template, which is not known here.
func (l *leg) setVariable(o platform.Option, at origin) {
	l.values[o] = value{unknown: true, by: "depends on a variable", origin: at}
	l.remark(at.Place, Unread, "%s: it depends on a variable, whose value is not known here", at.text)
}

// isVariable reports whether a value is filled in later: by a shell, docker compose,
// HAProxy, Helm, Ansible.
func isVariable(text string) bool { return strings.Contains(text, "$") || strings.Contains(text, "{{") }

// inField converts from the kernel's unit to that of a Config. It saturates.
func inField(o platform.Option, n int64) int64 {
	unit := int64(kernel.Linux().Spec(o).Unit)
	switch {
	case unit == 0:
		return n
	case n > math.MaxInt64/unit:
		return math.MaxInt64
	case n < math.MinInt64/unit:
		return math.MinInt64
	}
	return n * unit
}

// finish makes the Leg, with the mistakes that only show when all is known.
func (l *leg) finish() Leg {
	if l.state == off {
		l.offMistakes()
	}
	meant := l.meant() // check leaves out what the kernel refuses
	l.check(meant)
	cfg := sockopt.Config{Disabled: l.state == off}
	for o, v := range l.values {
		if v.unknown {
			continue
		}
		switch n := inField(o, v.n); o {
		case platform.Idle:
			cfg.Idle = time.Duration(n)
		case platform.Interval:
			cfg.Interval = time.Duration(n)
		case platform.Count:
			cfg.Count = int(min(n, math.MaxInt32))
		case platform.UserTimeout:
			cfg.UserTimeout = time.Duration(n)
			if n == 0 {
				cfg.UserTimeout = sockopt.NoUserTimeout
			}
		}
	}
	l.Config = cfg
	l.Settings = l.settings()
	if !cfg.Disabled {
		l.userTimeoutMistakes(meant)
	}
	return l.Leg
}

func (l *leg) settings() []Setting {
	list := []Setting{{Option: platform.KeepAlive, Value: "on", Place: l.stateAt.Place, Text: l.stateAt.text}}
	switch {
	case l.state == off:
		list[0].Value = "off"
	case l.state == unset:
		list[0].By = l.program + " switches it on"
	}
	if l.stateAt.Line == 0 && l.state == off {
		list[0].By = l.offWhy
	}
	if l.Assumption != "" {
		list[0].Value, list[0].By = "", "the program's, which may switch it on or not"
	}
	for _, o := range []platform.Option{platform.Idle, platform.Interval, platform.Count, platform.UserTimeout} {
		s := Setting{Option: o}
		v, set := l.values[o]
		switch {
		case set:
			s.Place, s.Text, s.By = v.Place, v.text, v.by
			switch {
			case v.unknown:
			case o == platform.UserTimeout && v.n == 0:
				s.Value = "off"
			default:
				s.Value = o.Format(inField(o, v.n))
			}
		case o == platform.UserTimeout && l.noUserTimeout:
			s.Value, s.By = "off", l.program+" cannot set it"
		case o == platform.UserTimeout: // no sysctl sets TCP_USER_TIMEOUT
			s.Value, s.By = "off", "nobody sets it"
		case l.state == off:
			continue
		default:
			s.By = "inherited: " + kernel.Linux().Spec(o).Sysctl + " of its network namespace"
		}
		list = append(list, s)
	}
	return list
}
