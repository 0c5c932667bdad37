package testkit

import (
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/platform"
)

// Values are the options of a socket in seconds, and in milliseconds for the user timeout,
// whatever the units of the system. -1 stands for an option that the socket does not have
// or that cannot be read.
type Values struct{ KeepAlive, Idle, Interval, Count, UserTimeout int }

func (v *Values) fields() [options]*int {
	return [options]*int{&v.KeepAlive, &v.Idle, &v.Interval, &v.Count, &v.UserTimeout}
}

const options = int(platform.UserTimeout) + 1

// A Header is an option as in the headers of this system. It is not taken from the tables
// of package platform, so that it can test them.
type Header struct {
	Symbol        string // "" if the system lacks the option
	Level, Number int
	Unit          time.Duration // 0 for a flag and a number
}

// Of returns the header of o.
func Of(o platform.Option) Header { return headers[o] }

// Native converts one of [Values] to the kernel's unit.
func Native(o platform.Option, value int) int {
	units, values := headers[o].scale(o)
	return value * units / values
}

// scale returns how many of the kernel's units correspond to how many units of
// Values.
func (h Header) scale(o platform.Option) (units, values int) {
	if h.Unit == 0 {
		return 1, 1
	}
	one := time.Second
	if o == platform.UserTimeout {
		one = time.Millisecond
	}
	if h.Unit > one {
		return 1, int(h.Unit / one)
	}
	return int(one / h.Unit), 1
}

// Make returns the values of a socket of this system on which these options were set. An
// option that the system does not have becomes -1. A user timeout of 0 stands for a socket
// on which none was set; any other value must be a multiple of the kernel's unit.
func Make(keepAlive, idle, interval, count, userTimeout int) Values {
	v, untouched := Values{keepAlive, idle, interval, count, userTimeout}, Untouched()
	if _, values := headers[platform.UserTimeout].scale(platform.UserTimeout); userTimeout > 0 {
		v.UserTimeout = (userTimeout + values - 1) / values * values
	} else if userTimeout == 0 {
		v.UserTimeout = untouched.UserTimeout
	}
	fields := v.fields()
	for o, held := range untouched.fields() {
		if *held == -1 {
			*fields[o] = -1
		}
	}
	return v
}

// ByNet is [Make] for seconds that package net has set. Package net assumes that
// the unit of every system is a second, even where it is half a second.
func ByNet(idle, interval, count, userTimeout int) Values {
	scaled := func(o platform.Option, seconds int) int {
		units, _ := headers[o].scale(o)
		return seconds / units
	}
	return Make(1, scaled(platform.Idle, idle), scaled(platform.Interval, interval), count, userTimeout)
}

// GoDefaults are the values that package net sets: 15 s, 15 s, 9.
var GoDefaults = ByNet(15, 15, 9, 0)

// NoUserTimeout returns v with the user timeout of a socket on which none was
// set.
func NoUserTimeout(v Values) Values {
	v.UserTimeout = Untouched().UserTimeout
	return v
}

// Untouched returns the values of a socket on which no option was set: the
// defaults of this machine.
var Untouched = sync.OnceValue(func() (v Values) {
	err := withSocket(func(fd uintptr) (err error) {
		v, err = readDescriptor(fd)
		return err
	})
	if err != nil {
		panic(err)
	}
	return v
})

// SwitchedOn returns the system's defaults with keepalive on.
func SwitchedOn() Values {
	v := Untouched()
	v.KeepAlive = 1
	return v
}

// Read returns the values that the kernel holds. A user timeout that this socket
// does not have (Multipath TCP) is -1.
func Read(t testing.TB, c syscall.Conn) Values {
	t.Helper()
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	var v Values
	require.NoError(t, rc.Control(func(fd uintptr) { v, err = readDescriptor(fd) }))
	require.NoError(t, err)
	return v
}

// ReadAny is Read for a connection that may be wrapped (TLS), even several times
// (TLS through an HTTPS proxy).
func ReadAny(t testing.TB, c any) Values {
	t.Helper()
	for range 8 {
		if wrapped, ok := c.(interface{ NetConn() net.Conn }); ok {
			c = wrapped.NetConn()
		}
	}
	require.Implements(t, (*syscall.Conn)(nil), c)
	return Read(t, c.(syscall.Conn))
}

