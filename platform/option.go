package platform

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// An Option is one keepalive setting of a socket.
type Option uint8

const (
	KeepAlive   Option = iota // probes on or off (SO_KEEPALIVE)
	Idle                      // silence before the first probe (TCP_KEEPIDLE, macOS TCP_KEEPALIVE)
	Interval                  // time between unanswered probes (TCP_KEEPINTVL)
	Count                     // unanswered probes before the peer is given up (TCP_KEEPCNT)
	UserTimeout               // how long data may stay unacknowledged (Linux TCP_USER_TIMEOUT and its relatives)

	optionCount = iota
)

var optionNames = [optionCount]string{"keepalive", "idle", "interval", "count", "user-timeout"}

// String returns the name used in the text form of a config: "keepalive",
// "idle", "interval", "count" or "user-timeout".
func (o Option) String() string {
	return nameOf("Option", uint8(o), optionNames[:]...)
}

// nameOf names a value of an enumeration, also one that it does not have.
func nameOf(enumeration string, value uint8, names ...string) string {
	if int(value) < len(names) {
		return names[value]
	}
	return fmt.Sprintf("%s(%d)", enumeration, value)
}

// Options returns all options, in the order of their declaration.
func Options() []Option { return []Option{KeepAlive, Idle, Interval, Count, UserTimeout} }

// Format writes a value of the option as the text form of a config has it.
// Durations are in nanoseconds, as in [time.Duration], and whole seconds are
// written as seconds, as socket options are counted; a count is a plain number.
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
	return formatSeconds(value)
}

// formatSeconds writes nanoseconds as decimal seconds; below one second, as
// [time.Duration] does.
func formatSeconds(ns int64) string {
	const second = int64(time.Second)
	if whole := ns / second; whole != 0 || ns == 0 {
		fraction := ns % second
		if fraction < 0 {
			fraction = -fraction
		}
		text := strconv.FormatInt(whole, 10)
		if fraction != 0 {
			text += "." + strings.TrimRight(fmt.Sprintf("%09d", fraction), "0")
		}
		return text + "s"
	}
	return time.Duration(ns).String()
}

// An OptionSet is a set of options.
type OptionSet uint8

// SetOf returns the set of the given options.
func SetOf(options ...Option) OptionSet {
	var s OptionSet
	for _, o := range options {
		s |= 1 << o
	}
	return s
}

// Has reports whether the set holds o.
func (s OptionSet) Has(o Option) bool { return s&(1<<o) != 0 }

// String lists the options: "idle, interval".
func (s OptionSet) String() string {
	var names []string
	for _, o := range Options() {
		if s.Has(o) {
			names = append(names, o.String())
		}
	}
	return strings.Join(names, ", ")
}

// A Unit is what a kernel counts an option in.
type Unit uint8

const (
	Flag         Unit = iota // zero is off, anything else is on; BSD kernels read back the flag's bit, not 1
	Times                    // a plain number
	Seconds                  // s
	HalfSeconds              // 500 ms: the slow timer of 4.4BSD
	Milliseconds             // ms
)

// Duration returns the length of one unit, 0 where the unit is not a time.
func (u Unit) Duration() time.Duration {
	switch u {
	case Seconds:
		return time.Second
	case HalfSeconds:
		return 500 * time.Millisecond
	case Milliseconds:
		return time.Millisecond
	}
	return 0
}

// String returns the unit's symbol.
func (u Unit) String() string {
	return nameOf("Unit", uint8(u), "flag", "", "s", "s/2", "ms")
}

// toKernel converts a field's value to kernel units, rounding up: a duration
// below the unit becomes 1, never 0. It cannot overflow.
func (u Unit) toKernel(value int64) int64 {
	d := int64(u.Duration())
	if d == 0 {
		return value
	}
	n := value / d
	if value%d > 0 {
		n++
	}
	return n
}

// fromKernel converts kernel units to a field's value, saturating.
func (u Unit) fromKernel(n int64) int64 {
	d := int64(u.Duration())
	if d == 0 {
		return n
	}
	if n > math.MaxInt64/d {
		return math.MaxInt64
	}
	return n * d
}

// An Answer is a yes or no that may be unverified.
type Answer uint8

const (
	Unknown Answer = iota // nobody verified it
	No                    // verified
	Yes                   // verified
)

// String returns "unknown", "no" or "yes".
func (a Answer) String() string { return nameOf("Answer", uint8(a), "unknown", "no", "yes") }

// Zero is what a kernel does with the value 0.
type Zero uint8

const (
	ZeroUnknown  Zero = iota // nobody verified it
	ZeroRejected             // setsockopt fails (EINVAL)
	ZeroDefault              // back to the system's default
	ZeroOff                  // switches the option off
)

// String says the meaning in a few words.
func (z Zero) String() string {
	return nameOf("Zero", uint8(z), "unknown", "rejected", "system default", "off")
}

// UnknownLimit stands for a minimum or maximum nobody could verify. A value is
// then refused only where it does not fit the C int that setsockopt takes, and
// the kernel has the last word.
const UnknownLimit = -1

// A Form is how an option reaches the kernel.
type Form uint8

const (
	// Plain is one setsockopt with an int.
	Plain Form = iota
	// Product is one setsockopt that carries interval*count (Solaris before
	// 11.4). Neither factor can be read back.
	Product
	// KeepAliveVals is the SIO_KEEPALIVE_VALS ioctl of Windows: on/off, idle and
	// interval in one call, not readable.
	KeepAliveVals
)

// A Spec says how one option is set on one platform.
type Spec struct {
	Option    Option
	Symbol    string // the C symbol, e.g. "TCP_KEEPIDLE"
	Level     int    // setsockopt's level
	Number    int    // setsockopt's option number
	Unit      Unit
	Min, Max  int64  // in kernel units, or UnknownLimit
	Zero      Zero   // what the kernel does with 0
	Inherited Answer // by sockets accepted from a listening socket that has it
	Readable  Answer // by getsockopt
	Form      Form
	Sysctl    string // the system-wide default's name, "" where there is none
	SysctlIn  Unit   // what that default is counted in
}

// limits returns the smallest and largest value in the field's own measure
// (nanoseconds or a number), or UnknownLimit.
func (s *Spec) limits() (least, most int64) {
	least, most = s.Min, s.Max
	if least != UnknownLimit {
		least = s.Unit.fromKernel(least)
	}
	if most != UnknownLimit {
		most = s.Unit.fromKernel(most)
	}
	return least, most
}
