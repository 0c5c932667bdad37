package sockopt

import (
	"errors"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// Config describes the TCP keepalive settings of a connection. The zero value
// asks for keepalive and leaves everything else to the system.
//
// A zero field is unset. [Set] leaves that option of the socket as it is (Linux
// cannot restore the system's default). On a connection made by packages dialer
// and listener the option has the kernel's default, not Go's 15 s.
//
// Durations are rounded up to the kernel's unit, never down and never to 0. The
// unit is a second on nearly all systems, see [platform.Spec]. Values outside
// the kernel's range are errors; they are not clamped.
type Config struct {
	// Disabled switches keepalive off (SO_KEEPALIVE=0). Any other Config
	// switches it on. The other fields are still stored in the socket.
	//
	// On FreeBSD, DragonFly BSD, OpenBSD and macOS, connections are probed nevertheless
	// while the sysctl net.inet.tcp.always_keepalive is 1, which is the default on the
	// first two.
	Disabled bool

	// Idle is the silence after which the first probe is sent: TCP_KEEPIDLE,
	// on macOS TCP_KEEPALIVE. Linux takes 1 s to 32767 s.
	Idle time.Duration

	// Interval is the time between unanswered probes: TCP_KEEPINTVL. Linux takes
	// 1 s to 32767 s, illumos 1 s to 60 s. An answered probe starts the idle
	// time again, but the next probe is at least one interval later: a
	// connection is probed every max(Idle, Interval).
	Interval time.Duration

	// Count is the number of unanswered probes after which the peer is given
	// up: TCP_KEEPCNT. Linux takes 1 to 127, Windows 1 to 255.
	Count int

	// UserTimeout is how long data may stay unacknowledged before the
	// connection is given up: TCP_USER_TIMEOUT on Linux (1 ms to 2147483647 ms),
	// TCP_RXT_CONNDROPTIME on macOS, TCP_MAXUNACKTIME on FreeBSD 14,
	// TCP_ABORT_THRESHOLD on illumos and Solaris, TCP_MAXRT on Windows.
	//
	// On Linux it also replaces Count while probes are unanswered, in both
	// directions, and it ends a live connection whose peer does not read for
	// that long. NoUserTimeout switches it off.
	UserTimeout time.Duration
}

// NoUserTimeout as Config.UserTimeout switches the user timeout off (0 leaves it
// unchanged). A Multipath TCP socket has no user timeout, so it is always off there. Any
// other negative value is an error.
const NoUserTimeout = kernel.NoUserTimeout

var recommended = Config{Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3, UserTimeout: time.Minute}

// Recommended returns 30 s, 10 s, 3 and the matching user timeout of 60 s: a
// dead peer is noticed after a minute, whether the connection is idle or not.
// The first probe and two lost probes fit into the 60 s after which the shortest
// common connection trackers forget a connection, and this takes half the
// packets of Go's 15 s.
//
// Options that this system does not have are left out, so the result is valid
// here: the user timeout on NetBSD, DragonFly BSD and AIX, the count on Windows
// before 10 version 1709, everything except keepalive itself on OpenBSD. The
// system's own defaults then decide when a dead peer is noticed.
// [RecommendedFor] reports what was left out. On systems without keepalive (Plan
// 9, js, wasip1) nothing is left out, and using the result is an error.
func Recommended() Config {
	if c, _, err := recommended.Nearest(); err == nil {
		return c
	}
	return recommended
}

// RecommendedFor is [Recommended] for another operating system. It also returns
// what had to be changed or left out. The error wraps [errors.ErrUnsupported]
// where there is no keepalive at all; a nil table is an error too.
func RecommendedFor(t *platform.Table) (Config, []platform.Change, error) {
	return recommended.NearestFor(t)
}

var errNilTable = errors.New("the platform.Table is nil")

// Validate returns nil if this operating system can honour every field, otherwise an
// error that wraps a [platform.Faults], which holds a [*platform.Fault] for each field that it cannot honour.
// errors.Is(err, [errors.ErrUnsupported]) reports whether an option is missing altogether.
//
// Validate opens no socket, except on Windows, where the first check of a process opens and
// closes one: it finds out whether this version has TCP_KEEPIDLE.
func (c Config) Validate() error { return c.validate(kernel.Limits()) }

// ValidateFor is [Config.Validate] for another operating system:
//
//	t, _ := platform.Lookup("windows-before-1709")
//	err := cfg.ValidateFor(t)
//
// A nil table is an error.
func (c Config) ValidateFor(t *platform.Table) error {
	if t == nil {
		return named(errNilTable)
	}
	return c.validate(kernel.RulesOf(t))
}

func (c Config) validate(rules *kernel.Rules) error {
	return named(rules.Check(kernel.Request(c)).Err())
}

// Nearest returns the Config closest to c that this operating system accepts,
// and the changes that were needed. No changes means that c is accepted as it
// is. The error wraps [errors.ErrUnsupported] where there is no keepalive at
// all.
func (c Config) Nearest() (Config, []platform.Change, error) { return c.nearest(kernel.Limits()) }

// NearestFor is [Config.Nearest] for another operating system. A nil table is an
// error.
func (c Config) NearestFor(t *platform.Table) (Config, []platform.Change, error) {
	if t == nil {
		return Config{}, nil, named(errNilTable)
	}
	return c.nearest(kernel.RulesOf(t))
}

func (c Config) nearest(rules *kernel.Rules) (Config, []platform.Change, error) {
	r, changes, err := rules.Nearest(kernel.Request(c))
	return Config(r), changes, named(err)
}

// FromSettings returns the Config that asks for the settings s: an unknown setting is left
// unset, and a user timeout of 0 becomes [NoUserTimeout].
func FromSettings(s platform.Settings) Config {
	var c Config
	for _, o := range kernel.Options() {
		v, known := s.Lookup(o)
		if !known {
			continue
		}
		switch o {
		case platform.KeepAlive:
			c.Disabled = v == 0
		case platform.Idle:
			c.Idle = time.Duration(v)
		case platform.Interval:
			c.Interval = time.Duration(v)
		case platform.Count:
			c.Count = int(v)
		case platform.UserTimeout:
			c.UserTimeout = time.Duration(v)
			if v == 0 {
				c.UserTimeout = NoUserTimeout
			}
		}
	}
	return c
}
