package kernel_test

import (
	"strings"
	"time"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// The tests speak of platforms all the time, so its words stand here without
// their package.
type (
	Answer        = platform.Answer
	Change        = platform.Change
	Fault         = platform.Fault
	Faults        = platform.Faults
	MismatchError = platform.MismatchError
	Option        = platform.Option
	OptionError   = platform.OptionError
	OptionSet     = platform.OptionSet
	Settings      = platform.Settings
	Spec          = platform.Spec
	Table         = platform.Table
)

const (
	KeepAlive    = platform.KeepAlive
	Idle         = platform.Idle
	Interval     = platform.Interval
	Count        = platform.Count
	UserTimeout  = platform.UserTimeout
	UnknownLimit = platform.UnknownLimit
	Unknown      = platform.Unknown
	No           = platform.No
	Yes          = platform.Yes
)

// What a kernel counts in.
const (
	Flag           time.Duration = 0
	Times          time.Duration = 0
	perSecond                    = time.Second
	perHalfSecond                = 500 * time.Millisecond
	perMillisecond               = time.Millisecond
)

// What a kernel does with 0.
const (
	ZeroUnknown  = ""
	ZeroRejected = "rejected"
	ZeroDefault  = "system default"
	ZeroOff      = "off"
)

// How an option reaches the kernel.
const (
	Plain         = ""
	Product       = "setsockopt of interval*count"
	KeepAliveVals = "ioctl SIO_KEEPALIVE_VALS"
)

// all returns the rules of every table.
func all() []*Rules {
	var rules []*Rules
	for _, t := range platform.Tables() {
		rules = append(rules, RulesOf(t))
	}
	return rules
}

// What a fault is about, as its text says.
const (
	Negative    = "is negative"
	TooSmall    = "is too small"
	TooLarge    = "is too large"
	Unsupported = "is not supported"
	Incomplete  = "without"
)

func kindOf(f *Fault) string {
	for _, kind := range []string{Negative, TooSmall, TooLarge, Unsupported, Incomplete} {
		if strings.HasPrefix(f.Problem, kind) {
			return kind
		}
	}
	return f.Problem
}

// Nothing are the rules of a system without keepalive.
var Nothing = RulesOf(&platform.Table{Name: "nothing", GOOS: "nothing", Title: "Nothing"})