// IsOn returns the keepalive flag of a socket that need not be TCP; a socket without the
// flag is off.
func IsOn(t testing.TB, c any) bool {
	t.Helper()
	require.Implements(t, (*syscall.Conn)(nil), c)
	rc, err := c.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	var on int
	h := headers[platform.KeepAlive]
	require.NoError(t, rc.Control(func(fd uintptr) { on, err = getOption(fd, h.Level, h.Number) }))
	if missing(err) {
		return false
	}
	require.NoError(t, err)
	return on != 0
}

func readDescriptor(fd uintptr) (v Values, err error) {
	fields := v.fields()
	for o, h := range headers {
		o := platform.Option(o)
		held, err := getOption(fd, h.Level, h.Number)
		units, values := h.scale(o)
		switch {
		case h.Symbol == "", missing(err) && mayBeMissing(o):
			*fields[o] = -1
		case err != nil:
			return v, fmt.Errorf("getsockopt %s: %w", h.Symbol, err)
		case o == platform.KeepAlive && held != 0:
			*fields[o] = 1 // the BSDs return the flag's bit
		default:
			*fields[o] = held * values / units
		}
	}
	return v, nil
}

// mayBeMissing reports whether a socket may lack o. The user timeout is the newest option
// on every system, and Multipath TCP does not have it.
func mayBeMissing(o platform.Option) bool {
	if o == platform.UserTimeout {
		return true
	}
	spec := platform.Current().Spec(o)
	return spec == nil || spec.Readable != platform.Yes
}

// SetOptions sets all of v except values of -1, in the way of a typical hook.
func SetOptions(fd int, v Values) error {
	fields := v.fields()
	for o, h := range headers {
		if *fields[o] == -1 {
			continue
		}
		if err := setOption(uintptr(fd), h.Level, h.Number, Native(platform.Option(o), *fields[o])); err != nil {
			return fmt.Errorf("setsockopt %s=%d: %w", h.Symbol, *fields[o], err)
		}
	}
	return nil
}

// Lacks returns the reason why o cannot be tested on this system: its table says so or, if
// that is unknown in the table, the running kernel does. "" means that it can be tested.
func Lacks(o platform.Option) string {
	untouched := Untouched()
	if *untouched.fields()[o] != -1 {
		return ""
	}
	table := platform.Current()
	switch spec := table.Spec(o); {
	case spec == nil && table.Absent[o] != "":
		return fmt.Sprintf("no option %v: %s", o, table.Absent[o])
	case spec == nil:
		return fmt.Sprintf("%s has no option %v", table.Title, o)
	case spec.Readable == platform.No: // it can be set
		return ""
	default:
		return fmt.Sprintf("this kernel of %s does not know %s", table.Title, spec.Symbol)
	}
}

// NeedOptions skips a test that sets these options together if the system cannot do
// that.
func NeedOptions(t testing.TB, together ...platform.Option) {
	t.Helper()
	var has [options]bool
	for _, o := range together {
		has[o] = true
	}
	has[platform.KeepAlive] = true // every call sets it
	for _, o := range append(together, platform.KeepAlive) {
		why := Lacks(o)
		Need(t, why == "", why)
		spec := platform.Current().Spec(o)
		Need(t, has[spec.Needs], fmt.Sprintf("%s takes %v with %v only: %s", platform.Current().Title, o, spec.Needs, spec.NeedsWhy))
	}
}

// NeedReadable skips a test unless each of these options can be set with its own
// setsockopt and read back.
func NeedReadable(t testing.TB, options ...platform.Option) {
	t.Helper()
	table, untouched := platform.Current(), Untouched()
	for _, o := range options {
		why := Lacks(o)
		Need(t, why == "", why)
		spec := table.Spec(o)
		Need(t, spec.Call == "", fmt.Sprintf("%s sets %v by %s", table.Title, o, spec.Call))
		Need(t, *untouched.fields()[o] != -1, fmt.Sprintf("%s cannot read %s", table.Title, spec.Symbol))
	}
}
