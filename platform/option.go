package platform

import (
	"strconv"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/internal/enum"
)

// An Option is one keepalive setting of a socket.
type Option uint8

const (
	KeepAlive   Option = iota // probes on or off (SO_KEEPALIVE)
	Idle                      // silence before the first probe (TCP_KEEPIDLE, macOS TCP_KEEPALIVE)
	Interval                  // time between unanswered probes (TCP_KEEPINTVL)
	Count                     // unanswered probes before the peer is given up (TCP_KEEPCNT)
	UserTimeout               // how long data may stay unacknowledged (TCP_USER_TIMEOUT on Linux, similar options elsewhere)

	optionCount = iota
)

var optionNames = [optionCount]string{"keepalive", "idle", "interval", "count", "user-timeout"}

// String returns the name used in the text form of a config: "keepalive",
// "idle", "interval", "count" or "user-timeout".
func (o Option) String() string {
	return enum.Name("Option", o, optionNames[:]...)
}

// Format formats a value of the option as in the text form of a config.
// Durations are in nanoseconds, as in [time.Duration]; whole seconds are written
// as seconds, the unit of socket options. A count is a plain number.
func (o Option) Format(value int64) string {
	switch o {
	case KeepAlive:
		if value != 0 {
			return "on"
		}
		return "off"
	case Count:
		return strconv.FormatInt(value, 10)
	}
	return duration.Seconds(time.Duration(value))
}

// An OptionSet is a set of options: the bit 1<<o stands for the option o.
type OptionSet uint8

// Has reports whether the set holds o.
func (s OptionSet) Has(o Option) bool { return s&(1<<o) != 0 }

// String lists the options: "idle, interval".
func (s OptionSet) String() string {
	var names []string
	for o := range Option(optionCount) {
		if s.Has(o) {
			names = append(names, o.String())
		}
	}
	return strings.Join(names, ", ")
}

// An Answer is a yes, a no, or unknown.
type Answer uint8

const (
	Unknown Answer = iota // not verified
	No                    // verified
	Yes                   // verified
)

// String returns "unknown", "no" or "yes".
func (a Answer) String() string { return enum.Name("Answer", a, "unknown", "no", "yes") }
